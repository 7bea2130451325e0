package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/wait"
	"github.com/fanfarehq/fanfare/outbox"
)

// surge is a transaction of one tenant that records many activities.
type surge struct {
	servers   *servers
	resources []*fixture.Resource
	size      int
	number    int
	limit     time.Duration

	tx pgx.Tx // until it is committed
}

// record records the activities, and keeps the last row of each lane.
func (b *surge) record(ctx context.Context) (err error) {
	if b.tx, err = b.servers.db.Pool.Begin(ctx); err != nil {
		return err
	}
	const size = 500
	var recorded atomic.Int64
	defer progressOf("recording a surge", b.size, func() int { return int(recorded.Load()) })()
	for start := 0; start < b.size; start += size {
		envelopes := make([]activity.Envelope, min(size, b.size-start))
		for i := range envelopes {
			n := start + i
			envelopes[i] = b.resources[n%len(b.resources)].Envelope(n, int64(n))
		}
		if _, err := outbox.RecordMany(ctx, b.tx, envelopes); err != nil {
			return err
		}
		recorded.Add(int64(len(envelopes)))
	}
	if _, err := b.tx.Exec(ctx, "DROP TABLE IF EXISTS surge_last"); err != nil {
		return err
	}
	_, err = b.tx.Exec(ctx, `
		CREATE TABLE surge_last AS
		SELECT lane, max(seq) AS seq FROM fanfare.outbox WHERE tenant_id = $1 GROUP BY lane`, b.tenant())
	return err
}

func (b *surge) tenant() uuid.UUID { return b.resources[0].Tenant.ID }

// undo rolls the transaction back if it has not been committed.
func (b *surge) undo() error { return undo(b.tx) }

// undo rolls a transaction back, also when the context of its work has ended. It may be nil.
func undo(tx pgx.Tx) error {
	if tx == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return tx.Rollback(ctx)
}

// commitAndAwait commits the surge and returns when it has been delivered. It looks for the last
// row of each lane first, which is cheap while many are pending.
func (b *surge) commitAndAwait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.limit)
	defer cancel()
	err := b.tx.Commit(ctx)
	b.tx = nil
	if err != nil {
		return err
	}
	for {
		var pending bool
		err := b.servers.db.Pool.QueryRow(ctx, `
			SELECT CASE
			    WHEN EXISTS (SELECT FROM surge_last AS l JOIN fanfare.outbox AS o ON o.lane = l.lane AND o.seq = l.seq)
			    THEN true
			    ELSE EXISTS (SELECT FROM fanfare.outbox WHERE tenant_id = $1)
			END`, b.tenant()).Scan(&pending)
		if err != nil || !pending {
			return err
		}
		if err := wait.Sleep(ctx, 50*time.Millisecond); err != nil {
			return fmt.Errorf("the surge is pending: %w", err)
		}
	}
}

// verify counts the notifications of the surges so far.
func (b *surge) verify(ctx context.Context) error {
	var got int64
	const query = "SELECT count(*) FROM fanfare.notifications WHERE tenant_id = $1"
	err := b.servers.db.Pool.QueryRow(ctx, query, b.tenant()).Scan(&got)
	if want := int64(b.size * b.number * len(b.resources[0].Watchers)); err == nil && got != want {
		err = fmt.Errorf("%d notifications of the surges, want %d", got, want)
	}
	return err
}
