package retention

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/wait"
)

// ErrBusy says that another run is under way, here or in another process.
var ErrBusy = errors.New("another retention run is under way")

// Counts says how many of what.
type Counts struct {
	Activities      int64 `json:"activities"`
	Notifications   int64 `json:"notifications"`
	IdempotencyKeys int64 `json:"idempotency_keys"`
	DeadLetters     int64 `json:"dead_letters"`
	Parked          int64 `json:"parked"` // became dead letters
	ServiceTokens   int64 `json:"service_tokens"`
}

func (c *Counts) add(o Counts) {
	c.Activities += o.Activities
	c.Notifications += o.Notifications
	c.IdempotencyKeys += o.IdempotencyKeys
	c.DeadLetters += o.DeadLetters
	c.Parked += o.Parked
	c.ServiceTokens += o.ServiceTokens
}

// Report is how far a run came, while it goes on and at its end.
type Report struct {
	RunID      uuid.UUID     `json:"run_id"`
	Removed    Counts        `json:"removed"`
	Partitions []string      `json:"partitions"` // dropped
	Busy       []string      `json:"busy"`       // partitions that might have been dropped, had anybody let go of the log's locks
	Tenants    int           `json:"tenants"`    // looked at
	Batches    int           `json:"batches"`
	Took       time.Duration `json:"-"`
	Err        error         `json:"-"`
}

// Observer hears of every run once it has ended.
type Observer interface {
	Observe(r Report)
}

// Options tell a Runner how to work. The zero value works.
type Options struct {
	Batch     int         // rows that a step removes at most; default 5,000
	DropTries int         // how often, five times each, the locks are tried for that dropping a partition takes; default 3
	Logger    *zap.Logger // default none
	Observer  Observer    // default none
}

// Runner removes what has had its time. It is safe for concurrent use; of two runs at once, one is
// told ErrBusy.
type Runner struct {
	pool  *pgxpool.Pool
	batch int
	tries int
	log   *zap.Logger
	seen  Observer
}

// NewRunner returns a runner on a pool.
func NewRunner(pool *pgxpool.Pool, o Options) *Runner {
	r := &Runner{
		pool:  pool,
		batch: cmp.Or(o.Batch, 5000),
		tries: cmp.Or(o.DropTries, 3),
		log:   o.Logger,
		seen:  o.Observer,
	}
	if r.log == nil {
		r.log = zap.NewNop()
	}
	return r
}

// Limits of a step, and of what is done after the end of the context.
const (
	stepLimits = `SELECT set_config('lock_timeout', '5s', true), set_config('statement_timeout', '60s', true), set_config('idle_in_transaction_session_timeout', '60s', true)`
	dropLimits = `SELECT set_config('statement_timeout', '15min', true)`
	lookLimit  = 15 * time.Minute // for a question that changes nothing
	lastWords  = 5 * time.Second
	longPause  = time.Second
	tenantPage = 500
)

// Run makes one run, for every tenant or for one, and returns how far it came; with ErrBusy it did
// nothing. progress, which may be nil, hears of it after every step. When ctx ends, the step in
// hand is undone, what was done is recorded, and ctx's error is returned.
func (r *Runner) Run(ctx context.Context, tenant uuid.UUID, progress func(Report)) (Report, error) {
	report, began, err := r.run(ctx, tenant, 0, progress)
	if err == nil && !began {
		err = ErrBusy
	}
	return report, err
}

// Loop makes a run every so often, until ctx ends. Of many processes, one does.
func (r *Runner) Loop(ctx context.Context, every time.Duration) error {
	look := time.NewTicker(min(every, 30*time.Second))
	defer look.Stop()
	for {
		report, began, err := r.run(ctx, uuid.Nil, every, nil)
		fields := []zap.Field{
			zap.Any(
				"removed",
				report.Removed,
			), zap.Strings("partitions", report.Partitions), zap.Int("tenants", report.Tenants), zap.Duration("took", report.Took),
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			r.log.Warn("retention failed; the next run goes on", append(fields, zap.Error(err))...)
		case began && (report.Removed != Counts{} || len(report.Partitions) > 0):
			r.log.Info("retention has removed what had its time", fields...)
		case began:
			r.log.Debug("retention found nothing to remove", fields...)
		}
		if len(report.Busy) > 0 {
			r.log.Info(
				"partitions could not be dropped for the locks on the log; their activities went in batches",
				zap.Strings("partitions", report.Busy),
			)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
	}
}

// running is one run.
type running struct {
	*Runner
	Report
	only     uuid.UUID // uuid.Nil: every tenant
	progress func(Report)
	logged   time.Time
}

func (r *Runner) run(
	ctx context.Context,
	tenant uuid.UUID,
	every time.Duration,
	progress func(Report),
) (report Report, began bool, err error) {
	x := &running{Runner: r, only: tenant, progress: progress, logged: time.Now()}
	if x.RunID, err = uuid.NewV7(); err != nil {
		return Report{}, false, err
	}
	x.Partitions, x.Busy = []string{}, []string{}
	start := time.Now()
	if err := r.pool.QueryRow(ctx, `SELECT fanfare.retention_begin($1, $2)`, x.RunID, orNull(every)).Scan(&began); err != nil {
		return x.Report, false, fmt.Errorf("begin a retention run: %w", err)
	}
	if !began {
		return x.Report, false, nil
	}
	err = x.work(ctx)
	// What was removed is recorded even when there is no more time to remove.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	err = errors.Join(err, x.recordAll(end))
	if _, endErr := r.pool.Exec(end, `SELECT fanfare.retention_end($1)`, x.RunID); endErr != nil {
		err = errors.Join(err, fmt.Errorf("end the retention run: %w", endErr))
	}
	x.Took, x.Err = time.Since(start), err
	if r.seen != nil {
		r.seen.Observe(x.Report)
	}
	return x.Report, true, err
}

// work does everything in an order that leaves nothing broken wherever it stops: what hangs on
// activities goes before them.
func (x *running) work(ctx context.Context) error {
	if err := x.recordAll(ctx); err != nil {
		return err
	}
	if err := x.parked(ctx); err != nil {
		return err
	}
	err := x.eachTenant(ctx, func(t dueTenant) error {
		x.Tenants++
		if t.measure {
			if err := x.step(ctx, `SELECT fanfare.retention_measure($1)`, []any{t.id}, nil); err != nil {
				return fmt.Errorf("measure: %w", err)
			}
			// What is due may be more now.
			t.inbox, t.keys = true, true
		}
		if t.expired {
			if err := x.rest(ctx, t.id); err != nil {
				return err
			}
		}
		if t.inbox {
			if err := x.notifications(ctx, t.id); err != nil {
				return err
			}
		}
		if t.keys {
			return x.keys(ctx, t.id)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if x.only == uuid.Nil {
		if err := x.partitions(ctx); err != nil {
			return err
		}
	}
	return x.eachTenant(ctx, func(t dueTenant) error {
		if !t.due {
			return nil
		}
		return x.activities(ctx, t.id)
	})
}

// dueTenant is a tenant and what there may be to do for it.
type dueTenant struct {
	id                              uuid.UUID
	measure, expired, inbox, keys, due bool
}

func (x *running) eachTenant(ctx context.Context, do func(t dueTenant) error) error {
	return eachTenant(ctx, x.pool, x.only, do)
}

func eachTenant(ctx context.Context, db pg.Querier, only uuid.UUID, do func(t dueTenant) error) error {
	for after := uuid.Nil; ; {
		tenants, err := dueTenants(ctx, db, only, after)
		if err != nil {
			return fmt.Errorf("look for tenants: %w", err)
		}
		for _, t := range tenants {
			if err := do(t); err != nil {
				return fmt.Errorf("tenant %s: %w", t.id, err)
			}
			after = t.id
		}
		if len(tenants) < tenantPage || only != uuid.Nil {
			return nil
		}
	}
}

// dueTenants returns the next page of them, in the order of their ids.
func dueTenants(ctx context.Context, db pg.Querier, only, after uuid.UUID) ([]dueTenant, error) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	rows, err := db.Query(ctx, `
		SELECT tenant_id, measure, expired, inbox, keys, due FROM fanfare.retention_tenants($1, $2, $3)`, orNoTenant(only), after, tenantPage)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (t dueTenant, err error) {
		return t, row.Scan(&t.id, &t.measure, &t.expired, &t.inbox, &t.keys, &t.due)
	})
}

func (x *running) parked(ctx context.Context) error {
	return x.batches(ctx, "parked activities", func(batch int) (Counts, bool, error) {
		var moved int64
		err := x.step(
			ctx,
			`SELECT fanfare.purge_parked($1, $2, $3)`,
			[]any{x.RunID, orNoTenant(x.only), batch},
			[]any{&moved},
		)
		return Counts{Parked: moved}, moved > 0, err
	})
}

func (x *running) rest(ctx context.Context, tenant uuid.UUID) error {
	return x.batches(ctx, "dead letters and service tokens", func(batch int) (Counts, bool, error) {
		var (
			more  bool
			count Counts
		)
		err := x.step(ctx, `SELECT dead_letters, service_tokens, more FROM fanfare.purge_expired($1, $2, $3)`,
			[]any{x.RunID, tenant, batch}, []any{&count.DeadLetters, &count.ServiceTokens, &more})
		return count, more, err
	})
}

func (x *running) notifications(ctx context.Context, tenant uuid.UUID) error {
	person, last := &uuid.UUID{}, &uuid.UUID{}
	return x.batches(ctx, "notifications", func(batch int) (Counts, bool, error) {
		var (
			count            Counts
			next, nextLatest *uuid.UUID
		)
		err := x.step(
			ctx,
			`SELECT removed, next_principal, next_activity FROM fanfare.purge_notifications($1, $2, $3, $4, $5)`,
			[]any{x.RunID, tenant, person, last, batch},
			[]any{&count.Notifications, &next, &nextLatest},
		)
		if err == nil && next != nil {
			person, last = next, nextLatest
		}
		return count, next != nil, err
	})
}

func (x *running) keys(ctx context.Context, tenant uuid.UUID) error {
	return x.batches(ctx, "idempotency keys", func(batch int) (Counts, bool, error) {
		var (
			more  bool
			count Counts
		)
		err := x.step(
			ctx,
			`SELECT removed, more FROM fanfare.purge_keys($1, $2, $3)`,
			[]any{x.RunID, tenant, batch},
			[]any{&count.IdempotencyKeys, &more},
		)
		return count, more, err
	})
}

func (x *running) activities(ctx context.Context, tenant uuid.UUID) error {
	after := &uuid.UUID{}
	return x.batches(ctx, "activities", func(batch int) (Counts, bool, error) {
		var (
			count Counts
			next  *uuid.UUID
		)
		err := x.step(ctx, `SELECT removed, keys, next FROM fanfare.purge_activities($1, $2, $3, $4)`,
			[]any{x.RunID, tenant, after, batch}, []any{&count.Activities, &count.IdempotencyKeys, &next})
		if err == nil && next != nil {
			after = next
		}
		return count, next != nil, err
	})
}

// partitions drops those of which nothing must be kept, the oldest first.
func (x *running) partitions(ctx context.Context) error {
	names, err := goingPartitions(ctx, x.pool)
	if err != nil {
		return err
	}
	for i, name := range names {
		var (
			dropped       *bool
			removed, keys int64
		)
		for range x.tries {
			began := time.Now()
			err := pgx.BeginFunc(ctx, x.pool, func(tx pgx.Tx) error {
				if _, err := tx.Exec(ctx, dropLimits); err != nil {
					return err
				}
				return tx.QueryRow(ctx, `SELECT dropped, removed, keys FROM fanfare.drop_partition($1, $2)`, x.RunID, name).
					Scan(&dropped, &removed, &keys)
			})
			if err != nil {
				return fmt.Errorf("drop partition %s: %w", name, err)
			}
			x.Removed.IdempotencyKeys += keys
			if dropped != nil {
				break
			}
			if err := wait.Sleep(ctx, min(time.Since(began), longPause)); err != nil {
				return err
			}
		}
		switch {
		case dropped == nil:
			// The next one would wait for the same lock.
			x.Busy = append(x.Busy, names[i:]...)
			return nil
		case *dropped:
			x.Partitions = append(x.Partitions, name)
			x.Removed.Activities += removed
		}
		x.tell("partitions")
	}
	return nil
}

func goingPartitions(ctx context.Context, db pg.Querier) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	rows, err := db.Query(
		ctx,
		`SELECT p.part::text FROM fanfare.activity_partitions() AS p WHERE fanfare.partition_is_removable(p.part) ORDER BY p.low`,
	)
	if err != nil {
		return nil, fmt.Errorf("look for partitions to drop: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("look for partitions to drop: %w", err)
	}
	return names, nil
}

// batches makes step after step until there is no more. After each it rests for as long as the step
// took, so that writers, replicas and vacuum keep up whatever the machine. A step that takes too
// long, or is in anybody's way, is made smaller.
func (x *running) batches(ctx context.Context, what string, do func(batch int) (Counts, bool, error)) error {
	batch, failures := x.batch, 0
	for {
		began := time.Now()
		count, more, err := do(batch)
		if err != nil {
			if failures++; ctx.Err() != nil || failures > 5 || !pg.Contended(err) {
				return fmt.Errorf("purge %s: %w", what, err)
			}
			batch, more = max(batch/2, 1), true
			x.log.Debug(
				"a retention step was undone and is tried again, smaller",
				zap.String("what", what),
				zap.Int("batch", batch),
				zap.Error(err),
			)
		} else {
			failures = 0
			x.Removed.add(count)
			x.Batches++
			x.tell(what)
		}
		if !more {
			return ctx.Err()
		}
		if err := wait.Sleep(ctx, min(time.Since(began), longPause)); err != nil {
			return err
		}
	}
}

// step does one thing in a transaction of its own.
func (x *running) step(ctx context.Context, sql string, args, into []any) error {
	return pgx.BeginFunc(ctx, x.pool, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(stepLimits)
		queued := batch.Queue(sql, args...)
		if into != nil {
			queued.QueryRow(func(row pgx.Row) error { return row.Scan(into...) })
		}
		return tx.SendBatch(ctx, batch).Close()
	})
}

// tell says how far the run is: to whoever listens after every step, to the log now and then.
func (x *running) tell(what string) {
	if x.progress != nil {
		x.progress(x.Report)
	}
	if time.Since(x.logged) > 10*time.Second {
		x.logged = time.Now()
		x.log.Info(
			"retention goes on",
			zap.String("at", what),
			zap.Any("removed", x.Removed),
			zap.Int("batches", x.Batches),
		)
	}
}

func orNoTenant(tenant uuid.UUID) *uuid.UUID {
	if tenant == uuid.Nil {
		return nil
	}
	return &tenant
}

func orNull(d time.Duration) *time.Duration {
	if d == 0 {
		return nil
	}
	return &d
}

// EnsurePartition makes the partition of the month that a time is in, unless it is there, and tells
// whether it made one. It is for months that are past, before activities of that time are brought
// in; pglog.EnsurePartitions makes those to come.
func EnsurePartition(ctx context.Context, db pg.RowQuerier, at time.Time) (made bool, err error) {
	if err := db.QueryRow(ctx, `SELECT fanfare.ensure_partition($1)`, at).Scan(&made); err != nil {
		return false, fmt.Errorf("make the partition of %s: %w", at.UTC().Format("2006-01"), err)
	}
	return made, nil
}

// actor is who acts in ctx, or else the system.
func actor(ctx context.Context) uuid.UUID {
	if principal, acts := activity.ActorFrom(ctx); acts {
		return principal
	}
	return activity.System
}
