package activity

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// ErrNotFound says that the tenant has no such activity.
var ErrNotFound = errors.New("activity not found")

// The bounds of a PostgresLog's work.
const (
	DefaultPage = 50     // activities in a page that names no limit
	MaxPage     = 500    // activities in a page
	ScanBudget  = 5_000  // activities that List looks at
	CountBudget = 50_000 // activities that Count looks at
)

// Page says which part of a list is wanted.
type Page struct {
	Limit  int       // at most so many; DefaultPage if it is not positive, MaxPage if it is above that
	Before uuid.UUID // only what is older than this activity; uuid.Nil is from the newest on
}

func (p Page) limit() int {
	if p.Limit <= 0 {
		return DefaultPage
	}
	return min(p.Limit, MaxPage)
}

// PostgresLog reads the activities that are recorded in PostgreSQL. Many goroutines may use it at
// once.
type PostgresLog struct {
	db                      pg.Batcher
	scanBudget, countBudget int
}

// NewPostgresLog makes a log of a *pgxpool.Pool, a *pgx.Conn or a pgx.Tx. In a transaction of the
// caller's, its reading leaves settings of the planner behind that end with it.
func NewPostgresLog(db pg.Batcher) *PostgresLog {
	return &PostgresLog{db: db, scanBudget: ScanBudget, countBudget: CountBudget}
}

// Get returns one activity of the tenant, or ErrNotFound.
func (l *PostgresLog) Get(ctx context.Context, tenant, id uuid.UUID) (Activity, error) {
	var a Activity
	batch := &pgx.Batch{}
	batch.Queue(`
		SELECT `+Columns+`
		FROM fanfare.activities AS a
		WHERE a.id = $2 AND a.tenant_id = $1`, tenant, id).QueryRow(func(row pgx.Row) error {
		return row.Scan(a.Fields()...)
	})
	err := l.db.SendBatch(ctx, batch).Close()
	if errors.Is(err, pgx.ErrNoRows) {
		return Activity{}, ErrNotFound
	}
	if err != nil {
		return Activity{}, fmt.Errorf("read activity %s: %w", id, err)
	}
	return a, nil
}

// List returns the tenant's activities that pass the filter, newest first. next, unless it is
// uuid.Nil, is what Page.Before takes for what is older: pages that follow one another so neither
// skip nor repeat, whatever is recorded meanwhile.
//
// It looks at ScanBudget activities at most, so that a page may be short, even empty, and still
// have a next. The error is an *invalid.Error if the filter is.
func (l *PostgresLog) List(
	ctx context.Context,
	tenant uuid.UUID,
	f Filter,
	p Page,
) (found []Activity, next uuid.UUID, err error) {
	return l.list(ctx, tenant, f, p, Columns, (*Activity).Fields)
}

// Outlines is List, but of each activity it reads only what decides who may see it: its id, tenant,
// actor, resource, target, owner, parent and visibility. The rest is zero.
func (l *PostgresLog) Outlines(
	ctx context.Context,
	tenant uuid.UUID,
	f Filter,
	p Page,
) (found []Activity, next uuid.UUID, err error) {
	return l.list(ctx, tenant, f, p, deciding, (*Activity).decidingFields)
}

func (l *PostgresLog) list(
	ctx context.Context,
	tenant uuid.UUID,
	f Filter,
	p Page,
	columns string,
	fields func(*Activity) []any,
) (found []Activity, next uuid.UUID, err error) {
	if err := f.Validate(); err != nil {
		return nil, uuid.Nil, err
	}
	limit := p.limit()
	statement, args := newLogQuery(tenant, f, p.Before).page(columns, limit+1, l.scanBudget)
	found = make([]Activity, 0, limit)
	batch := &pgx.Batch{}
	batch.Queue(pinOrder)
	batch.Queue(statement, args...).Query(func(rows pgx.Rows) error {
		var a Activity
		_, err := pgx.ForEachRow(rows, append(fields(&a), &next), func() error {
			if a.ID != uuid.Nil {
				found = append(found, a)
			}
			a = Activity{}
			return nil
		})
		return err
	})
	if err := l.db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, uuid.Nil, fmt.Errorf("read the log: %w", err)
	}
	if len(found) > limit {
		found = found[:limit]
		next = found[limit-1].ID
	}
	return found, next, nil
}

// Read returns those of the activities that the tenant has, newest first.
func (l *PostgresLog) Read(ctx context.Context, tenant uuid.UUID, ids []uuid.UUID) (found []Activity, err error) {
	found = make([]Activity, 0, len(ids))
	batch := &pgx.Batch{}
	batch.Queue(pinIndex)
	batch.Queue(`
		SELECT `+Columns+`
		FROM unnest((SELECT $2::uuid[])) AS u(id)
		CROSS JOIN LATERAL (SELECT * FROM fanfare.activities AS a WHERE a.id = u.id AND a.tenant_id = $1 LIMIT 1) AS a
		ORDER BY a.id DESC`, tenant, uuids(ids)).Query(func(rows pgx.Rows) error {
		var a Activity
		_, err := pgx.ForEachRow(rows, a.Fields(), func() error {
			found = append(found, a)
			a = Activity{}
			return nil
		})
		return err
	})
	if err := l.db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	return found, nil
}

// Count returns how many of the tenant's activities pass the filter. It stops at limit, or at
// CountBudget activities looked at; then exact is false, and there are at least n.
func (l *PostgresLog) Count(ctx context.Context, tenant uuid.UUID, f Filter, limit int) (n int, exact bool, err error) {
	if err := f.Validate(); err != nil {
		return 0, false, err
	}
	statement, args := newLogQuery(tenant, f, uuid.Nil).count(limit, l.countBudget)
	batch := &pgx.Batch{}
	batch.Queue(pinOrder)
	batch.Queue(statement, args...).QueryRow(func(row pgx.Row) error { return row.Scan(&n, &exact) })
	if err := l.db.SendBatch(ctx, batch).Close(); err != nil {
		return 0, false, fmt.Errorf("count the log: %w", err)
	}
	return n, exact, nil
}

// uuids is a list whose type of the database's even a connection knows that does not ask the
// database for types.
func uuids(ids []uuid.UUID) []pgtype.UUID {
	list := make([]pgtype.UUID, len(ids))
	for i, id := range ids {
		list[i] = pgtype.UUID{Bytes: id, Valid: true}
	}
	return list
}
