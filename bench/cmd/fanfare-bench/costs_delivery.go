package main

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/capacity"
	"github.com/fanfarehq/fanfare/outbox"
)

// used is what an activity, a recipient or a row takes: microseconds of CPU time, and bytes.
type used struct{ self, postgres, centrifugo, wal float64 }

// delivered is what a world's activities take.
type delivered struct {
	watchers         int
	record, keyed    used // recording, without and with a correlation id
	published, inbox used // delivering an activity, without and with the inbox
	purged           used // a notification
	activity, key    float64
	outbox, notified float64 // bytes of a row
}

// delivery measures recording, delivering and storing in a world with few and in one with many
// watchers. What grows with the watchers is a recipient's, the rest an activity's.
func (r *costsResult) delivery(ctx context.Context, o *costsOptions) error {
	few, err := deliveredIn(ctx, o, o.few)
	if err != nil {
		return err
	}
	many, err := deliveredIn(ctx, o, o.many)
	if err != nil {
		return err
	}
	more := float64(o.many - o.few)
	// The part of the activity, and that of each recipient.
	split := func(base, recipient capacity.Name, low, high float64) {
		slope := (high - low) / more
		r.set(base, low-slope*float64(o.few))
		r.set(recipient, slope)
	}
	split(capacity.DeliverWorker, capacity.RecipientWorker, few.published.self, many.published.self)
	split(capacity.DeliverPostgres, capacity.RecipientPostgres, few.published.postgres, many.published.postgres)
	split(capacity.DeliverCentrifugo, capacity.RecipientCentrifugo, few.published.centrifugo, many.published.centrifugo)
	split(capacity.DeliverWAL, capacity.NotifyWAL, few.inbox.wal, many.inbox.wal)
	watchers := float64(many.watchers)
	r.set(capacity.NotifyWorker, (many.inbox.self-many.published.self)/watchers)
	r.set(capacity.NotifyPostgres, (many.inbox.postgres-many.published.postgres)/watchers)

	r.set(capacity.RecordService, few.record.self)
	r.set(capacity.RecordPostgres, few.record.postgres)
	r.set(capacity.RecordWAL, few.record.wal)
	r.set(capacity.CorrelatePostgres, few.keyed.postgres-few.record.postgres)
	r.set(capacity.CorrelateWAL, few.keyed.wal-few.record.wal)
	r.set(capacity.KeyBytes, few.key)
	r.set(capacity.OutboxBytes, few.outbox)
	r.set(capacity.NotificationBytes, many.notified)
	r.set(capacity.PurgePostgres, many.purged.postgres)
	r.set(capacity.PurgeWAL, many.purged.wal)
	return r.payload(ctx, o, few.activity)
}

// payload measures what a payload takes in the log, with one that is larger by a thousand bytes.
func (r *costsResult) payload(ctx context.Context, o *costsOptions, small float64) error {
	const more = 1000
	d, err := recordedIn(ctx, o, o.few, strings.Repeat("0123456789", more/10), nil)
	if err != nil {
		return err
	}
	each := (d.activity - small) / more
	r.set(capacity.PayloadBytes, each)
	r.set(capacity.ActivityBytes, small-each*float64(fixturePayload))
	return nil
}

// fixturePayload is the size of the payload of the world's activities, about.
const fixturePayload = 149

// deliveredIn measures a world in a database of its own.
func deliveredIn(ctx context.Context, o *costsOptions, watchers int) (*delivered, error) {
	return recordedIn(ctx, o, watchers, "", func(db *stack.Database, d *delivered) error {
		drain := &drainOptions{workerFlags: o.workerFlags, timeout: 5 * time.Minute}
		if err := db.Exec(ctx, "CREATE TABLE recorded AS SELECT * FROM fanfare.outbox"); err != nil {
			return err
		}
		if err := db.Pool.QueryRow(ctx, "SELECT count(*) FROM recorded").Scan(&drain.activities); err != nil {
			return err
		}
		for variant, into := range map[string]*used{publishOnly: &d.published, everything: &d.inbox} {
			var runs []used
			for round := range o.rounds {
				progress("%d watchers: %s, round %d", watchers, variant, round+1)
				run, err := deliverOnce(ctx, db, variant, drain)
				if err != nil {
					return err
				}
				runs = append(runs, run)
			}
			*into = lowestOf(runs)
		}
		return d.store(ctx, db, drain)
	})
}

// deliverOnce drains a full outbox with a new worker.
func deliverOnce(ctx context.Context, db *stack.Database, variant string, o *drainOptions) (u used, err error) {
	if err := db.Exec(ctx, "TRUNCATE fanfare.outbox, fanfare.notifications", refill); err != nil {
		return u, err
	}
	if err := db.Settle(ctx, "fanfare.outbox", "fanfare.notifications"); err != nil {
		return u, err
	}
	counted := newDeliveries(o.activities)
	work, err := openWork(ctx, variant, "", counted)
	if err != nil {
		return u, err
	}
	defer func() { err = errors.Join(err, work.close()) }()
	before, err := position(ctx, db)
	if err != nil {
		return u, err
	}
	_, cpu, err := drainBy(ctx, db, work.handler, counted, o)
	if err != nil {
		return u, err
	}
	u = each(cpu, o.activities)
	if u.wal, err = walSince(ctx, db, before, o.activities); err != nil {
		return u, err
	}
	var run drainRun
	run.Publications = counted.publications.Load()
	return u, run.verify(ctx, db, counted, work.apiURL)
}

// recorded is how activities are recorded.
type recorded struct {
	keyed bool   // with a correlation id
	note  string // that is added to the payload
}

// recordedIn records activities in a world, each in a transaction of its own, and then calls more.
func recordedIn(
	ctx context.Context, o *costsOptions, watchers int, note string, more func(*stack.Database, *delivered) error,
) (d *delivered, err error) {
	db, err := o.start(ctx, writeSettings(false))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Stop()) }()
	world := fixture.New(fixture.Options{Watchers: watchers})
	if err := world.Load(ctx, db.Pool); err != nil {
		return nil, err
	}
	d = &delivered{watchers: watchers}
	half := o.activities / 2
	progress("%d watchers: recording %d activities", watchers, 2*half)
	// The first half fills the caches.
	if err := recordEach(ctx, db, world, half, recorded{note: note}); err != nil {
		return nil, err
	}
	// Statements that were planned while the tables were empty may use any index.
	if err := db.Settle(ctx, "fanfare.activities", "fanfare.idempotency_keys", "fanfare.outbox"); err != nil {
		return nil, err
	}
	db.Pool.Reset()
	size := half / o.rounds / 2
	for keyed, into := range map[bool]*used{false: &d.record, true: &d.keyed} {
		var runs []used
		for range o.rounds {
			run, err := recordOnce(ctx, db, world, size, recorded{keyed, note})
			if err != nil {
				return nil, err
			}
			runs = append(runs, run)
		}
		*into = lowestOf(runs)
	}
	if err := d.sizes(ctx, db); err != nil || more == nil {
		return d, err
	}
	return d, more(db, d)
}

// recordOnce records n activities and returns what each took.
func recordOnce(
	ctx context.Context, db *stack.Database, world *fixture.World, n int, as recorded,
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
func recordEach(ctx context.Context, db *stack.Database, world *fixture.World, n int, as recorded) error {
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
func (d *delivered) sizes(ctx context.Context, db *stack.Database) error {
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

// store reads the size of the notifications and removes them.
func (d *delivered) store(ctx context.Context, db *stack.Database, drain *drainOptions) error {
	if _, err := deliverOnce(ctx, db, everything, drain); err != nil {
		return err
	}
	rows := drain.activities * d.watchers
	bytes, err := sizeOf(ctx, db, "notifications")
	if err != nil {
		return err
	}
	d.notified = bytes / float64(rows)
	before, err := position(ctx, db)
	if err != nil {
		return err
	}
	cpu := stack.ReadCPU()
	if err := db.Exec(ctx, "DELETE FROM fanfare.notifications", "VACUUM fanfare.notifications"); err != nil {
		return err
	}
	d.purged = each(stack.ReadCPU().Since(cpu), rows)
	d.purged.wal, err = walSince(ctx, db, before, rows)
	return err
}

// sizeOf returns the size of a relation with its partitions and indexes.
func sizeOf(ctx context.Context, db *stack.Database, relation string) (bytes float64, err error) {
	err = db.Pool.QueryRow(ctx, `
		WITH of AS (SELECT ('fanfare.' || $1)::regclass AS id)
		SELECT coalesce(sum(pg_total_relation_size(p.relid)), pg_total_relation_size(of.id))::float8
		FROM of LEFT JOIN pg_partition_tree(of.id) AS p ON true
		GROUP BY of.id`, relation).Scan(&bytes)
	return bytes, err
}

// position returns the position of the write-ahead log.
func position(ctx context.Context, db *stack.Database) (lsn string, err error) {
	err = db.Pool.QueryRow(ctx, "SELECT pg_current_wal_insert_lsn()::text").Scan(&lsn)
	return lsn, err
}

// walSince returns the log that was written since a position, for each of n.
func walSince(ctx context.Context, db *stack.Database, lsn string, n int) (bytes float64, err error) {
	err = db.Pool.QueryRow(ctx, "SELECT (pg_current_wal_insert_lsn() - $1::text::pg_lsn)::float8", lsn).Scan(&bytes)
	return bytes / float64(n), err
}

// each returns the CPU time of each of n.
func each(cpu stack.CPU, n int) used {
	of := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(n) }
	return used{self: of(cpu.Self), postgres: of(cpu.Postgres), centrifugo: of(cpu.Centrifugo)}
}

// lowestOf returns the lowest of each kind: what else runs on the machine only adds to a CPU time.
func lowestOf(runs []used) used {
	low := runs[0]
	for _, run := range runs[1:] {
		low = used{
			min(low.self, run.self), min(low.postgres, run.postgres), min(low.centrifugo, run.centrifugo),
			min(low.wal, run.wal),
		}
	}
	return low
}
