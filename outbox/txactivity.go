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

// rollbackTimeout bounds the way out when the caller's context has ended.
const rollbackTimeout = 5 * time.Second

// errStands ends the transaction of a change that was made before.
var errStands = errors.New("the activity stands already")

// errGone says that somebody removed the activity between two looks at it. Trying again helps.
var errGone = errors.New("removed meanwhile")

// TxActivity is TxActivityWith without hooks.
func TxActivity[T any](
	ctx context.Context,
	db pg.Beginner,
	e activity.Envelope,
	fn func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (T, error),
) (T, Recorded, error) {
	return TxActivityWith(ctx, Recorder{}, db, e, fn)
}

// TxActivityWith makes a change and records it, both or neither: it begins a transaction (inside
// the caller's, a savepoint), runs fn, records the envelope, and commits. fn may fill fields that
// only it knows, such as the id of a resource it creates. The recorder's hooks before see the
// envelope as fn leaves it.
//
// If the activity already stands, fn's work is not done again: the zero T comes back with the
// standing activity, Created false. That is seen before fn runs when the envelope's key (tenant,
// correlation, action, resource) is complete by then; otherwise, or when another transaction
// records the same key at the same time, fn's work is rolled back.
//
// BEGIN travels with fn's first statement and COMMIT with the recording, each in one batch: a pgx
// tracer sees them as batches.
//
// If fn or a hook fails or panics, or the envelope is refused (*invalid.Error), nothing is
// left behind.
//
// The recorder's hooks after are called when it has committed. Inside the caller's transaction they
// are not: the caller calls recorder.Announce once that has committed.
func TxActivityWith[T any](
	ctx context.Context,
	recorder Recorder,
	db pg.Beginner,
	e activity.Envelope,
	fn func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (T, error),
) (T, Recorded, error) {
	var result, zero T
	var recorded Recorded
	made := func(ctx context.Context, tx pgx.Tx) (err error) {
		stood, found, err := standing(ctx, tx, e)
		if err != nil {
			return err
		}
		if found {
			recorded = stood
			return errStands
		}
		result, err = fn(ctx, tx, &e)
		return err
	}
	err := change(ctx, recorder, db, &e, &recorded, made)
	switch {
	case errors.Is(err, errStands):
		return zero, recorded, nil
	case err != nil:
		return zero, Recorded{}, err
	}
	if !nested(db) {
		recorder.Announce(ctx, recorded)
	}
	return result, recorded, nil
}

// change makes a change and records it. errStands means that the activity stands already, and is at
// *recorded.
func change(
	ctx context.Context,
	recorder Recorder,
	db pg.Beginner,
	e *activity.Envelope,
	recorded *Recorded,
	make func(ctx context.Context, tx pgx.Tx) error,
) error {
	direct, err := beginDirect(ctx, db)
	switch {
	case err != nil:
		return fmt.Errorf("begin: %w", err)
	case direct != nil:
		return changeDirectly(ctx, recorder, direct, e, recorded, make)
	}
	return inTx(ctx, db, func(tx pgx.Tx) (err error) {
		if err := make(ctx, tx); err != nil {
			return err
		}
		if *recorded, err = recorder.Record(ctx, tx, *e); err == nil && !recorded.Created {
			err = errStands
		}
		return err
	})
}

// changeDirectly records and commits in one round trip.
func changeDirectly(
	ctx context.Context,
	recorder Recorder,
	tx *directTx,
	e *activity.Envelope,
	recorded *Recorded,
	make func(ctx context.Context, tx pgx.Tx) error,
) error {
	defer tx.end(ctx)
	if err := make(ctx, tx); err != nil {
		return err
	}
	given, err := recorder.encode(ctx, *e)
	if err != nil {
		return err
	}
	err = tx.last(ctx, func(rows pgx.Rows) (err error) {
		*recorded, err = given.readOne(rows)
		return err
	}, recordNew, given.body)
	if pgErr := (*pgconn.PgError)(nil); errors.As(err, &pgErr) && pgErr.Code == standsState {
		return tx.standing(ctx, given.envelope, recorded)
	}
	if err != nil {
		return recordError(err)
	}
	return nil
}

// standing rolls back, and reads the activity that stood already.
func (t *directTx) standing(ctx context.Context, e activity.Envelope, into *Recorded) error {
	if _, err := t.conn.Exec(ctx, "rollback"); err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	fresh := &directTx{conn: t.conn, release: func() {}}
	defer fresh.end(ctx)
	found, stands, err := standing(ctx, fresh, e)
	if err != nil {
		return err
	}
	if !stands {
		return fmt.Errorf("record activity: the one that stood is gone: %w", errGone)
	}
	*into = found
	return errStands
}

// nested tells whether what is begun is a part of the caller's transaction.
func nested(db pg.Beginner) bool {
	_, is := db.(pgx.Tx)
	return is
}

// inTx commits what do has done, or rolls it back when do fails or panics.
func inTx(ctx context.Context, db pg.Beginner, do func(tx pgx.Tx) error) error {
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
	if err := do(tx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	done = true
	if nested(db) {
		// A savepoint that is not released because ctx ended would leave what was done in the
		// caller's transaction.
		detached, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
		defer cancel()
		ctx = detached
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// rollback ends tx even when ctx has ended. pgx closes a connection on which this fails, and the
// server then rolls back.
func rollback(ctx context.Context, tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_ = tx.Rollback(ctx)
}
