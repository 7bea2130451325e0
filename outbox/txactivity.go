package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// rollbackTimeout bounds a rollback after the caller's context has ended.
const rollbackTimeout = 5 * time.Second

// errDuplicate ends the transaction of a change that was made before.
var errDuplicate = errors.New("the activity exists already")

// errRemoved is the error for an existing activity that was removed before it could be read. The
// caller may try again.
var errRemoved = errors.New("removed meanwhile")

// TxActivity is TxActivityWith without hooks.
func TxActivity[T any](
	ctx context.Context,
	db pg.Beginner,
	e activity.Envelope,
	fn func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (T, error),
) (T, Recorded, error) {
	return TxActivityWith(ctx, Recorder{}, db, e, fn)
}

// TxActivityWith makes a change and records it, both or neither: it begins a transaction (a
// savepoint if db is the caller's transaction), calls fn, records the envelope and commits. fn may
// set fields of the envelope, such as the id of a resource that it creates. The recorder's hooks
// before receive the envelope as fn leaves it.
//
// A duplicate makes no change again: TxActivityWith returns the zero T and the existing activity,
// with Created false. It does not call fn if the envelope's idempotency key (tenant, correlation
// id, action, resource) is complete before; otherwise, or if another transaction records the same
// key concurrently, it rolls back what fn has done.
//
// BEGIN travels with fn's first statement and COMMIT with the recording, each in one batch: a pgx
// tracer observes them as batches.
//
// If fn or a hook fails or panics, or the envelope is rejected (*invalid.Error), nothing remains of
// the change.
//
// The recorder's hooks after run once the transaction has committed. Inside the caller's
// transaction they do not: the caller calls recorder.Announce after the commit.
func TxActivityWith[T any](
	ctx context.Context,
	recorder Recorder,
	db pg.Beginner,
	e activity.Envelope,
	fn func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (T, error),
) (T, Recorded, error) {
	var result, zero T
	c := change{recorder: recorder, envelope: &e}
	c.apply = func(ctx context.Context, tx pgx.Tx) error {
		duplicate, found, err := existing(ctx, tx, e)
		if err != nil {
			return err
		}
		if found {
			c.recorded = duplicate
			return errDuplicate
		}
		result, err = fn(ctx, tx, &e)
		return err
	}
	err := c.run(ctx, db)
	switch {
	case errors.Is(err, errDuplicate):
		return zero, c.recorded, nil
	case err != nil:
		return zero, Recorded{}, err
	}
	if !nested(db) {
		recorder.Announce(ctx, c.recorded)
	}
	return result, c.recorded, nil
}

// change is a change that is made and recorded in one transaction.
type change struct {
	recorder Recorder
	envelope *activity.Envelope
	apply    func(ctx context.Context, tx pgx.Tx) error
	recorded Recorded // the result
}

// run makes the change and records it. It returns errDuplicate if the activity exists already.
func (c *change) run(ctx context.Context, db pg.Beginner) error {
	direct, err := beginDirect(ctx, db)
	switch {
	case err != nil:
		return fmt.Errorf("begin: %w", err)
	case direct != nil:
		return c.runDirect(ctx, direct)
	}
	return inTx(ctx, db, func(tx pgx.Tx) (err error) {
		if err := c.apply(ctx, tx); err != nil {
			return err
		}
		if c.recorded, err = c.recorder.Record(ctx, tx, *c.envelope); err == nil && !c.recorded.Created {
			err = errDuplicate
		}
		return err
	})
}

// runDirect is run on a connection that no other code uses meanwhile: the recording and the commit
// take one round trip.
func (c *change) runDirect(ctx context.Context, tx *directTx) error {
	defer tx.end(ctx)
	if err := c.apply(ctx, tx); err != nil {
		return err
	}
	rec, err := c.recorder.encode(ctx, *c.envelope)
	if err != nil {
		return err
	}
	err = tx.last(ctx, func(rows pgx.Rows) (err error) {
		c.recorded, err = rec.readOne(rows)
		return err
	}, recordNew, rec.args...)
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && pgErr.Code == duplicateState {
		if c.recorded, err = tx.readDuplicate(ctx, rec.envelope); err != nil {
			return err
		}
		return errDuplicate
	}
	if err != nil {
		return recordError(err)
	}
	return nil
}

// readDuplicate rolls back, and reads the existing activity.
func (t *directTx) readDuplicate(ctx context.Context, e activity.Envelope) (Recorded, error) {
	if _, err := t.conn.Exec(ctx, "rollback"); err != nil {
		return Recorded{}, fmt.Errorf("roll back: %w", err)
	}
	fresh := &directTx{conn: t.conn, release: func() {}}
	defer fresh.end(ctx)
	found, ok, err := existing(ctx, fresh, e)
	if err != nil {
		return Recorded{}, err
	}
	if !ok {
		return Recorded{}, fmt.Errorf("record activity: read the existing activity: %w", errRemoved)
	}
	return found, nil
}

// nested reports whether db is a transaction of the caller.
func nested(db pg.Beginner) bool {
	_, ok := db.(pgx.Tx)
	return ok
}

// inTx calls fn in a transaction. It commits, or rolls back if fn fails or panics.
func inTx(ctx context.Context, db pg.Beginner, fn func(tx pgx.Tx) error) error {
	tx, err := db.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	done := false
	defer func() {
		if !done {
			rollback(ctx, tx)
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	done = true
	if nested(db) {
		// A savepoint that is not released because ctx ended would leave its writes in the caller's
		// transaction.
		detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		ctx = detached
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// rollback rolls tx back even if ctx has ended. If it fails, pgx closes the connection, and the
// server rolls back.
func rollback(ctx context.Context, tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_ = tx.Rollback(ctx)
}
