package retention_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/retention"
	"github.com/fanfarehq/fanfare/outbox"
)

// old returns n entries of a tenant of an age in days, each with a key and a notification.
func old(tenant uuid.UUID, n, age int) []entry {
	entries := make([]entry, n)
	for i := range entries {
		entries[i] = entry{
			tenant:   tenant,
			resource: uuid.New(),
			actor:    uuid.New(),
			age:      age,
			key:      true,
			notified: []uuid.UUID{tenant},
		}
	}
	return entries
}

// sum adds up the counts in the records of purges in the log of a tenant.
func (w *world) sum(tenant uuid.UUID) (activities, keys, notifications int64) {
	w.Helper()
	if err := w.db.Pool.QueryRow(w.Context(), `
		SELECT coalesce(sum((payload ->> 'activities')::bigint), 0),
			coalesce(sum((payload ->> 'idempotency_keys')::bigint), 0),
			coalesce(sum((payload ->> 'notifications')::bigint), 0)
		FROM fanfare.activities WHERE tenant_id = $1 AND action = 'retention.purged' AND actor_principal_id = $2`,
		tenant, activity.System).
		Scan(&activities, &keys, &notifications); err != nil {
		w.Fatal(err)
	}
	return activities, keys, notifications
}

// TestStoppedRunResumes stops each run one step later than the previous one, until one completes.
func TestStoppedRunResumes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.months(3)
	tenant := uuid.New()
	w.policy(tenant, map[retention.Field]int64{retention.MaxDays: 20})
	w.add(old(tenant, 40, 80)...)
	w.add(old(tenant, 40, 30)...)
	w.add(old(tenant, 5, 3)...)
	runs := 0
	for ended := false; !ended; runs++ {
		ctx, stop := context.WithCancel(t.Context())
		steps := 0
		_, err := w.runner().Run(ctx, uuid.Nil, func(retention.Report) {
			if steps++; steps > 2 {
				stop()
			}
		})
		stop()
		if ended = err == nil; !ended && !errors.Is(err, context.Canceled) {
			t.Fatalf("a stopped run: got %v, want context.Canceled", err)
		}
		activities, keys, notifications := w.sum(tenant)
		removed := 85 - w.count(`SELECT count(*) FROM fanfare.activities WHERE action = 'signal.created'`)
		if activities != removed ||
			keys != 85-w.count(`SELECT count(*) FROM fanfare.idempotency_keys WHERE action = 'signal.created'`) ||
			notifications != 85-w.count(`SELECT count(*) FROM fanfare.notifications`) {
			t.Fatalf(
				"after run %d: recorded %d activities, %d keys and %d notifications; %d activities were removed",
				runs,
				activities,
				keys,
				notifications,
				removed,
			)
		}
	}
	if runs < 3 {
		t.Errorf("it took %d runs, want several", runs)
	}
	if got := w.count(`SELECT count(*) FROM fanfare.activities WHERE action = 'signal.created'`); got != 5 {
		t.Errorf("left: got %d activities, want the 5 recent ones", got)
	}
}

// TestNextRunRecordsACrashedOne leaves a run unfinished, as a killed process does.
func TestNextRunRecordsACrashedOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tenant, run := uuid.New(), uuid.New()
	w.policy(tenant, map[retention.Field]int64{retention.MaxDays: 20})
	w.add(old(tenant, 30, 30)...)
	w.exec(`SELECT fanfare.retention_begin($1, NULL)`, run)
	w.exec(`SELECT fanfare.purge_activities($1, $2, $3, 10)`, run, tenant, uuid.Nil)
	if activities, _, _ := w.sum(tenant); activities != 0 {
		t.Fatalf("recorded before the crash: got %d, want 0", activities)
	}
	if _, err := w.runner().Run(t.Context(), uuid.Nil, nil); !errors.Is(err, retention.ErrBusy) {
		t.Errorf("a run while the lease lasts: got %v, want ErrBusy", err)
	}
	w.exec(`UPDATE fanfare.retention_lease SET expires_at = now() - interval '1 second'`)
	w.run()
	if activities, _, _ := w.sum(tenant); activities != 30 {
		t.Errorf("recorded: got %d, want all 30", activities)
	}
	if got := w.count(`
		SELECT count(*)
		FROM fanfare.activities
		WHERE action = 'retention.purged' AND correlation_id = $1 AND payload ->> 'activities' = '10'`, run); got != 1 {
		t.Errorf("the crashed run's own record: got %d, want 1", got)
	}
	// If its process is still alive, it can remove no more rows.
	_, err := w.db.Pool.Exec(t.Context(), `SELECT fanfare.purge_activities($1, $2, $3, 10)`, run, tenant, uuid.Nil)
	if refused := (*pgconn.PgError)(nil); !errors.As(err, &refused) || refused.Code != "55006" {
		t.Errorf("a step without the lease: got %v, want SQLSTATE 55006", err)
	}
}

// TestConcurrentRuns starts several runs concurrently.
func TestConcurrentRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tenant := uuid.New()
	w.policy(tenant, map[retention.Field]int64{retention.MaxDays: 20})
	w.add(old(tenant, 100, 30)...)
	var g errgroup.Group
	results := make([]retention.Report, 6)
	for i := range results {
		g.Go(func() (err error) {
			results[i], err = w.runner().Run(t.Context(), uuid.Nil, nil)
			if errors.Is(err, retention.ErrBusy) {
				return nil
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	var total int64
	for _, r := range results {
		total += r.Removed.Activities
	}
	recorded, _, _ := w.sum(tenant)
	if total != 100 || recorded != 100 {
		t.Errorf("removed by all: got %d, recorded %d, want 100 each", total, recorded)
	}
}

// TestLoopRunsOncePerInterval starts three loops with an interval that outlasts the test.
func TestLoopRunsOncePerInterval(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seen := make(chan retention.Report, 10)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var g errgroup.Group
	for range 3 {
		runner := retention.NewRunner(w.db.Pool, retention.Options{Observer: observed(seen)})
		g.Go(func() error { return runner.Loop(ctx, time.Hour) })
	}
	if report := <-seen; report.Err != nil {
		t.Errorf("the run: got %v", report.Err)
	}
	if _, err := w.runner().Run(t.Context(), uuid.Nil, nil); err != nil {
		t.Errorf("a manual run within the interval: got %v, want it to run", err)
	}
	stop()
	if err := g.Wait(); err != nil {
		t.Error(err)
	}
	if len(seen) != 0 {
		t.Errorf("got %d further runs, want one per interval", len(seen))
	}
}

// TestRunSurvivesItsObserver has an observer that panics.
func TestRunSurvivesItsObserver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	runner := retention.NewRunner(w.db.Pool, retention.Options{Observer: panicking{}})
	for range 2 {
		if _, err := runner.Run(t.Context(), uuid.Nil, nil); err != nil {
			t.Errorf("got %v, want no error", err)
		}
	}
}

type panicking struct{}

func (panicking) Observe(retention.Report) { panic("nil map") }

type observed chan retention.Report

func (o observed) Observe(r retention.Report) { o <- r }

// TestHoldDuringRun places a hold between two steps of a run.
func TestHoldDuringRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tenant := uuid.New()
	w.policy(
		tenant,
		map[retention.Field]int64{retention.MaxDays: 20, retention.InboxDays: 0, retention.IdempotencyDays: 0},
	)
	w.add(old(tenant, 60, 30)...)
	left := int64(-1)
	_, err := w.runner().Run(t.Context(), uuid.Nil, func(r retention.Report) {
		if r.Removed.Activities == 0 || left >= 0 {
			return
		}
		if _, err := retention.Place(t.Context(), w.db.Pool, retention.Hold{
			TenantID:  tenant,
			CreatedBy: tenant,
			Reason:    "a case",
		}); err != nil {
			t.Error(err)
		}
		left = w.count(`SELECT count(*) FROM fanfare.activities WHERE action = 'signal.created'`)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.count(`SELECT count(*) FROM fanfare.activities WHERE action = 'signal.created'`); left < 1 ||
		got != left {
		t.Errorf("left: got %d, want the %d of the time of the hold, and more than 0", got, left)
	}
}

// TestMinDaysLimitsMaxEntries keeps recent activities although there are more than max_entries.
func TestMinDaysLimitsMaxEntries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tenant := uuid.New()
	w.policy(tenant, map[retention.Field]int64{retention.MaxEntries: 10})
	w.add(old(tenant, 5, 9)...)
	w.add(old(tenant, 50, 3)...)
	w.run()
	if got := w.count(`SELECT count(*) FROM fanfare.activities WHERE action = 'signal.created'`); got != 50 {
		t.Errorf("left: got %d, want the 50 younger than min_days", got)
	}
}

// TestLimitRaisedAfterMeasurement keeps activities that an earlier measurement marked as expired.
func TestLimitRaisedAfterMeasurement(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tenant := uuid.New()
	w.policy(tenant, map[retention.Field]int64{retention.MaxEntries: 10})
	w.add(old(tenant, 50, 30)...)
	w.exec(`SELECT fanfare.retention_measure($1)`, tenant)
	expired := func() int64 {
		return w.count(`SELECT count(*) FROM fanfare.activities WHERE id < fanfare.retention_cut($1)`, tenant)
	}
	if got := expired(); got != 40 {
		t.Fatalf("expired: got %d, want 40", got)
	}
	w.policy(tenant, map[retention.Field]int64{retention.MaxEntries: 30})
	if got := expired(); got != 0 {
		t.Errorf("expired before the new measurement: got %d, want 0", got)
	}
	w.policy(tenant, map[retention.Field]int64{retention.MaxEntries: 5})
	if got := expired(); got != 40 {
		t.Errorf("expired with a lower limit: got %d, want the 40 of the old measurement", got)
	}
}

// TestDropDoesNotBlockWriters keeps a transaction with a recording open while a partition is to be
// dropped. The drop gives up, and no writer waits for longer than its timeout of one second.
func TestDropDoesNotBlockWriters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.months(4)
	tenant := uuid.New()
	w.policy(tenant, map[retention.Field]int64{retention.MaxDays: 20})
	w.add(old(tenant, 20, 80)...)
	part := "activities_" + w.ago(80).UTC().Format("y2006m01")

	open, err := w.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = open.Rollback(context.Background()) }()
	write := func(tx pgx.Tx) error {
		_, err := outbox.Record(
			t.Context(),
			tx,
			activity.Envelope{
				TenantID:         tenant,
				ActorPrincipalID: tenant,
				ResourceID:       uuid.New(),
				ResourceType:     "signal",
				Action:           "signal.touched",
			},
		)
		return err
	}
	if err := write(open); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var g errgroup.Group
	written := 0
	g.Go(func() error {
		for {
			select {
			case <-done:
				return nil
			default:
			}
			if err := pgx.BeginFunc(t.Context(), w.db.Pool, func(tx pgx.Tx) error {
				if _, err := tx.Exec(t.Context(), `SET LOCAL lock_timeout = '1s'`); err != nil {
					return err
				}
				return write(tx)
			}); err != nil {
				return err
			}
			written++
		}
	})
	report, err := w.runner().Run(t.Context(), uuid.Nil, nil)
	close(done)
	if err != nil {
		t.Errorf("run: %v", err)
	}
	if err := g.Wait(); err != nil {
		t.Errorf("a writer during the drop: %v", err)
	}
	if written == 0 {
		t.Error("no activity was recorded meanwhile")
	}
	if !slices.Contains(report.Busy, part) || len(report.Partitions) != 0 {
		t.Errorf("got %v dropped and %v busy, want none and %s", report.Partitions, report.Busy, part)
	}
	if report.Removed.Activities != 20 {
		t.Errorf("removed: got %d, want the 20, in batches", report.Removed.Activities)
	}
	if err := open.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.add(old(tenant, 3, 80)...)
	if report = w.run(); !slices.Contains(report.Partitions, part) {
		t.Errorf("after the commit: got %v dropped, want %s", report.Partitions, part)
	}
	if got := w.count(`SELECT count(*) FROM pg_class WHERE relname = $1`, part); got != 0 {
		t.Errorf("the partition still exists")
	}
	if got := w.count(`
		SELECT count(*)
		FROM fanfare.activities
		WHERE action = 'retention.purged' AND payload -> 'partitions' = to_jsonb(ARRAY[$1::text])`, part); got != 1 {
		t.Errorf("records that name the partition: got %d, want 1", got)
	}
}

// TestLocksOfABatch checks the locks of a batch before its commit.
func TestLocksOfABatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.months(4)
	tenant, run := uuid.New(), uuid.New()
	w.policy(tenant, map[retention.Field]int64{retention.MaxDays: 20})
	w.add(old(tenant, 20, 80)...)
	w.exec(`SELECT fanfare.retention_begin($1, NULL)`, run)
	tx, err := w.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	var removed int64
	if err := tx.QueryRow(t.Context(), `
		SELECT removed
		FROM fanfare.purge_activities($1, $2, $3, 100)`, run, tenant, uuid.Nil).Scan(&removed); err != nil ||
		removed != 20 {
		t.Fatalf("removed: got %d, %v, want 20", removed, err)
	}
	var locks []string
	if err := tx.QueryRow(t.Context(), `
		SELECT array_agg(DISTINCT c.relname || ' ' || l.mode ORDER BY c.relname || ' ' || l.mode)
		FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation
		WHERE l.pid = pg_backend_pid() AND c.relkind IN ('r', 'p') AND c.relnamespace = 'fanfare'::regnamespace
			AND l.mode <> 'AccessShareLock'`).Scan(&locks); err != nil {
		t.Fatal(err)
	}
	part := "activities_" + w.ago(80).UTC().Format("y2006m01")
	want := []string{
		"activities RowExclusiveLock",
		part + " RowExclusiveLock",
		"idempotency_keys RowExclusiveLock",
		"legal_holds ShareLock",
		"retention ShareLock",
		"retention_lease RowExclusiveLock",
		"retention_progress RowExclusiveLock",
		"retention_unrecorded RowExclusiveLock",
	}
	if !slices.Equal(locks, want) {
		t.Errorf("locks: got %q, want %q", locks, want)
	}
}

// TestPartitionIsRemovable checks the conditions under which a partition is kept.
func TestPartitionIsRemovable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.months(4)
	tenant, other := uuid.New(), uuid.New()
	w.policy(tenant, map[retention.Field]int64{retention.MaxDays: 20})
	w.add(old(tenant, 2, 80)...)
	part := "activities_" + w.ago(80).UTC().Format("y2006m01")
	removable := func(want bool, why string) {
		t.Helper()
		var got bool
		w.scan(&got, `SELECT fanfare.partition_is_removable($1)`, part)
		if got != want {
			t.Errorf("%s: got %t, want %t", why, got, want)
		}
	}
	removable(true, "every activity has expired")
	w.hold(tenant, &w.entries[0].resource, nil)
	removable(false, "a hold on a resource")
	w.exec(`UPDATE fanfare.legal_holds SET released_at = now()`)
	removable(true, "the hold is released")
	w.hold(tenant, nil, &w.entries[1].actor)
	removable(false, "a hold on an actor")
	w.exec(`UPDATE fanfare.legal_holds SET released_at = now()`)
	w.hold(tenant, nil, nil)
	removable(false, "a hold on the tenant")
	w.exec(`UPDATE fanfare.legal_holds SET released_at = now()`)
	w.hold(other, nil, &w.entries[1].actor)
	removable(true, "a hold of another tenant")
	for _, table := range []string{"outbox", "parked", "fan_out_jobs", "dead_letters"} {
		w.add(entry{tenant: tenant, resource: tenant, actor: tenant, age: 80, pending: table})
		removable(false, "pending in "+table)
		w.exec(`DELETE FROM fanfare.` + table)
		removable(true, "no longer pending in "+table)
	}
	w.add(old(other, 1, 80)...)
	removable(false, "a tenant without a limit")
	for _, name := range []string{"activities_default", "outbox", "activities", "nowhere"} {
		var got bool
		w.scan(&got, `SELECT fanfare.partition_is_removable($1)`, name)
		if got {
			t.Errorf("%s is removable", name)
		}
	}
}

// TestKeysAreRemovedWithActivities records purged activities again: they are created.
func TestKeysAreRemovedWithActivities(t *testing.T) {
	t.Parallel()
	for name, months := range map[string]int{"batches": 0, "partition": 3} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.months(months)
			tenant := uuid.New()
			w.policy(tenant, map[retention.Field]int64{retention.MaxDays: 20, retention.IdempotencyDays: 0})
			w.add(old(tenant, 1, 70)...)
			// Recorded late, after the keys of its period were removed.
			w.exec(`INSERT INTO fanfare.retention_progress (tenant_id, keys_upto) VALUES ($1, $2)`, tenant, uuid.Max)
			if report := w.run(); (len(report.Partitions) > 0) != (months > 0) {
				t.Fatalf("dropped: got %v", report.Partitions)
			}
			e := w.entries[0]
			var again outbox.Recorded
			err := pgx.BeginFunc(t.Context(), w.db.Pool, func(tx pgx.Tx) (err error) {
				again, err = outbox.Record(t.Context(), tx, activity.Envelope{
					TenantID:         e.tenant,
					ActorPrincipalID: e.actor,
					ResourceID:       e.resource,
					ResourceType:     "signal",
					Action:           "signal.created",
					CorrelationID:    e.correlation,
				})
				return err
			})
			if err != nil || !again.Created || again.ID == e.id {
				t.Errorf("recording again: got %+v, %v, want it created", again, err)
			}
		})
	}
}

// TestParkedForTooLong makes a parked activity a dead letter and unblocks those behind it.
func TestParkedForTooLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tenant, resource := uuid.New(), uuid.New()
	w.add(
		entry{tenant: tenant, resource: resource, actor: tenant, age: 50, pending: "parked", since: 40},
		entry{tenant: tenant, resource: resource, actor: tenant, age: 20, pending: "parked", since: 20},
		entry{tenant: tenant, resource: resource, actor: tenant, age: 10, pending: "parked", since: 10},
	)
	w.exec(`UPDATE fanfare.parked SET retry_at = NULL WHERE activity_id <> $1`, w.entries[0].id)
	w.exec(
		`UPDATE fanfare.parked SET error = 'no such channel', attempts = 3, channels = '{user}' WHERE activity_id = $1`,
		w.entries[0].id,
	)
	if report := w.run(); report.Removed != (retention.Counts{Parked: 1}) {
		t.Errorf("removed: got %+v, want one parked", report.Removed)
	}
	letters, err := outbox.NewBacklog(w.db.Pool).DeadLetters(t.Context(), tenant, outbox.DeadQuery{Limit: 10})
	if err != nil || len(letters) != 1 || letters[0].ActivityID != w.entries[0].id || letters[0].Attempts != 3 ||
		!strings.HasPrefix(
			letters[0].Error,
			"parked since 20",
		) || !strings.HasSuffix(letters[0].Error, ": no such channel") {
		t.Fatalf("dead letters: got %+v, %v", letters, err)
	}
	if got := w.count(`
		SELECT count(*)
		FROM fanfare.parked
		WHERE activity_id = $1 AND retry_at <= now()`, w.entries[1].id); got != 1 {
		t.Error("the blocked activity is not unblocked")
	}
	if got := w.count(`
		SELECT count(*)
		FROM fanfare.parked
		WHERE activity_id = $1 AND retry_at IS NULL`, w.entries[2].id); got != 1 {
		t.Error("the third activity overtakes the second")
	}
	if n, err := outbox.NewBacklog(w.db.Pool).Replay(t.Context(), tenant, w.entries[0].id); err != nil || n != 1 {
		t.Errorf("replay: got %d, %v, want it in the outbox", n, err)
	}
}

// TestParkedInAClaimedLane keeps a parked activity until the lane is released.
func TestParkedInAClaimedLane(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tenant := uuid.New()
	w.add(entry{tenant: tenant, resource: tenant, actor: tenant, age: 50, pending: "parked", since: 40})
	claim, err := w.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = claim.Rollback(context.Background()) }()
	if _, err := claim.Exec(t.Context(), `
		SELECT pg_advisory_xact_lock(x'46414e46'::int, fanfare.lane_of($1, $1))`, tenant); err != nil {
		t.Fatal(err)
	}
	if report := w.run(); report.Removed.Parked != 0 {
		t.Errorf("while the lane is claimed: got %d moved, want 0", report.Removed.Parked)
	}
	if err := claim.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if report := w.run(); report.Removed.Parked != 1 {
		t.Errorf("after its release: got %d moved, want 1", report.Removed.Parked)
	}
}

// TestServiceTokens removes tokens a number of days after their end.
func TestServiceTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tenant := uuid.New()
	add := func(name string, created, expires, revoked int) {
		w.exec(
			`
				INSERT INTO fanfare.service_tokens (id, tenant_id, principal_id, created_at, expires_at, revoked_at,
					name, scopes, hash)
			VALUES (gen_random_uuid(), $1, $1, $2, $3, CASE WHEN $4 > 0 THEN now() - make_interval(days => $4) END,
				$5::text, '{}', sha256($5::text::bytea))`,
			tenant,
			w.ago(created),
			w.ago(expires),
			revoked,
			name,
		)
	}
	add("long expired", 300, 100, 0)
	add("long revoked", 300, -10, 100)
	add("just expired", 300, 80, 0)
	add("just revoked", 300, -10, 80)
	add("lives", 300, -10, 0)
	w.run()
	var left string
	w.scan(&left, `SELECT string_agg(name, ', ' ORDER BY name) FROM fanfare.service_tokens`)
	if want := "just expired, just revoked, lives"; left != want {
		t.Errorf("left: got %s, want %s", left, want)
	}
}

// TestOneTenant runs for one tenant and leaves the others unchanged.
func TestOneTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.months(3)
	tenant, other := uuid.New(), uuid.New()
	w.policy(retention.Installation, map[retention.Field]int64{retention.MaxDays: 20})
	w.add(old(tenant, 9, 70)...)
	w.add(old(other, 9, 70)...)
	report, err := w.runner().Run(t.Context(), tenant, nil)
	if err != nil || report.Removed.Activities != 9 || report.Tenants != 1 || len(report.Partitions) != 0 {
		t.Errorf("got %+v, %v, want the tenant's 9", report, err)
	}
	if got := w.count(`SELECT count(*) FROM fanfare.activities WHERE tenant_id = $1`, other); got != 9 {
		t.Errorf("of the other tenant: got %d left, want 9", got)
	}
}

// TestRefusedRecordIsRetried uses a taxonomy that requires a key which records of retention lack.
func TestRefusedRecordIsRetried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	strict, lax := uuid.New(), uuid.New()
	w.policy(retention.Installation, map[retention.Field]int64{retention.MaxDays: 20})
	w.exec(`INSERT INTO fanfare.enforcement (tenant_id, mode) VALUES ($1, 'strict')`, strict)
	w.exec(`INSERT INTO fanfare.taxonomy (action, category, description, required_keys)
		VALUES ('retention.purged', 'retention', 'Removed.', '{reason}')`)
	w.add(old(strict, 9, 70)...)
	w.add(old(lax, 4, 70)...)
	_, err := w.runner().Run(t.Context(), uuid.Nil, nil)
	if err == nil || !strings.Contains(err.Error(), strict.String()) {
		t.Errorf("got %v, want an error that names the tenant", err)
	}
	if activities, _, _ := w.sum(lax); activities != 4 {
		t.Errorf("the other tenant's record: got %d, want 4", activities)
	}
	w.exec(`UPDATE fanfare.enforcement SET mode = 'off'`)
	w.run()
	if activities, _, _ := w.sum(strict); activities != 9 {
		t.Errorf("recorded later: got %d, want 9", activities)
	}
}

// TestPrivileges calls the functions as a service and as a member of fanfare_retention.
func TestPrivileges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tenant := uuid.New()
	w.add(old(tenant, 1, 70)...)
	names := []string{}
	w.scan(&names, `
		SELECT array_agg(p.oid::regprocedure::text ORDER BY 1) FROM pg_proc AS p
		WHERE p.pronamespace = 'fanfare'::regnamespace
			AND p.proname ~ ('^(purge_|retention_|drop_partition|partition_is_removable|ensure_partition'
				|| '|activity_partitions)')
			AND (has_function_privilege('public', p.oid, 'EXECUTE')
				OR has_function_privilege('fanfare_writer', p.oid, 'EXECUTE'))`)
	if len(names) > 0 {
		t.Errorf("executable by services: %v", names)
	}
	for _, sql := range []string{`DELETE FROM fanfare.activities`, `UPDATE fanfare.activities SET message = ''`} {
		if _, err := w.db.Pool.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: got %v, want it refused", sql, err)
		}
	}
	// A role that may execute the functions removes no more than the policies allow: here, nothing.
	run := uuid.New()
	w.exec(`SELECT fanfare.retention_begin($1, NULL)`, run)
	w.exec(`SELECT fanfare.purge_activities($1, $2, $3, 1000)`, run, tenant, uuid.Nil)
	w.exec(`SELECT fanfare.drop_partition($1, 'activities_default')`, run)
	if got := w.count(`SELECT count(*) FROM fanfare.activities`); got != 1 {
		t.Errorf("left: got %d, want 1", got)
	}
}
