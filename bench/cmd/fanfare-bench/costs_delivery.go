package main

import (
	"context"
	"errors"
	"time"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/capacity"
)

// used is what an activity, a recipient or a row takes: microseconds of CPU time, and bytes.
type used struct{ self, postgres, centrifugo, wal float64 }

// delivered is what delivering in a world takes.
type delivered struct {
	watchers         int
	published, inbox used    // an activity, without and with the inbox
	notified         float64 // bytes of a notification
	purged           used    // a notification
}

// delivery measures delivering in a world with few and in one with many watchers. What grows with
// the watchers is a recipient's, the rest an activity's.
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
	r.set(capacity.NotificationBytes, many.notified)
	r.set(capacity.PurgePostgres, many.purged.postgres)
	r.set(capacity.PurgeWAL, many.purged.wal)
	return nil
}

// deliveredIn measures a world in a database of its own.
func deliveredIn(ctx context.Context, o *costsOptions, watchers int) (d *delivered, err error) {
	db, err := o.start(ctx, writeSettings(false))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Stop()) }()
	world := fixture.New(fixture.Options{Watchers: watchers})
	if err := world.Load(ctx, db.Pool); err != nil {
		return nil, err
	}
	progress("%d watchers: recording %d activities", watchers, o.activities)
	if _, err := world.Record(ctx, db.Pool, o.activities); err != nil {
		return nil, err
	}
	err = db.Exec(ctx, "CREATE TABLE recorded AS SELECT * FROM fanfare.outbox", "VACUUM (ANALYZE) fanfare.activities")
	if err != nil {
		return nil, err
	}
	drain := &drainOptions{workerFlags: o.workerFlags, activities: o.activities, timeout: 5 * time.Minute}
	d = &delivered{watchers: watchers}
	for variant, into := range map[string]*used{publishOnly: &d.published, everything: &d.inbox} {
		progress("%d watchers: %s, %d rounds", watchers, variant, o.rounds)
		if *into, err = deliverRounds(ctx, db, variant, drain, o.rounds); err != nil {
			return nil, err
		}
	}
	return d, d.store(ctx, db, drain)
}

// deliverRounds returns the lowest of several deliveries. One that was disturbed is repeated.
func deliverRounds(
	ctx context.Context, db *stack.Database, variant string, o *drainOptions, rounds int,
) (used, error) {
	var runs []used
	for attempt := 0; len(runs) < rounds; attempt++ {
		run, err := deliverOnce(ctx, db, variant, o)
		switch {
		case err == nil:
			runs = append(runs, run)
		case !errors.Is(err, errDisturbed) || attempt >= 2*rounds:
			return used{}, err
		}
	}
	return lowestOf(runs), nil
}

// errDisturbed means that a batch was delivered twice, since a server was too slow.
var errDisturbed = errors.New("a claim was rolled back")

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
	if counted.failures.Load() > 0 {
		return u, errDisturbed
	}
	var run drainRun
	run.Publications = counted.publications.Load()
	return u, run.verify(ctx, db, counted, work.apiURL)
}

// store reads the size of the notifications and removes them.
func (d *delivered) store(ctx context.Context, db *stack.Database, drain *drainOptions) error {
	if _, err := deliverRounds(ctx, db, everything, drain, 1); err != nil {
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
