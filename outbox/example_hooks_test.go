package outbox_test

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/outbox"
)

// A service creates one recorder with hooks and uses it everywhere. The context of the request
// contains the actor.
func ExampleRecorder() {
	var pool *pgxpool.Pool // the service's own
	recorder := outbox.Recorder{Hooks: activity.Hooks{
		Before: []activity.BeforeAppend{func(_ context.Context, e *activity.Envelope) error {
			if e.Action == "signal.deleted" && e.Message == "" {
				return &activity.VetoError{Reason: "a deletion must say why"}
			}
			return nil
		}},
		After: []activity.AfterAppend{func(_ context.Context, r activity.ActivityRecorded) {
			fmt.Println(r.Action, "by", r.ActorID)
		}},
	}}

	deleteSignal := func(ctx context.Context, tenant, user, id uuid.UUID, why string) error {
		ctx = activity.WithActor(ctx, user) // usually in a middleware
		_, _, err := outbox.TxActivityWith(ctx, recorder, pool, activity.Envelope{
			TenantID: tenant, ResourceID: id, ResourceType: "signal", Action: "signal.deleted", Message: why,
		}, func(ctx context.Context, tx pgx.Tx, _ *activity.Envelope) (struct{}, error) {
			_, err := tx.Exec(ctx, `DELETE FROM signals WHERE id = $1`, id)
			return struct{}{}, err
		})
		return err
	}
	_ = deleteSignal
}

// A service that commits its own transaction calls the hooks after the commit.
func ExampleRecorder_announce() {
	var recorder outbox.Recorder // the service's own, with its hooks
	rename := func(ctx context.Context, pool *pgxpool.Pool, e activity.Envelope, title string) error {
		var recorded outbox.Recorded
		err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) (err error) {
			if _, err = tx.Exec(ctx, `UPDATE signals SET title = $2 WHERE id = $1`, e.ResourceID, title); err != nil {
				return err
			}
			recorded, err = recorder.Record(ctx, tx, e)
			return err
		})
		if err == nil {
			recorder.Announce(ctx, recorded)
		}
		return err
	}
	_ = rename
}
