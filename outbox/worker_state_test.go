package outbox

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// startScribe runs a worker with a scribe until the end of the test. change, if any, changes it
// before.
func startScribe(t *testing.T, db *pgtest.DB, pool *pgxpool.Pool, o Options, change func(*Worker)) *Worker {
	t.Helper()
	if _, err := db.Pool.Exec(t.Context(), scribedTable); err != nil {
		t.Fatal(err)
	}
	w := NewWorker(pool, scribe{}, o)
	if change != nil {
		change(w)
	}
	ctx, stop := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	ended.Go(func() { _ = w.Run(ctx) })
	t.Cleanup(func() {
		stop()
		ended.Wait()
	})
	return w
}

func waitDelivered(t *testing.T, db *pgtest.DB, id uuid.UUID) {
	t.Helper()
	waittest.Query(t, db.Pool, "delivered", `SELECT count(*) = 1 FROM scribed WHERE activity_id = $1`, id)
}

func execute(t *testing.T, db *pgtest.DB, sql string, args ...any) {
	t.Helper()
	if _, err := db.Pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// TestWorkerNoticesAFailover gives a worker, which never sweeps, servers that lack the latest
// transactions: a sequence that went back, and a server that restarted.
func TestWorkerNoticesAFailover(t *testing.T) {
	t.Parallel()
	server, db := pgtest.NewCluster(t)
	startScribe(t, db, db.Pool, Options{Sweep: time.Hour}, nil)
	for range 20 {
		waitDelivered(t, db, commitOne(t, db.Pool))
	}
	execute(t, db, `ALTER SEQUENCE fanfare.outbox_seq_seq RESTART WITH 1`)
	for range 20 {
		waitDelivered(t, db, commitOne(t, db.Pool))
	}
	if err := server.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	db.Pool.Reset()
	waittest.Until(t, "the database answers", func() bool { return db.Pool.Ping(t.Context()) == nil })
	waitDelivered(t, db, commitOne(t, db.Pool))
}

func TestHintsHold(t *testing.T) {
	t.Parallel()
	before := origin{server: "a", lastSeq: 50, xmax: 900}
	for name, c := range map[string]struct {
		now  origin
		want bool
	}{
		"the same":               {before, true},
		"later":                  {origin{"a", 60, 950}, true},
		"a sequence unknown":     {origin{"a", 0, 950}, true},
		"another server":         {origin{"b", 60, 950}, false},
		"seqs went back":         {origin{"a", 39, 950}, false},
		"transactions went back": {origin{"a", 60, 899}, false},
	} {
		h := hints{pos: 40, origin: before}
		if got := h.hold(c.now); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	if fresh := (hints{}); !fresh.hold(origin{"b", 1, 1}) {
		t.Error("hints without content: got false, want true")
	}
}

// TestWorkerNamesAForeignHolder lets another session take the locks of all lanes.
func TestWorkerNamesAForeignHolder(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	conn, err := db.Pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(t.Context(), `SET application_name = 'mischief'`); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `SELECT pg_advisory_lock($1::int, n) FROM generate_series(0, 63) AS n`,
		LaneLockClass); err != nil {
		t.Fatal(err)
	}
	core, logged := observer.New(zap.WarnLevel)
	w := startScribe(t, db, db.Pool, Options{Logger: zap.New(core)}, func(w *Worker) {
		w.limits.miss, w.limits.watch = 50*time.Millisecond, 20*time.Millisecond
	})
	id := commitOne(t, db.Pool)
	waittest.Until(t, "the worker names the holder", func() bool {
		p := w.Problem()
		return p.Err != nil && strings.Contains(p.Err.Error(), "mischief") &&
			strings.Contains(p.Err.Error(), "pg_terminate_backend")
	})
	found, err := NewBacklog(db.Pool).Holders(t.Context())
	if err != nil || len(found) != 1 || found[0].Lanes != Lanes || found[0].Application != "mischief" {
		t.Errorf("got %+v, %v, want the session with all lanes", found, err)
	}
	if got := logged.FilterMessageSnippet("holds lanes").Len(); got != 1 {
		t.Errorf("got %d warnings, want 1", got)
	}
	if _, err := conn.Exec(t.Context(), `SELECT pg_advisory_unlock_all()`); err != nil {
		t.Fatal(err)
	}
	waitDelivered(t, db, id)
	waittest.Until(t, "no problem is left", func() bool { return w.Problem().Err == nil })
}

// TestWorkerIgnoresAClockThatWasSetBack has rows that failed before the clock was set back an hour.
// One that an operator parked waits.
func TestWorkerIgnoresAClockThatWasSetBack(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	failed, job, manual := commitOne(t, db.Pool), commitOne(t, db.Pool), commitOne(t, db.Pool)
	execute(t, db, `
		WITH taken AS (DELETE FROM fanfare.outbox WHERE activity_id = $1 RETURNING *)
		INSERT INTO fanfare.parked (lane, seq, activity_id, tenant_id, resource_id, recorded_at, attempts, retry_at)
		SELECT lane, seq, activity_id, tenant_id, resource_id, recorded_at, 3, now() + interval '1 hour' FROM taken`,
		failed)
	execute(t, db, `
		WITH taken AS (DELETE FROM fanfare.outbox WHERE activity_id = $1 RETURNING *)
		INSERT INTO fanfare.fan_out_jobs (activity_id, lane, seq, tenant_id, resource_id, recorded_at, retry_at)
		SELECT activity_id, lane, seq, tenant_id, resource_id, recorded_at, now() + interval '1 hour' FROM taken`, job)
	if err := NewBacklog(db.Pool).Park(t.Context(), testTenant, manual, time.Hour, "manually"); err != nil {
		t.Fatal(err)
	}
	startScribe(t, db, db.Pool, Options{}, nil)
	waitDelivered(t, db, failed)
	waittest.Query(t, db.Pool, "the job has ended", `SELECT NOT EXISTS (SELECT FROM fanfare.fan_out_jobs)`)
	waitDelivered(t, db, commitOne(t, db.Pool))
	waittest.Query(t, db.Pool, "parked manually", `SELECT count(*) = 1 FROM fanfare.parked WHERE activity_id = $1`,
		manual)
}

func TestClockSetBack(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var c clock
	for i, step := range []struct {
		server, local time.Duration
		want          time.Duration
	}{
		{0, 0, 0},
		{time.Second, time.Second, 0},
		{-time.Hour + 2*time.Second, 2 * time.Second, time.Hour},
		{-time.Hour + 3*time.Second, 3 * time.Second, 0},
		{time.Hour, 4 * time.Second, 0}, // forward
		{time.Hour + time.Second, 6 * time.Second, 0},
	} {
		if got := c.setBack(now.Add(step.server), now.Add(step.local)); got != step.want {
			t.Errorf("step %d: got %v, want %v", i, got, step.want)
		}
	}
}

// TestWorkerSaysHowManyConnectionsItNeeds gives a worker fewer connections than it needs. It
// delivers all the same, and says so once.
func TestWorkerSaysHowManyConnectionsItNeeds(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	role := fmt.Sprintf("few_%d", time.Now().UnixNano())
	for _, sql := range []string{
		`CREATE ROLE %s LOGIN PASSWORD 'few' CONNECTION LIMIT 3`, `GRANT USAGE ON SCHEMA fanfare TO %s`,
		`GRANT ALL ON ALL TABLES IN SCHEMA fanfare TO %s`, `GRANT ALL ON ALL SEQUENCES IN SCHEMA fanfare TO %s`,
	} {
		execute(t, db, fmt.Sprintf(sql, role))
	}
	t.Cleanup(func() {
		for _, sql := range []string{`DROP OWNED BY %s`, `DROP ROLE %s`} {
			if _, err := db.Pool.Exec(context.Background(), fmt.Sprintf(sql, role)); err != nil {
				t.Error(err)
			}
		}
	})
	u, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(role, "few")
	config, err := pgxpool.ParseConfig(u.String())
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 11
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	core, logged := observer.New(zap.InfoLevel)
	startScribe(t, db, pool, Options{Logger: zap.New(core), Claimers: 8, Batch: 1}, nil)
	execute(t, db, fmt.Sprintf(`GRANT ALL ON scribed TO %s`, role))
	var last uuid.UUID
	for range 200 {
		last = commitOne(t, db.Pool)
	}
	waitDelivered(t, db, last)
	waittest.Query(t, db.Pool, "all are delivered", `SELECT count(*) = 200 FROM scribed`)
	few := logged.FilterLevelExact(zap.WarnLevel)
	if few.Len() != 1 || !strings.Contains(fmt.Sprint(few.All()[0].ContextMap()), "opens up to 11 connections") {
		t.Errorf("got %v, want one warning with the number of connections", few.All())
	}
}

func TestAssignmentDividesProbesAndLanes(t *testing.T) {
	t.Parallel()
	const poll = 25 * time.Millisecond
	start := time.Unix(1_800_000_000, 0)
	for _, count := range []int{1, 2, 4, 16, 64} {
		slots := map[time.Duration]int{}
		owners := map[int]int{}
		for place := range count {
			a := assignment{place: place, count: count}
			first := a.untilProbe(start, poll)
			slots[first%(poll*time.Duration(count))]++
			if got := a.untilProbe(start.Add(first), poll); got != poll*time.Duration(count) {
				t.Errorf("%d of %d: got a round of %v, want %v", place, count, got, poll*time.Duration(count))
			}
			for lane := range Lanes {
				if a.owns(lane) {
					owners[lane]++
				}
			}
		}
		for slot, n := range slots {
			if n != 1 || slot%poll != 0 {
				t.Errorf("%d workers: got %d in the slot at %v, want each slot for one", count, n, slot)
			}
		}
		for lane := range Lanes {
			if owners[lane] != 1 {
				t.Errorf("%d workers: lane %d has %d owners, want 1", count, lane, owners[lane])
			}
		}
	}
}

// TestWorkersRegister runs three workers and stops one.
func TestWorkersRegister(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ctx, stop := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	for range 3 {
		w := NewWorker(db.Pool, scribe{}, Options{Claimers: 1})
		ended.Go(func() { w.stayRegistered(ctx) })
	}
	waittest.Query(t, db.Pool, "registered", `SELECT count(*) = 3 FROM fanfare.workers`)
	stop()
	ended.Wait()
	waittest.Query(t, db.Pool, "unregistered", `SELECT count(*) = 0 FROM fanfare.workers`)
}

func TestFailureNeedsWitnesses(t *testing.T) {
	t.Parallel()
	data := errors.New("cannot be rendered")
	now := time.Now()
	at := func(seconds int) time.Time { return now.Add(time.Duration(seconds) * time.Second) }
	type view struct {
		limit   int
		culprit bool
	}
	for name, c := range map[string]struct {
		err       error
		size      int
		delivered func(i int) time.Time // by another lane, before failure i
		failures  int
		want      view
	}{
		"alone, others deliver":          {data, 1, func(i int) time.Time { return at(i*10 - 1) }, 3, view{0, true}},
		"alone, nothing delivers":        {data, 1, func(int) time.Time { return at(-1) }, 1000, view{0, false}},
		"nothing is claimed":             {data, 0, func(i int) time.Time { return at(i*10 - 1) }, 99, view{0, false}},
		"one delivery before an outage":  {data, 1, func(int) time.Time { return at(1) }, 1000, view{0, false}},
		"a batch is halved on suspicion": {data, 100, func(int) time.Time { return at(-1) }, 1, view{50, false}},
		"an outage never halves": {
			fmt.Errorf("%w: x", ErrUnavailable), 100, func(int) time.Time { return at(-1) }, 1000, view{0, false},
		},
	} {
		var f failure
		for i := range c.failures {
			f = f.next(c.err, c.size, c.delivered(i), at(i*10))
		}
		if got := (view{f.limit, f.culprit != nil}); got != c.want {
			t.Errorf("%s: %s", name, cmp.Diff(c.want, got, cmp.AllowUnexported(view{})))
		}
	}
}
