package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/outbox"
)

// impatient retries soon and gives up soon.
var impatient = outbox.Retries{First: time.Millisecond, Longest: 5 * time.Millisecond, MaxAttempts: 2}

// attempts waits until the handler has been called often enough for every limit to be passed, were
// the activities to blame.
func attempts(t *testing.T, h *ledger, n int) {
	t.Helper()
	var before int
	h.set(func() { before = len(h.seen) })
	waittest.Until(t, "attempts", func() bool {
		enough := false
		h.set(func() { enough = len(h.seen) >= before+n })
		return enough
	})
}

// TestWorkerBlamesNoActivityForTheConfiguration lets every batch fail with errors that a broken
// view, a revoked right or a pooler cause.
func TestWorkerBlamesNoActivityForTheConfiguration(t *testing.T) {
	t.Parallel()
	for name, cause := range map[string]error{
		"a broken view":       &pgconn.PgError{Code: "42703", Message: `column "owner" does not exist`},
		"a view that divides": &pgconn.PgError{Code: "22012", Message: "division by zero"},
		"a revoked right":     &pgconn.PgError{Code: "42501", Message: "permission denied for view resources"},
		"a changed type":      &pgconn.PgError{Code: "0A000", Message: "cached plan must not change result type"},
		"a pooler":            &pgconn.PgError{Code: "26000", Message: "prepared statement does not exist"},
		"an error in Go":      errors.New("cannot be rendered"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, h := newLedger(t)
			tenant := uuid.New()
			for i := range 5 {
				record(t, db.Pool, envelope(tenant, uuid.New(), fmt.Sprintf("signal.n%d", i)))
			}
			broken := true
			h.fail = func([]outbox.Item) error {
				h.mu.Lock()
				defer h.mu.Unlock()
				if broken {
					return cause
				}
				return nil
			}
			w := start(t, db.Pool, h, outbox.Options{Retries: impatient})
			attempts(t, h, 200)
			status, err := outbox.NewBacklog(db.Pool).Status(t.Context(), uuid.Nil)
			if err != nil || status.Pending != 5 || status.Parked != 0 || status.DeadLetters != 0 {
				t.Errorf("got %+v, %v, want 5 pending and nothing parked or dead", status, err)
			}
			waittest.Until(t, "the worker names the problem", func() bool {
				p := w.Problem()
				return p.Err != nil && strings.Contains(p.Err.Error(), cause.Error())
			})
			h.set(func() { broken = false })
			waittest.Query(t, db.Pool, "drained", isDrained)
			if p := w.Problem(); p.Err != nil {
				t.Errorf("got problem %v after the outage, want none", p.Err)
			}
		})
	}
}

// TestWorkerBlamesNoActivityForAPooler lets batches fail at random, as they do behind a pooler that
// mixes up prepared statements, while others get through.
func TestWorkerBlamesNoActivityForAPooler(t *testing.T) {
	t.Parallel()
	db, h := newLedger(t)
	tenant := uuid.New()
	for i := range 100 {
		record(t, db.Pool, envelope(tenant, uuid.New(), fmt.Sprintf("signal.n%d", i)))
	}
	calls := 0
	h.fail = func([]outbox.Item) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		if calls++; calls%10 != 0 {
			return &pgconn.PgError{Code: "42P05", Message: "prepared statement already exists"}
		}
		return nil
	}
	run(t, db.Pool, h, outbox.Options{Retries: impatient, Batch: 1})
	waittest.Query(t, db.Pool, "drained", isDrained)
	waittest.Query(t, db.Pool, "all are delivered", `SELECT count(*) = 100 FROM ledger`)
}

// TestWorkerPublishesNothingThatItCannotSettle takes away what settling needs. After at most one
// batch, whose failure shows it, the handler is not called.
func TestWorkerPublishesNothingThatItCannotSettle(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		impair, mend string
		calls        int  // of the handler, at most, for each lane in progress
		job          bool // the activity is a fan-out job, which is handled in steps
	}{
		"read-only": {
			`ALTER DATABASE %s SET default_transaction_read_only = on`,
			`ALTER DATABASE %s RESET default_transaction_read_only`, 0, false,
		},
		"the outbox cannot be deleted from": {
			`CREATE TRIGGER stop BEFORE DELETE ON fanfare.outbox EXECUTE FUNCTION fanfare.refuse()`,
			`DROP TRIGGER stop ON fanfare.outbox`, 1, false,
		},
		"a deferred constraint of the outbox": {
			`CREATE CONSTRAINT TRIGGER stop AFTER DELETE ON fanfare.outbox DEFERRABLE INITIALLY DEFERRED
				FOR EACH ROW EXECUTE FUNCTION fanfare.refuse()`,
			`DROP TRIGGER stop ON fanfare.outbox`, 1, false,
		},
		"fan-out jobs cannot be changed": {
			`CREATE TRIGGER stop BEFORE UPDATE OR DELETE ON fanfare.fan_out_jobs EXECUTE FUNCTION fanfare.refuse()`,
			`DROP TRIGGER stop ON fanfare.fan_out_jobs`, 1, true,
		},
		"a deferred constraint of fan-out jobs": {
			`CREATE CONSTRAINT TRIGGER stop AFTER UPDATE OR DELETE ON fanfare.fan_out_jobs
				DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fanfare.refuse()`,
			`DROP TRIGGER stop ON fanfare.fan_out_jobs`, 1, true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, h := newLedger(t)
			exec := func(sql string) {
				t.Helper()
				if strings.Contains(sql, "%s") {
					sql = fmt.Sprintf(sql, db.Pool.Config().ConnConfig.Database)
				}
				if _, err := db.Pool.Exec(t.Context(), sql); err != nil {
					t.Fatal(err)
				}
			}
			exec(`CREATE FUNCTION fanfare.refuse() RETURNS trigger LANGUAGE plpgsql
				AS 'BEGIN RAISE ''refused'' USING ERRCODE = ''42501''; END'`)
			id := record(t, db.Pool, envelope(uuid.New(), uuid.New(), "signal.created"))
			if c.job {
				exec(`WITH taken AS (DELETE FROM fanfare.outbox RETURNING *)
					INSERT INTO fanfare.fan_out_jobs (activity_id, lane, seq, tenant_id, resource_id, recorded_at)
					SELECT activity_id, lane, seq, tenant_id, resource_id, now() FROM taken`)
			}
			h.step = func(job outbox.Job) (outbox.Step, error) {
				h.set(func() { h.seen = append(h.seen, job.ID) })
				return outbox.Step{Done: true}, nil
			}
			exec(c.impair)
			pool := reconnect(t, db)
			failed := make(failures, 1000)
			w := start(t, pool, h, outbox.Options{Retries: impatient, Observer: failed})
			for range 30 {
				<-failed
			}
			h.set(func() {
				if len(h.seen) > c.calls {
					t.Errorf("the handler was called %d times, want at most %d", len(h.seen), c.calls)
				}
			})
			waittest.Until(t, "the worker names the problem", func() bool { return w.Problem().Err != nil })
			if strings.Contains(c.mend, "RESET") {
				if _, err := db.Pool.Exec(t.Context(), `SET default_transaction_read_only = off`); err != nil {
					t.Fatal(err)
				}
			}
			exec(c.mend)
			pool.Reset()
			waittest.Query(t, db.Pool, "delivered", `SELECT count(*) = 1 FROM ledger WHERE activity_id = $1`, id)
		})
	}
}

// failures is an Observer that receives the errors of batches that were rolled back.
type failures chan error

func (f failures) Observe(r outbox.Report) {
	if r.Err != nil {
		select {
		case f <- r.Err:
		default:
		}
	}
}

// TestWorkerSurvivesItsObserver has an observer that panics at every report, of batches and of
// steps: everything is delivered, once.
func TestWorkerSurvivesItsObserver(t *testing.T) {
	t.Parallel()
	db, h := newLedger(t)
	wide := uuid.New()
	h.fanOut(wide)
	record(t, db.Pool, envelope(uuid.New(), wide, "signal.created"))
	core, logged := observer.New(zap.ErrorLevel)
	run(t, db.Pool, h, outbox.Options{Observer: panicking{}, Logger: zap.New(core)})
	for range 5 {
		record(t, db.Pool, envelope(uuid.New(), uuid.New(), "signal.created"))
	}
	waittest.Query(t, db.Pool, "everything is delivered", `SELECT count(*) = 6 FROM ledger`)
	waittest.Query(t, db.Pool, "drained", isDrained)
	h.set(func() {
		if len(h.seen) != 6 {
			t.Errorf("the handler received %d activities, want each of the 6 once", len(h.seen))
		}
	})
	if got := logged.FilterMessage("observer of the outbox panicked").Len(); got != 1 {
		t.Errorf("got %d messages about the panics, want 1", got)
	}
}

type panicking struct{}

func (panicking) Observe(outbox.Report) { panic("nil map") }

// TestWorkerSettlesWhatWasDelivered delivers every second resource of a batch. The others stay
// pending, in order.
func TestWorkerSettlesWhatWasDelivered(t *testing.T) {
	t.Parallel()
	db, h := newLedger(t)
	tenant := uuid.New()
	pair := siblings(t, db, tenant)
	slow, quick := pair[0], pair[1]
	var want []uuid.UUID
	for i := range 5 {
		want = append(want, record(t, db.Pool, envelope(tenant, slow, fmt.Sprintf("slow.n%d", i))))
		record(t, db.Pool, envelope(tenant, quick, fmt.Sprintf("quick.n%d", i)))
	}
	patient := true
	h.refuse = func(item outbox.Item) outbox.Outcome {
		if patient && item.ResourceID == slow {
			return outbox.Outcome{Verdict: outbox.Pending, Err: fmt.Errorf("%w: slow", outbox.ErrUnavailable)}
		}
		return outbox.Outcome{}
	}
	core, logged := observer.New(zap.WarnLevel)
	run(t, db.Pool, h, outbox.Options{Retries: impatient, Logger: zap.New(core)})
	waittest.Query(t, db.Pool, "the others are delivered", `SELECT count(*) = 5 FROM ledger WHERE resource_id = $1`,
		quick)
	attempts(t, h, 100)
	waittest.Query(t, db.Pool, "pending", `SELECT count(*) = 5 FROM fanfare.outbox`)
	h.set(func() { patient = false })
	waittest.Query(t, db.Pool, "drained", isDrained)
	if got := delivered(t, db.Pool, slow); !equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := logged.FilterLevelExact(zapcore.WarnLevel).Len(); got == 0 || got > 3 {
		t.Errorf("got %d warnings, want the outage said once: %v", got, logged.All())
	}
}

// start runs a worker until the end of the test.
func start(t *testing.T, pool *pgxpool.Pool, h outbox.Handler, opts outbox.Options) *outbox.Worker {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	w := outbox.NewWorker(pool, h, opts)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: got %v, want nil", err)
		}
	})
	return w
}

// reconnect returns another pool on the database, with the database's current defaults.
func reconnect(t *testing.T, db *pgtest.DB) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// siblings returns two resources of one lane.
func siblings(t *testing.T, db *pgtest.DB, tenant uuid.UUID) [2]uuid.UUID {
	t.Helper()
	lanes := map[int]uuid.UUID{}
	for {
		id := uuid.New()
		var lane int
		if err := db.Pool.QueryRow(t.Context(), `SELECT fanfare.lane_of($1, $2)`, tenant, id).Scan(&lane); err != nil {
			t.Fatal(err)
		}
		if other, found := lanes[lane]; found {
			return [2]uuid.UUID{other, id}
		}
		lanes[lane] = id
	}
}
