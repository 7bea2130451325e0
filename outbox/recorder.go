package outbox

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
)

// Recorder records in the caller's transactions, with an application's hooks around it. The zero
// value has none. Many goroutines may use it at once.
//
// Each envelope is prepared first: the context's actor and request id are filled in where it gives
// none, then the clock's time, then come the hooks before (see activity.Hooks.Prepare). The hooks
// after hear of an activity once it is committed: TxActivityWith and Log see to it where the
// transaction is their own. Who commits a transaction of their own calls Announce afterwards, with
// what Record, RecordMany, Queue or a nested TxActivityWith returned.
type Recorder struct {
	activity.Hooks
}

// Record records an activity in the caller's transaction, in one round trip. An envelope that
// breaks a rule is refused with an *invalid.Error, one that a hook vetoes with an
// *activity.VetoError; then nothing is written and the transaction is as it was. Recording the same
// (tenant, correlation, action, resource) again returns the activity that stands.
func (r Recorder) Record(ctx context.Context, tx pgx.Tx, e activity.Envelope) (Recorded, error) {
	given, err := r.encode(ctx, e)
	if err != nil {
		return Recorded{}, err
	}
	rows, err := tx.Query(ctx, recordOne, given.body)
	if err != nil {
		return Recorded{}, fmt.Errorf("record activity: %w", err)
	}
	recorded, err := given.readOne(rows)
	if err != nil {
		return Recorded{}, recordError(err)
	}
	if !recorded.Created {
		all := []Recorded{recorded}
		err = complete(ctx, tx, all)
		recorded = all[0]
	}
	return recorded, err
}

// Queue puts the recording on a batch, behind the statements that make the change, so that both
// travel in one round trip. The result is at *into once the batch's results are closed without an
// error. A refusal by the database comes from there too; it aborts the transaction, since the
// change must not stand without the activity. If the activity stood already (into.Created is
// false), the change has been made once more: where that matters, roll back or use TxActivityWith.
// Of such a one *into holds the id and what the envelope says, which may be other than what stands.
func (r Recorder) Queue(ctx context.Context, batch *pgx.Batch, e activity.Envelope, into *Recorded) error {
	given, err := r.encode(ctx, e)
	if err != nil {
		return err
	}
	batch.Queue(recordOrAbort, given.body).Query(func(rows pgx.Rows) error {
		recorded, err := given.readOne(rows)
		if err != nil {
			return recordError(err)
		}
		*into = recorded
		return nil
	})
	return nil
}

// RecordMany records envelopes in their order, all of them or none, in one round trip. An
// *invalid.Error names the fields of each one refused as "envelopes[3].action".
func (r Recorder) RecordMany(ctx context.Context, tx pgx.Tx, envelopes []activity.Envelope) ([]Recorded, error) {
	all, bodies := make([]recording, len(envelopes)), make([]string, len(envelopes))
	var refused invalid.Error
	for i, e := range envelopes {
		given, err := r.encode(ctx, e)
		if invalidErr, ok := errors.AsType[*invalid.Error](err); ok {
			refused.Fields = append(refused.Fields, invalidErr.At(fmt.Sprintf("envelopes[%d].", i)).Fields...)
		} else if err != nil {
			return nil, fmt.Errorf("envelopes[%d]: %w", i, err)
		}
		all[i], bodies[i] = given, given.body
	}
	if len(refused.Fields) > 0 {
		return nil, &refused
	}
	rows, err := tx.Query(ctx, recordMany, bodies)
	if err != nil {
		return nil, fmt.Errorf("record activities: %w", err)
	}
	recorded, err := readMany(rows, all)
	if err != nil {
		return nil, recordError(err)
	}
	return recorded, complete(ctx, tx, recorded)
}

// encode prepares an envelope for fanfare.record_envelope.
func (r Recorder) encode(ctx context.Context, e activity.Envelope) (recording, error) {
	e, err := r.Prepare(ctx, e)
	if err != nil {
		return recording{}, err
	}
	body, err := e.Encode()
	return recording{envelope: e, body: string(body)}, err
}
