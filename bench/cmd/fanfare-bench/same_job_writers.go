package main

import (
	"context"
	"encoding/json"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/outbox"
)

const insertChange = `INSERT INTO changes (id, tenant_id, resource_id, version) VALUES ($1, $2, $3, $4)`

func queueChange(batch *pgx.Batch, r *fixture.Resource, n int) {
	batch.Queue(insertChange, uuid.New(), r.Tenant.ID, r.ID, n)
}

// record changes a resource and records the activity.
func (j *jobSite) record(ctx context.Context, conn *pgx.Conn, r *fixture.Resource, n int) error {
	change := func(ctx context.Context, tx pgx.Tx, _ *activity.Envelope) (struct{}, error) {
		_, err := tx.Exec(ctx, insertChange, uuid.New(), r.Tenant.ID, r.ID, n)
		return struct{}{}, err
	}
	_, _, err := outbox.TxActivity(ctx, conn, r.Envelope(n, int64(n)), change)
	return err
}

// addressed changes a resource and writes the command of its publications for Centrifugo's
// consumer. The change and the selection of the watchers take one round trip.
func (j *jobSite) addressed(ctx context.Context, conn *pgx.Conn, r *fixture.Resource, n int) error {
	return j.address(ctx, conn, r, n, false)
}

// addressedAndAudited also writes a row in an audit table, in the round trip of the command.
func (j *jobSite) addressedAndAudited(ctx context.Context, conn *pgx.Conn, r *fixture.Resource, n int) error {
	return j.address(ctx, conn, r, n, true)
}

func (j *jobSite) address(ctx context.Context, conn *pgx.Conn, r *fixture.Resource, n int, audit bool) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		e := r.Envelope(n, int64(n))
		channels, err := j.changeAndResolve(ctx, tx, r, n, &e)
		if err != nil {
			return err
		}
		id, event, err := j.resolver.event(&e)
		if err != nil {
			return err
		}
		command, err := json.Marshal(message{Channels: channels, Data: event, IdempotencyKey: id.String()})
		if err != nil {
			return err
		}
		batch := &pgx.Batch{}
		batch.Queue("INSERT INTO centrifugo_outbox (method, payload, partition) VALUES ('broadcast', $1, $2)",
			command, int(r.ID[15])%j.options.partitions)
		if audit {
			batch.Queue(insertAudit, e.TenantID, e.ActorPrincipalID, e.ResourceID, e.ResourceType, e.Action, e.Payload)
		}
		return tx.SendBatch(ctx, batch).Close()
	})
}

func (j *jobSite) changeAndResolve(
	ctx context.Context, tx pgx.Tx, r *fixture.Resource, n int, e *activity.Envelope,
) (channels []string, err error) {
	batch := &pgx.Batch{}
	queueChange(batch, r, n)
	j.resolver.queue(batch, e, &channels)
	err = tx.SendBatch(ctx, batch).Close()
	return channels, err
}

// publishInStream publishes on each channel, in the order of the shards that the function locks:
// transactions that lock them in different orders deadlock.
const publishInStream = `
SELECT p.out_channel_offset
FROM (
    SELECT c FROM unnest($1::text[]) AS c ORDER BY abs(hashtext(c)::bigint) % $3, c OFFSET 0
) AS ordered
CROSS JOIN LATERAL cf_stream_publish(
    p_channel => ordered.c, p_data => $2::jsonb, p_history_ttl => interval '10 minutes', p_history_size => 100
) AS p`

// stream changes a resource and publishes in the transaction, with Centrifugo's stream broker.
func (j *jobSite) stream(ctx context.Context, conn *pgx.Conn, r *fixture.Resource, n int) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		e := r.Envelope(n, int64(n))
		channels, err := j.changeAndResolve(ctx, tx, r, n, &e)
		if err != nil {
			return err
		}
		_, event, err := j.resolver.event(&e)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, publishInStream, channels, event, stack.BrokerShards)
		return err
	})
}

// enqueue changes a resource and inserts a River job.
func (j *jobSite) enqueue(c *riverClient) func(context.Context, *pgx.Conn, *fixture.Resource, int) error {
	return func(ctx context.Context, conn *pgx.Conn, r *fixture.Resource, n int) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, insertChange, uuid.New(), r.Tenant.ID, r.ID, n); err != nil {
				return err
			}
			_, err := c.InsertTx(ctx, tx, changeJob{r.Envelope(n, int64(n))}, nil)
			return err
		})
	}
}
