package main

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/capacity"
	"github.com/fanfarehq/fanfare/outbox"
)

// recorded is what recording takes.
type recorded struct {
	plain, keyed          used    // without and with a correlation id
	activity, key, outbox float64 // bytes of a row
}

// recording measures recording, without and with correlation ids, and the sizes of the rows. A
// larger payload shows what each of its bytes takes.
func (r *costsResult) recording(ctx context.Context, o *costsOptions) error {
	const more = 1000
	small, err := recordedWith(ctx, o, "")
	if err != nil {
		return err
	}
	large, err := recordedWith(ctx, o, strings.Repeat("0123456789", more/10))
	if err != nil {
		return err
	}
	r.set(capacity.RecordService, small.plain.self)
	r.set(capacity.RecordPostgres, small.plain.postgres)
	r.set(capacity.RecordWAL, small.plain.wal)
	r.set(capacity.CorrelatePostgres, small.keyed.postgres-small.plain.postgres)
	r.set(capacity.CorrelateWAL, small.keyed.wal-small.plain.wal)
	r.set(capacity.KeyBytes, small.key)
	r.set(capacity.OutboxBytes, small.outbox)
	each := (large.activity - small.activity) / more
	r.set(capacity.PayloadBytes, each)
	r.set(capacity.ActivityBytes, small.activity-each*fixturePayload)
	return nil
}

// fixturePayload is the size of the payload of the world's activities, about.
const fixturePayload = 149

// recordedWith records activities one by one in a database of its own. note is added to the
// payloads.
func recordedWith(ctx context.Context, o *costsOptions, note string) (d *recorded, err error) {
	db, err := o.start(ctx, writeSettings(false))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Stop()) }()
	world := fixture.New(fixture.Options{})
	if err := world.Load(ctx, db.Pool); err != nil {
		return nil, err
	}
	d = &recorded{}
	progress("recording %d activities", o.activities)
	// The first half fills the caches.
	if err := recordEach(ctx, db, world, o.activities/2, kind{note: note}); err != nil {
		return nil, err
	}
	// Statements that were planned while the tables were empty may use any index.
	if err := db.Settle(ctx, "fanfare.activities", "fanfare.idempotency_keys", "fanfare.outbox"); err != nil {
		return nil, err
	}
	db.Pool.Reset()
	var plain, keyed []used
	for range o.rounds {
		for as, runs := range map[kind]*[]used{{note: note}: &plain, {keyed: true, note: note}: &keyed} {
			run, err := recordOnce(ctx, db, world, max(1, o.activities/4/o.rounds), as)
			if err != nil {
				return nil, err
			}
			*runs = append(*runs, run)
		}
	}
	d.plain, d.keyed = lowestOf(plain), lowestOf(keyed)
	return d, d.sizes(ctx, db)
}

// kind is how activities are recorded.
type kind struct {
	keyed bool   // with a correlation id
	note  string // that is added to the payload
}

// recordOnce records n activities and returns what each took.
func recordOnce(
	ctx context.Context, db *stack.Database, world *fixture.World, n int, as kind,
) (u used, err error) {
	before, err := position(ctx, db)
	if err != nil {
		return u, err
	}
	cpu := stack.ReadCPU()
	if err := recordEach(ctx, db, world, n, as); err != nil {
		return u, err
	}
	u = each(stack.ReadCPU().Since(cpu), n)
	u.wal, err = walSince(ctx, db, before, n)
	return u, err
}

// recordEach records n activities by four writers.
func recordEach(ctx context.Context, db *stack.Database, world *fixture.World, n int, as kind) error {
	const writers = 4
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range writers {
		g.Go(func() error {
			for {
				i := int(next.Add(1))
				if i > n {
					return nil
				}
				e := world.Resources[i*7919%len(world.Resources)].Envelope(i, int64(i))
				e.ParentID, e.ResourceName = uuid.Nil, "" // the directory has them
				if as.keyed {
					e.CorrelationID = uuid.New()
				}
				if as.note != "" {
					e.Payload = map[string]any{"change": e.Payload, "note": as.note}
				}
				if _, _, err := outbox.TxActivity(ctx, db.Pool, e, nothing); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// nothing is a change that costs one round trip.
func nothing(ctx context.Context, tx pgx.Tx, _ *activity.Envelope) (struct{}, error) {
	_, err := tx.Exec(ctx, "SELECT")
	return struct{}{}, err
}

// sizes reads the sizes of rows that recording has written.
func (d *recorded) sizes(ctx context.Context, db *stack.Database) error {
	for relation, into := range map[string]*float64{
		"idempotency_keys": &d.key, "outbox": &d.outbox, "activities": &d.activity,
	} {
		bytes, err := sizeOf(ctx, db, relation)
		if err != nil {
			return err
		}
		var rows float64
		if err := db.Pool.QueryRow(ctx, "SELECT count(*) FROM fanfare."+relation).Scan(&rows); err != nil {
			return err
		}
		*into = bytes / rows
	}
	return nil
}
