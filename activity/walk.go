package activity

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// WalkStep is how many activities a step of a walk looks at, unless it is told otherwise.
const WalkStep = ScanBudget

// Walk goes through all of a tenant's activities that pass a filter, in the order of their ids,
// step by step. Each step is a statement or two of its own, so that nothing is held open between
// them: no transaction, no connection, no snapshot that keeps the database from cleaning up. One
// goroutine uses it at a time.
//
// It ends at the newest activity of its first step. What is recorded later is not there; what stood
// at that moment comes once, and so does what was recorded by then and committed before the walk
// came by.
type Walk struct {
	OldestFirst bool
	// After and Before leave out what is not newer or not older than these; uuid.Nil leaves nothing
	// out. They move as the walk goes on, and where they stand, another walk may go on.
	After, Before uuid.UUID

	log    *PostgresLog
	tenant uuid.UUID
	filter Filter
	newest uuid.UUID // where it ends, or starts
	begun  bool
	done   bool
}

// Walk begins a walk. The error is an *invalid.Error if the filter is.
func (l *PostgresLog) Walk(tenant uuid.UUID, f Filter) (*Walk, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	return &Walk{log: l, tenant: tenant, filter: f}, nil
}

// errEnough ends the reading of a step's rows.
var errEnough = errors.New("enough for one step")

// Step looks at up to so many activities (WalkStep if it is not positive) and calls each with those
// that pass, until each says that it is enough for this step. The activity is each's until it
// returns. more tells whether there may be any left.
//
// After an error, the walk stands behind the last activity that each was given.
func (w *Walk) Step(ctx context.Context, budget int, each func(a *Activity) (enough bool)) (more bool, err error) {
	if _, err := w.Begin(ctx); err != nil {
		return true, err
	}
	if w.done {
		return false, nil
	}
	budget = cmp.Or(max(budget, 0), WalkStep)
	last, err := w.reach(ctx, budget)
	if err != nil {
		return true, err
	}
	low, high := w.lowest(), w.Before
	if last != uuid.Nil {
		if w.OldestFirst {
			high = successor(last)
		} else {
			low = last
		}
	}
	if err := w.read(ctx, low, high, each); errors.Is(err, errEnough) {
		return true, nil
	} else if err != nil {
		return true, err
	}
	if last == uuid.Nil {
		w.done = true
		return false, nil
	}
	w.pass(last)
	return true, nil
}

// Begin fixes where the walk ends and returns that activity, the newest of those ahead, whether it
// passes the filter or not; uuid.Nil when there is none. The first Step does so if nobody did
// before.
func (w *Walk) Begin(ctx context.Context) (newest uuid.UUID, err error) {
	if w.begun {
		return w.newest, nil
	}
	q := w.part()
	w.newest, err = w.oneID(ctx, fmt.Sprintf(`
		SELECT a.id
		FROM fanfare.activities AS a
		WHERE %s
		ORDER BY %s
		LIMIT 1`, q.part, q.order), q.args)
	if err != nil {
		return uuid.Nil, err
	}
	w.begun = true
	if w.newest == uuid.Nil {
		w.done = true
		return uuid.Nil, nil
	}
	w.Before = successor(w.newest)
	return w.newest, nil
}

// reach returns the last activity of a step that looks at so many, or uuid.Nil when there are
// fewer. It reads only an index.
func (w *Walk) reach(ctx context.Context, budget int) (uuid.UUID, error) {
	statement, args := w.reachQuery(budget)
	return w.oneID(ctx, statement, args)
}

func (w *Walk) reachQuery(budget int) (statement string, args []any) {
	q := w.part()
	return fmt.Sprintf(`
		SELECT a.id
		FROM fanfare.activities AS a
		WHERE %s
		ORDER BY %s
		OFFSET %s - 1
		LIMIT 1`, q.part, w.order(q), q.arg(budget)+"::bigint"), q.args
}

// part is what is still ahead, whether it passes the filter or not.
func (w *Walk) part() *logQuery {
	q := &logQuery{}
	q.bound(w.tenant, w.filter, w.lowest(), w.Before)
	return q
}

func (w *Walk) order(q *logQuery) string {
	if w.OldestFirst {
		return q.key
	}
	return q.order
}

// read calls each with the activities from low on and below high.
func (w *Walk) read(ctx context.Context, low, high uuid.UUID, each func(a *Activity) (enough bool)) error {
	var a Activity
	fields := a.Fields()
	statement, args := w.readQuery(low, high)
	return w.query(ctx, statement, args, func(rows pgx.Rows) error {
		defer rows.Close()
		for rows.Next() {
			a = Activity{}
			if err := rows.Scan(fields...); err != nil {
				return err
			}
			enough := each(&a)
			w.pass(a.ID)
			if enough {
				return errEnough
			}
		}
		return rows.Err()
	})
}

func (w *Walk) readQuery(low, high uuid.UUID) (statement string, args []any) {
	q := newRangeQuery(w.tenant, w.filter, low, high)
	// OFFSET 0 keeps the tests out of the choice of the index.
	return fmt.Sprintf(`
		SELECT %[1]s
		FROM (SELECT * FROM fanfare.activities AS a WHERE %[2]s ORDER BY %[3]s OFFSET 0) AS a
		WHERE %[4]s
		ORDER BY %[3]s`, Columns, q.part, w.order(q), q.tests), q.args
}

// lowest is the first id behind After.
func (w *Walk) lowest() uuid.UUID {
	if w.After == uuid.Nil {
		return uuid.Nil
	}
	return successor(w.After)
}

// pass leaves an activity behind.
func (w *Walk) pass(id uuid.UUID) {
	if w.OldestFirst {
		w.After = id
	} else {
		w.Before = id
	}
}

func (w *Walk) oneID(ctx context.Context, statement string, args []any) (id uuid.UUID, err error) {
	err = w.query(ctx, statement, args, func(rows pgx.Rows) error {
		found, err := pgx.CollectRows(rows, pgx.RowTo[[16]byte])
		if len(found) > 0 {
			id = found[0]
		}
		return err
	})
	return id, err
}

func (w *Walk) query(ctx context.Context, statement string, args []any, do func(rows pgx.Rows) error) error {
	batch := &pgx.Batch{}
	batch.Queue(pinOrder)
	batch.Queue(statement, args...).Query(do)
	if err := w.log.db.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("read the log: %w", err)
	}
	return nil
}

// successor returns the id behind another; the last of all has none and stays.
func successor(id uuid.UUID) uuid.UUID {
	if id == uuid.Max {
		return id
	}
	for i := len(id) - 1; i >= 0; i-- {
		if id[i]++; id[i] != 0 {
			break
		}
	}
	return id
}
