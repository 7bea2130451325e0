package pglog

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// Log reads the activities that are recorded in PostgreSQL. It is safe for concurrent use if
// its database handle is.
type Log struct {
	db                      pg.Batcher
	scanBudget, countBudget int
}

// New returns a log that reads from a *pgxpool.Pool, a *pgx.Conn or a pgx.Tx. In a pgx.Tx, a
// reading changes settings of the planner until that transaction ends.
func New(db pg.Batcher) *Log {
	return &Log{db: db, scanBudget: activity.ScanBudget, countBudget: activity.CountBudget}
}

var selectOne = `SELECT ` + Columns + ` FROM ` + ByID("$2", "$1")

// Get returns one activity of the tenant, or activity.ErrNotFound.
func (l *Log) Get(ctx context.Context, tenant, id uuid.UUID) (activity.Activity, error) {
	var a activity.Activity
	batch := &pgx.Batch{}
	batch.Queue(pinIndex)
	batch.Queue(selectOne, tenant, id).QueryRow(func(row pgx.Row) error {
		return row.Scan(ScanTargets(&a)...)
	})
	err := l.db.SendBatch(ctx, batch).Close()
	if errors.Is(err, pgx.ErrNoRows) {
		return activity.Activity{}, fmt.Errorf("activity %s: %w", id, activity.ErrNotFound)
	}
	if err != nil {
		return activity.Activity{}, fmt.Errorf("read activity %s: %w", id, err)
	}
	return a, nil
}

// List returns a page of the tenant's activities that pass the filter, newest first. next is the
// Page.Before of the following page, uuid.Nil after the last one: consecutive pages neither skip
// nor repeat an activity, whatever is recorded meanwhile.
//
// It reads activity.ScanBudget activities at most, so that a page may hold fewer activities than
// its limit, or none, and still be followed by another. The error is an *invalid.Error if the
// filter is invalid.
func (l *Log) List(
	ctx context.Context, tenant uuid.UUID, f activity.Filter, p activity.Page,
) (found []activity.Activity, next uuid.UUID, err error) {
	return l.list(ctx, tenant, f, p, wholeActivity)
}

// ListHeaders is List for permission checks: it reads only the columns that decide who may see an
// activity, which are its id, tenant, actor, resource, target, owner, parent and visibility. The
// other fields are zero.
func (l *Log) ListHeaders(
	ctx context.Context, tenant uuid.UUID, f activity.Filter, p activity.Page,
) (found []activity.Activity, next uuid.UUID, err error) {
	return l.list(ctx, tenant, f, p, headersOnly)
}

func (l *Log) list(
	ctx context.Context, tenant uuid.UUID, f activity.Filter, p activity.Page, of projection,
) (found []activity.Activity, next uuid.UUID, err error) {
	if err := f.Validate(); err != nil {
		return nil, uuid.Nil, err
	}
	limit := p.EffectiveLimit()
	statement, args := newQuery(tenant, f, idRange{below: p.Before}).page(of.columns, limit+1, l.scanBudget)
	found = make([]activity.Activity, 0, limit)
	batch := &pgx.Batch{}
	batch.Queue(PinOrder)
	batch.Queue(statement, args...).Query(func(rows pgx.Rows) error {
		var a activity.Activity
		_, err := pgx.ForEachRow(rows, append(of.targets(&a), &next), func() error {
			if a.ID != uuid.Nil {
				found = append(found, a)
			}
			a = activity.Activity{}
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

// Scan selects the headers that ScanHeaders reads.
type Scan struct {
	Tenant uuid.UUID
	// Key bounds the scan by its times and by the first of CorrelationID, Resource, Actor and Owner
	// that it has. Nothing else of it counts.
	Key activity.Filter
	// NotPrivateTo omits the private activities whose actor or target this principal is not;
	// uuid.Nil omits none.
	NotPrivateTo uuid.UUID
	Before       uuid.UUID // only activities older than this one; uuid.Nil selects the newest
	Limit        int       // the maximum number of activities
}

// ScanHeaders returns the columns that decide who may see an activity, newest first: id, tenant,
// actor, resource, target, owner, parent and visibility. The other fields are zero. Times bound the
// ids, so that activities recorded up to a minute earlier are among them.
//
// What it reads depends on nothing else of an activity, so that a caller who sees only some of them
// learns nothing of the others.
func (l *Log) ScanHeaders(ctx context.Context, s Scan) ([]activity.Activity, error) {
	statement, args := s.Statement()
	found, err := l.collect(ctx, PinOrder, headersOnly, s.Limit, statement, args)
	if err != nil {
		return nil, fmt.Errorf("scan the log: %w", err)
	}
	return found, nil
}

// Statement returns the statement of ScanHeaders, for a query that reads from it. It needs
// PinOrder, and selects HeaderColumns. Its arguments follow those given.
func (s Scan) Statement(preceding ...any) (statement string, args []any) {
	q := newIndexQuery(s.Tenant, s.Key, idRange{below: s.Before}, preceding...)
	where := q.indexRange
	if s.NotPrivateTo != uuid.Nil {
		where += fmt.Sprintf(" AND (a.visibility <> 'private' OR a.actor_principal_id = %[1]s"+
			" OR %[1]s = ANY (a.target_principal_ids))", q.arg(s.NotPrivateTo))
	}
	return fmt.Sprintf(`
		SELECT %s
		FROM fanfare.activities AS a
		WHERE %s
		ORDER BY %s
		LIMIT %s`, HeaderColumns, where, q.order, q.arg(s.Limit)+"::bigint"), q.args
}

// Read returns the tenant's activities that have one of the ids and pass the filter, newest first,
// at most limit. The filter must be valid.
func (l *Log) Read(
	ctx context.Context, tenant uuid.UUID, ids []uuid.UUID, f activity.Filter, limit int,
) ([]activity.Activity, error) {
	q, from := newIDQuery(tenant, ids)
	q.addTests(f)
	statement := fmt.Sprintf(`
		SELECT `+Columns+`
		FROM %s
		WHERE %s
		ORDER BY a.id DESC
		LIMIT %s`, from, q.tests, q.arg(limit)+"::bigint")
	found, err := l.collect(ctx, pinIndex, wholeActivity, min(limit, len(ids)), statement, q.args)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	return found, nil
}

// Headers returns for the tenant's activities that have one of the ids, in any order, what
// ScanHeaders returns, and the correlation id and the time of recording.
func (l *Log) Headers(ctx context.Context, tenant uuid.UUID, ids []uuid.UUID) ([]activity.Activity, error) {
	q, from := newIDQuery(tenant, ids)
	statement := `SELECT ` + groupedHeaders.columns + ` FROM ` + from
	found, err := l.collect(ctx, pinIndex, groupedHeaders, len(ids), statement, q.args)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	return found, nil
}

// CountByAction returns the number of the tenant's activities that have one of the ids and were
// recorded at a time or later, by their actions.
func (l *Log) CountByAction(
	ctx context.Context, tenant uuid.UUID, ids []uuid.UUID, since time.Time,
) (map[string]int, error) {
	q, from := newIDQuery(tenant, ids)
	statement := `SELECT a.action, count(*) FROM ` + from + ` WHERE a.recorded_at >= ` + q.arg(since) + ` GROUP BY 1`
	counts := map[string]int{}
	batch := &pgx.Batch{}
	batch.Queue(pinIndex)
	batch.Queue(statement, q.args...).Query(func(rows pgx.Rows) error {
		var action string
		var count int
		_, err := pgx.ForEachRow(rows, []any{&action, &count}, func() error {
			counts[action] += count
			return nil
		})
		return err
	})
	if err := l.db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("count the log: %w", err)
	}
	return counts, nil
}

// Matching returns those of the ids whose activities the tenant's log contains and that pass the
// filter, in any order. The filter must be valid.
func (l *Log) Matching(
	ctx context.Context, tenant uuid.UUID, ids []uuid.UUID, f activity.Filter,
) ([]uuid.UUID, error) {
	q, from := newIDQuery(tenant, ids)
	q.addTests(f)
	statement := `SELECT a.id FROM ` + from + ` WHERE ` + q.tests
	found := make([]uuid.UUID, 0, len(ids))
	batch := &pgx.Batch{}
	batch.Queue(pinIndex)
	batch.Queue(statement, q.args...).Query(func(rows pgx.Rows) error {
		var id [16]byte
		_, err := pgx.ForEachRow(rows, []any{&id}, func() error {
			found = append(found, id)
			return nil
		})
		return err
	})
	if err := l.db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	return found, nil
}

// collect runs a statement with settings of the planner and returns its rows.
func (l *Log) collect(
	ctx context.Context, settings string, of projection, capacity int, statement string, args []any,
) (found []activity.Activity, err error) {
	found = make([]activity.Activity, 0, capacity)
	batch := &pgx.Batch{}
	batch.Queue(settings)
	batch.Queue(statement, args...).Query(func(rows pgx.Rows) error {
		var a activity.Activity
		_, err := pgx.ForEachRow(rows, of.targets(&a), func() error {
			found = append(found, a)
			a = activity.Activity{}
			return nil
		})
		return err
	})
	return found, l.db.SendBatch(ctx, batch).Close()
}

// Count returns the number of the tenant's activities that pass the filter. It stops at limit, or
// after reading activity.CountBudget activities; then exact is false and there are at least n. The
// error is an *invalid.Error if the filter is invalid.
func (l *Log) Count(
	ctx context.Context, tenant uuid.UUID, f activity.Filter, limit int,
) (n int, exact bool, err error) {
	if err := f.Validate(); err != nil {
		return 0, false, err
	}
	statement, args := newQuery(tenant, f, idRange{}).count(limit, l.countBudget)
	batch := &pgx.Batch{}
	batch.Queue(PinOrder)
	batch.Queue(statement, args...).QueryRow(func(row pgx.Row) error { return row.Scan(&n, &exact) })
	if err := l.db.SendBatch(ctx, batch).Close(); err != nil {
		return 0, false, fmt.Errorf("count the log: %w", err)
	}
	return n, exact, nil
}
