package outbox_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/outbox"
)

// A service makes a change and records it, both or neither. The change sets the id of the resource
// that it creates.
func ExampleTxActivity() {
	var pool *pgxpool.Pool // the service's own
	type signal struct {
		ID    uuid.UUID
		Title string
	}

	createSignal := func(ctx context.Context, tenant, actor uuid.UUID, title string) (signal, error) {
		s, recorded, err := outbox.TxActivity(ctx, pool, activity.Envelope{
			TenantID:         tenant,
			ActorPrincipalID: actor,
			ResourceType:     "signal",
			Action:           "signal.created",
			Payload:          map[string]any{"title": title},
		}, func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (signal, error) {
			s := signal{ID: uuid.New(), Title: title}
			e.ResourceID = s.ID
			_, err := tx.Exec(ctx, `INSERT INTO signals (id, title) VALUES ($1, $2)`, s.ID, s.Title)
			return s, err
		})
		if err == nil && !recorded.Created {
			return signal{
				ID:    recorded.ResourceID,
				Title: title,
			}, nil // a duplicate: an earlier request has made the change
		}
		return s, err
	}
	_ = createSignal
}

// A service with a transaction of its own records in it.
func ExampleRecord() {
	rename := func(ctx context.Context, tx pgx.Tx, tenant, actor, id uuid.UUID, title string) error {
		if _, err := tx.Exec(ctx, `UPDATE signals SET title = $2 WHERE id = $1`, id, title); err != nil {
			return err
		}
		_, err := outbox.Record(ctx, tx, activity.Envelope{
			TenantID: tenant, ActorPrincipalID: actor, ResourceID: id, ResourceType: "signal", Action: "signal.renamed",
			Payload: map[string]any{"title": title},
		})
		return err
	}
	_ = rename
}

// A rejected envelope returns an error that lists every invalid field, and the transaction is
// intact.
func ExampleRecord_refused() {
	var tx pgx.Tx // the service's own
	_, err := outbox.Record(context.Background(), tx, activity.Envelope{
		TenantID: uuid.New(), ActorPrincipalID: uuid.New(), ResourceID: uuid.New(), ResourceType: "signal",
		Action: "Created", Visibility: "everyone",
	})
	if invalidErr, ok := errors.AsType[*invalid.Error](err); ok {
		for _, f := range invalidErr.Fields {
			fmt.Println(f.Name)
		}
	}
	// Output:
	// action
	// visibility
}

// The recording and the change can take one round trip.
func ExampleQueue() {
	rename := func(ctx context.Context, pool *pgxpool.Pool, tenant, actor, id uuid.UUID, title string) (outbox.Recorded,
		error,
	) {
		var batch pgx.Batch // one transaction, since it is not part of another
		batch.Queue(`UPDATE signals SET title = $2 WHERE id = $1`, id, title)
		var recorded outbox.Recorded
		err := outbox.Queue(&batch, activity.Envelope{
			TenantID: tenant, ActorPrincipalID: actor, ResourceID: id, ResourceType: "signal", Action: "signal.renamed",
		}, &recorded)
		if err != nil {
			return outbox.Recorded{}, err
		}
		return recorded, pool.SendBatch(ctx, &batch).Close()
	}
	_ = rename
}
