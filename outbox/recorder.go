package outbox

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
)

// Recorder records activities in the caller's transactions, with the hooks of the host application.
// The zero value has no hooks. It is safe for concurrent use.
//
// Each envelope is prepared first: the actor and the request id of the context fill the fields that
// the envelope leaves empty, as the clock's time does, and then the hooks before run (see
// activity.Hooks.Prepare). The hooks after run once an activity is committed: TxActivityWith and
// Log call them where they own the transaction. A caller that commits its own transaction calls
// Announce afterwards, with the result of Record, RecordMany, Queue or a nested TxActivityWith.
type Recorder struct {
	activity.Hooks
}

// Record records an activity in the caller's transaction, in one round trip. It rejects an envelope
// that violates a rule with an *invalid.Error, and one that a hook vetoes with an
// *activity.VetoError; then it has written nothing, and the transaction is intact. A duplicate (the
// same tenant, correlation id, action and resource) returns the existing activity; to a role that
// may not read the log, its id only, besides the fields of the envelope. While the tenant is being
// moved to another database, a *TenantMovingError is returned and the transaction is aborted.
//
// What the directory adds to an activity, and the hash of its address, are not returned: they are
// read from the log.
func (r Recorder) Record(ctx context.Context, tx pgx.Tx, e activity.Envelope) (Recorded, error) {
	rec, err := r.encode(ctx, e)
	if err != nil {
		return Recorded{}, err
	}
	rows, err := tx.Query(ctx, recordOne, rec.args...)
	if err != nil {
		return Recorded{}, fmt.Errorf("record activity: %w", err)
	}
	recorded, err := rec.readOne(rows)
	if err != nil {
		return Recorded{}, recordError(err)
	}
	if !recorded.Created {
		duplicate := []Recorded{recorded}
		err = readDuplicates(ctx, tx, duplicate)
		recorded = duplicate[0]
	}
	return recorded, err
}

// Queue adds the recording to a batch, after the statements of the change, so that both take one
// round trip. *into holds the result once the batch's results are closed without an error.
//
// A violation that the database finds is an error of the batch and aborts the transaction, since
// the change must not be made without the activity. For a duplicate (into.Created is false) the
// change has been made once more: where that matters, roll back, or use TxActivity. *into then
// holds the id of the existing activity, and otherwise the fields of the envelope, which may differ
// from it.
func (r Recorder) Queue(ctx context.Context, batch *pgx.Batch, e activity.Envelope, into *Recorded) error {
	rec, err := r.encode(ctx, e)
	if err != nil {
		return err
	}
	batch.Queue(recordOrAbort, rec.args...).Query(func(rows pgx.Rows) error {
		recorded, err := rec.readOne(rows)
		if err != nil {
			return recordError(err)
		}
		*into = recorded
		return nil
	})
	return nil
}

// RecordMany records envelopes in order, all of them or none, in one round trip. An *invalid.Error
// names the fields of each rejected envelope as "envelopes[3].action".
func (r Recorder) RecordMany(ctx context.Context, tx pgx.Tx, envelopes []activity.Envelope) ([]Recorded, error) {
	bodies := make([]string, 0, len(envelopes))
	prepared, err := invalid.Each("envelopes", envelopes, func(e activity.Envelope) (activity.Envelope, error) {
		e, err := r.Prepare(ctx, e)
		if err != nil {
			return e, err
		}
		body, err := e.Encode()
		bodies = append(bodies, string(body))
		return e, err
	})
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, recordMany, bodies)
	if err != nil {
		return nil, fmt.Errorf("record activities: %w", err)
	}
	recorded, err := readMany(rows, prepared)
	if err != nil {
		return nil, recordError(err)
	}
	return recorded, readDuplicates(ctx, tx, recorded)
}

// encode prepares an envelope, and encodes it for fanfare.record_fields.
func (r Recorder) encode(ctx context.Context, e activity.Envelope) (recording, error) {
	e, err := r.Prepare(ctx, e)
	if err != nil {
		return recording{}, err
	}
	return newRecording(e)
}
