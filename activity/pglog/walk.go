package pglog

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
)

// WalkStep is the number of activities that a step of a walk reads unless it sets another.
const WalkStep = activity.ScanBudget

// Walk reads all of a tenant's activities that pass a filter, in the order of their ids, step by
// step. Each step runs one or two statements of its own, so that no transaction, connection or
// snapshot is held between two steps. A Walk is not safe for concurrent use.
//
// A walk ends at the newest activity of its beginning and visits no later one. Every activity that
// was committed at that moment is visited once, and so is every one that had been recorded by then
// and was committed before the walk passed it.
type Walk struct {
	OldestFirst bool
	// After and Before exclude activities that are not newer or not older than these; uuid.Nil
	// excludes none. They advance with the walk: a walk with the same values resumes it.
	After, Before uuid.UUID

	log    *Log
	tenant uuid.UUID
	filter activity.Filter
	newest uuid.UUID // where it ends, or begins
	begun  bool
	done   bool
}

// Walk returns a walk that has not begun. The error is an *invalid.Error if the filter is invalid.
func (l *Log) Walk(tenant uuid.UUID, f activity.Filter) (*Walk, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	return &Walk{log: l, tenant: tenant, filter: f}, nil
}

// errStepEnded ends the reading of a step's rows.
var errStepEnded = errors.New("step ended")

// Step reads up to budget activities (WalkStep if not positive) and calls visit for those that pass
// the filter, until visit ends the step by returning true. The activity is valid until visit
// returns. more reports whether there may be further activities.
//
// After an error, the walk is positioned behind the last activity that was visited.
func (w *Walk) Step(
	ctx context.Context, budget int, visit func(a *activity.Activity) (end bool),
) (more bool, err error) {
	if _, err := w.Begin(ctx); err != nil {
		return true, err
	}
	if w.done {
		return false, nil
	}
	last, err := w.stepEnd(ctx, cmp.Or(max(budget, 0), WalkStep))
	if err != nil {
		return true, err
	}
	ids := w.ahead()
	if last != uuid.Nil {
		if w.OldestFirst {
			ids.below = successor(last)
		} else {
			ids.from = last
		}
	}
	if err := w.read(ctx, ids, visit); errors.Is(err, errStepEnded) {
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

// Begin fixes the newest activity of the walk and returns its id, whether or not it passes the
// filter; uuid.Nil if there is none. The first Step begins the walk if Begin was not called.
func (w *Walk) Begin(ctx context.Context) (newest uuid.UUID, err error) {
	if w.begun {
		return w.newest, nil
	}
	q := newIndexQuery(w.tenant, w.filter, w.ahead())
	w.newest, err = w.oneID(ctx, fmt.Sprintf(`
		SELECT a.id
		FROM fanfare.activities AS a
		WHERE %s
		ORDER BY %s
		LIMIT 1`, q.indexRange, q.order), q.args)
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

// stepEnd returns the last activity that a step of the budget reads, or uuid.Nil if the budget
// exceeds what is ahead. It reads only an index.
func (w *Walk) stepEnd(ctx context.Context, budget int) (uuid.UUID, error) {
	statement, args := w.stepEndQuery(budget)
	return w.oneID(ctx, statement, args)
}

func (w *Walk) stepEndQuery(budget int) (statement string, args []any) {
	q := newIndexQuery(w.tenant, w.filter, w.ahead())
	return fmt.Sprintf(`
		SELECT a.id
		FROM fanfare.activities AS a
		WHERE %s
		ORDER BY %s
		OFFSET %s - 1
		LIMIT 1`, q.indexRange, w.order(q), q.arg(budget)+"::bigint"), q.args
}

// ahead returns the range of ids that the walk has not passed.
func (w *Walk) ahead() idRange {
	ids := idRange{below: w.Before}
	if w.After != uuid.Nil {
		ids.from = successor(w.After)
	}
	return ids
}

func (w *Walk) order(q *query) string {
	if w.OldestFirst {
		return q.key
	}
	return q.order
}

// read visits the activities of a range that pass the filter.
func (w *Walk) read(ctx context.Context, ids idRange, visit func(a *activity.Activity) (end bool)) error {
	var a activity.Activity
	targets := ScanTargets(&a)
	statement, args := w.readQuery(ids)
	return w.query(ctx, statement, args, func(rows pgx.Rows) error {
		defer rows.Close()
		for rows.Next() {
			a = activity.Activity{}
			if err := rows.Scan(targets...); err != nil {
				return err
			}
			end := visit(&a)
			w.pass(a.ID)
			if end {
				return errStepEnded
			}
		}
		return rows.Err()
	})
}

func (w *Walk) readQuery(ids idRange) (statement string, args []any) {
	q := newQuery(w.tenant, w.filter, ids)
	// OFFSET 0 keeps the tests from influencing the choice of the index.
	return fmt.Sprintf(`
		SELECT %[1]s
		FROM (SELECT * FROM fanfare.activities AS a WHERE %[2]s ORDER BY %[3]s OFFSET 0) AS a
		WHERE %[4]s
		ORDER BY %[3]s`, Columns, q.indexRange, w.order(q), q.tests), q.args
}

// pass advances the walk behind an activity.
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

func (w *Walk) query(ctx context.Context, statement string, args []any, read func(rows pgx.Rows) error) error {
	batch := &pgx.Batch{}
	batch.Queue(PinOrder)
	batch.Queue(statement, args...).Query(read)
	if err := w.log.db.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("read the log: %w", err)
	}
	return nil
}

// successor returns the next higher id; uuid.Max has none and is returned itself.
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
