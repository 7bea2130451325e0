package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap/zaptest"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/activitytest"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/outbox"
)

// ledger is a Handler that records its deliveries in the database, in the settling transaction, and
// the activities it receives in memory.
type ledger struct {
	mu     sync.Mutex
	refuse func(item outbox.Item) outbox.Outcome // nil delivers
	fail   func(batch []outbox.Item) error       // nil never does
	step   func(job outbox.Job) (outbox.Step, error)
	seen   []uuid.UUID
}

const ledgerTable = `
CREATE TABLE ledger (n bigint GENERATED ALWAYS AS IDENTITY, activity_id uuid NOT NULL, resource_id uuid NOT NULL)`

func (h *ledger) Handle(ctx context.Context, tx pgx.Tx, batch []outbox.Item) ([]outbox.Outcome, error) {
	h.mu.Lock()
	for _, item := range batch {
		h.seen = append(h.seen, item.ID)
	}
	fail, refuse := h.fail, h.refuse
	h.mu.Unlock()
	if fail != nil {
		if err := fail(batch); err != nil {
			return nil, err
		}
	}
	outcomes := make([]outbox.Outcome, len(batch))
	var delivered, resources [][16]byte
	for i, item := range batch {
		if refuse != nil {
			outcomes[i] = refuse(item)
		}
		if outcomes[i].Verdict == outbox.Delivered {
			delivered, resources = append(delivered, item.ID), append(resources, item.ResourceID)
		}
	}
	_, err := tx.Exec(
		ctx,
		`INSERT INTO public.ledger (activity_id, resource_id) SELECT * FROM unnest($1::uuid[], $2::uuid[])`,
		delivered,
		resources,
	)
	return outcomes, err
}

func (h *ledger) Step(ctx context.Context, tx pgx.Tx, job outbox.Job) (outbox.Step, error) {
	if h.step != nil {
		if s, err := h.step(job); err != nil || !s.Done {
			return s, err
		}
	}
	_, err := tx.Exec(
		ctx,
		`INSERT INTO public.ledger (activity_id, resource_id) VALUES ($1, $2)`,
		job.ID,
		job.ResourceID,
	)
	return outbox.Step{Done: true}, err
}

func (h *ledger) set(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

// newLedger returns a database with a table ledger.
func newLedger(t *testing.T) (*pgtest.DB, *ledger) {
	t.Helper()
	db := pgtest.New(t)
	if _, err := db.Pool.Exec(t.Context(), ledgerTable); err != nil {
		t.Fatal(err)
	}
	return db, &ledger{}
}

// fanOut makes the activities of a resource fan-out jobs.
func (h *ledger) fanOut(resource uuid.UUID) {
	h.refuse = func(item outbox.Item) outbox.Outcome {
		if item.ResourceID == resource {
			return outbox.Outcome{Verdict: outbox.FanOutJob}
		}
		return outbox.Outcome{}
	}
}

// run starts a worker and returns a function that stops it, which the end of the test calls too.
func run(t *testing.T, pool *pgxpool.Pool, h outbox.Handler, opts outbox.Options) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	if opts.Logger == nil {
		opts.Logger = zaptest.NewLogger(t)
	}
	w := outbox.NewWorker(pool, h, opts)
	go func() { done <- w.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: got %v, want nil", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func pause(d time.Duration) { <-time.After(d) }

func envelope(tenant, resource uuid.UUID, action string) activity.Envelope {
	e := activitytest.NewEnvelope()
	e.TenantID, e.ResourceID, e.Action = tenant, resource, action
	return e
}

// record commits one activity and returns its id.
func record(t *testing.T, db pg.Beginner, e activity.Envelope) uuid.UUID {
	t.Helper()
	_, r, err := outbox.TxActivity(
		t.Context(),
		db,
		e,
		func(context.Context, pgx.Tx, *activity.Envelope) (struct{}, error) { return struct{}{}, nil },
	)
	if err != nil {
		t.Fatal(err)
	}
	return r.ID
}

// delivered returns the activities of a resource in the order of their delivery.
func delivered(t *testing.T, pool *pgxpool.Pool, resource uuid.UUID) []uuid.UUID {
	t.Helper()
	rows, err := pool.Query(t.Context(), `SELECT activity_id FROM ledger WHERE resource_id = $1 ORDER BY n`, resource)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (uuid.UUID, error) {
		var id [16]byte
		err := row.Scan(&id)
		return id, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

const isDrained = `SELECT NOT EXISTS (SELECT FROM fanfare.outbox) AND NOT EXISTS (SELECT FROM fanfare.parked)
	AND NOT EXISTS (SELECT FROM fanfare.fan_out_jobs)`

func TestWorkerDeliversInOrder(t *testing.T) {
	t.Parallel()
	db, h := newLedger(t)
	tenant := uuid.New()
	resources := make([]uuid.UUID, 20)
	want := map[uuid.UUID][]uuid.UUID{}
	for i := range resources {
		resources[i] = uuid.New()
	}
	for i := range 400 {
		r := resources[i%len(resources)]
		want[r] = append(want[r], record(t, db.Pool, envelope(tenant, r, fmt.Sprintf("signal.n%d", i))))
	}
	run(t, db.Pool, h, outbox.Options{Batch: 7, Claimers: 3})
	run(t, db.Pool, h, outbox.Options{Batch: 5, Claimers: 2})
	waittest.Query(t, db.Pool, "drained", isDrained)
	for _, r := range resources {
		if got := delivered(t, db.Pool, r); !equal(got, want[r]) {
			t.Errorf("resource %s: got %v, want %v", r, got, want[r])
		}
	}
}

func equal(a, b []uuid.UUID) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestWorkerParksFailedAndBlockedActivities(t *testing.T) {
	t.Parallel()
	db, h := newLedger(t)
	tenant, sick, well := uuid.New(), uuid.New(), uuid.New()
	first := record(t, db.Pool, envelope(tenant, sick, "signal.one"))
	poison := record(t, db.Pool, envelope(tenant, sick, "signal.two"))
	broken := true
	h.refuse = func(item outbox.Item) outbox.Outcome {
		if item.ID == poison && broken {
			return outbox.Outcome{
				Verdict:  outbox.Retry,
				Err:      errors.New("it does not fit"),
				Channels: []string{"user:#x"},
			}
		}
		return outbox.Outcome{}
	}
	run(
		t,
		db.Pool,
		h,
		outbox.Options{
			Retries: outbox.Retries{First: 10 * time.Millisecond, Longest: 20 * time.Millisecond, MaxAttempts: 1000},
		},
	)
	waittest.Query(
		t,
		db.Pool,
		"parked",
		`SELECT count(*) = 1 FROM fanfare.parked WHERE activity_id = $1 AND attempts > 2 AND error = 'it does not fit'`,
		poison,
	)
	third := record(t, db.Pool, envelope(tenant, sick, "signal.three"))
	fourth := record(t, db.Pool, envelope(tenant, sick, "signal.four"))
	other := record(t, db.Pool, envelope(tenant, well, "signal.created"))
	waittest.Query(t, db.Pool, "other resources are delivered", `SELECT count(*) = 1 FROM ledger
		WHERE activity_id = $1`, other)
	waittest.Query(t, db.Pool, "blocked activities wait", `SELECT count(*) = 2 FROM fanfare.parked
		WHERE retry_at IS NULL`)
	if got := delivered(t, db.Pool, sick); !equal(got, []uuid.UUID{first}) {
		t.Errorf("while it fails: got %v, want only %v", got, first)
	}
	h.set(func() { broken = false })
	waittest.Query(t, db.Pool, "drained", isDrained)
	if got, want := delivered(t, db.Pool, sick), []uuid.UUID{first, poison, third, fourth}; !equal(got, want) {
		t.Errorf("afterwards: got %v, want %v", got, want)
	}
}

func TestWorkerWritesDeadLetters(t *testing.T) {
	t.Parallel()
	for name, verdict := range map[string]outbox.Verdict{
		"at once":            outbox.DeadLettered,
		"after its attempts": outbox.Retry,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, h := newLedger(t)
			tenant, resource := uuid.New(), uuid.New()
			poison := record(t, db.Pool, envelope(tenant, resource, "signal.one"))
			next := record(t, db.Pool, envelope(tenant, resource, "signal.two"))
			healed := false
			h.refuse = func(item outbox.Item) outbox.Outcome {
				if item.ID == poison && !healed {
					return outbox.Outcome{
						Verdict:  verdict,
						Err:      errors.New("unknown channel"),
						Channels: []string{"nope:x"},
					}
				}
				return outbox.Outcome{}
			}
			run(
				t,
				db.Pool,
				h,
				outbox.Options{Batch: 1, Retries: outbox.Retries{First: time.Millisecond, MaxAttempts: 3}},
			)
			waittest.Query(t, db.Pool, "drained", isDrained)
			if got := delivered(t, db.Pool, resource); !equal(got, []uuid.UUID{next}) {
				t.Errorf("delivered: got %v, want %v", got, next)
			}
			backlog := outbox.NewBacklog(db.Pool)
			dead, err := backlog.DeadLetters(t.Context(), tenant, outbox.DeadQuery{Limit: 10})
			if err != nil || len(dead) != 1 || dead[0].ActivityID != poison || dead[0].Error != "unknown channel" ||
				dead[0].Action != "signal.one" {
				t.Fatalf("dead letters: got %+v, %v, want one of %s", dead, err, poison)
			}
			h.set(func() { healed = true })
			if n, err := backlog.Replay(t.Context(), tenant, poison); n != 1 || err != nil {
				t.Fatalf("Replay: got %d, %v, want 1", n, err)
			}
			waittest.Query(t, db.Pool, "replayed", `SELECT count(*) = 2 FROM ledger`)
		})
	}
}

func TestWorkerFindsTheCulpritOfABatch(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]func() error{
		"an error":            func() error { return errors.New("cannot be rendered") },
		"a panic":             func() error { panic("nil map") },
		"an outage for it":    func() error { return fmt.Errorf("%w: timeout", outbox.ErrUnavailable) },
		"an error of the SQL": func() error { return errBadSQL },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, h := newLedger(t)
			tenant, resource := uuid.New(), uuid.New()
			var poison uuid.UUID
			for i := range 60 {
				id := record(t, db.Pool, envelope(tenant, resource, fmt.Sprintf("signal.n%d", i)))
				if i == 37 {
					poison = id
				}
			}
			h.fail = func(batch []outbox.Item) error {
				for _, item := range batch {
					if item.ID == poison {
						return failure()
					}
				}
				return nil
			}
			// Another lane keeps delivering, which distinguishes a culprit from an outage.
			stopWriting := make(chan struct{})
			var writing sync.WaitGroup
			writing.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stopWriting:
						return
					case <-time.After(5 * time.Millisecond):
						record(t, db.Pool, envelope(tenant, uuid.New(), fmt.Sprintf("other.n%d", i)))
					}
				}
			})
			run(
				t,
				db.Pool,
				h,
				outbox.Options{
					Retries: outbox.Retries{First: time.Millisecond, Longest: 5 * time.Millisecond, MaxAttempts: 2},
				},
			)
			waittest.Query(
				t,
				db.Pool,
				"dead",
				`SELECT count(*) = 1 FROM fanfare.dead_letters WHERE activity_id = $1`,
				poison,
			)
			close(stopWriting)
			writing.Wait()
			waittest.Query(t, db.Pool, "drained", isDrained)
			if got := len(delivered(t, db.Pool, resource)); got != 59 {
				t.Errorf("delivered: got %d, want 59", got)
			}
		})
	}
}

var errBadSQL = errors.New("invalid byte sequence")

func TestWorkerWaitsOutAnOutage(t *testing.T) {
	t.Parallel()
	db, h := newLedger(t)
	tenant := uuid.New()
	for i := range 50 {
		record(t, db.Pool, envelope(tenant, uuid.New(), fmt.Sprintf("signal.n%d", i)))
	}
	away, failures := true, 0
	h.fail = func([]outbox.Item) error {
		if h.mu.Lock(); away {
			failures++
			h.mu.Unlock()
			return fmt.Errorf("%w: connection refused", outbox.ErrUnavailable)
		}
		h.mu.Unlock()
		return nil
	}
	run(
		t,
		db.Pool,
		h,
		outbox.Options{
			Retries: outbox.Retries{First: time.Millisecond, Longest: 10 * time.Millisecond, MaxAttempts: 2},
		},
	)
	for enough := false; !enough; pause(5 * time.Millisecond) {
		h.set(func() { enough = failures > 300 })
	}
	status, err := outbox.NewBacklog(db.Pool).Status(t.Context(), uuid.Nil)
	if err != nil || status.Pending != 50 || status.Parked != 0 || status.DeadLetters != 0 {
		t.Errorf("during the outage: got %+v, %v, want 50 pending and nothing parked or dead", status, err)
	}
	h.set(func() { away = false })
	waittest.Query(t, db.Pool, "drained", isDrained)
}

func TestWorkerRunsFanOutJobs(t *testing.T) {
	t.Parallel()
	db, h := newLedger(t)
	tenant, celebrity, quiet := uuid.New(), uuid.New(), uuid.New()
	wide := record(t, db.Pool, envelope(tenant, celebrity, "signal.one"))
	behind := record(t, db.Pool, envelope(tenant, celebrity, "signal.two"))
	h.refuse = func(item outbox.Item) outbox.Outcome {
		switch item.ID {
		case wide:
			return outbox.Outcome{Verdict: outbox.FanOutJob}
		case behind:
			if item.Attempts == 0 && len(h.steps()) < 3 {
				return outbox.Outcome{Verdict: outbox.Blocked}
			}
		}
		return outbox.Outcome{}
	}
	release := make(chan struct{})
	h.step = func(job outbox.Job) (outbox.Step, error) {
		h.set(func() { h.seen = append(h.seen, job.LastPrincipalID) })
		n := len(h.steps())
		if n == 2 {
			return outbox.Step{}, errors.New("a passing fault")
		}
		if n < 5 {
			return outbox.Step{LastPrincipalID: uuid.UUID{15: byte(n)}, Notified: 10}, nil
		}
		<-release
		return outbox.Step{LastPrincipalID: job.LastPrincipalID, Done: true}, nil
	}
	h.seen = nil
	run(t, db.Pool, h, outbox.Options{Retries: outbox.Retries{First: time.Millisecond}})
	waittest.Query(
		t,
		db.Pool,
		"job in progress",
		`SELECT count(*) = 1 FROM fanfare.fan_out_jobs WHERE notified = 30 AND activity_id = $1`,
		wide,
	)
	late := record(t, db.Pool, envelope(tenant, celebrity, "signal.three"))
	other := record(t, db.Pool, envelope(tenant, quiet, "signal.created"))
	waittest.Query(t, db.Pool, "other resources are delivered", `SELECT count(*) = 1 FROM ledger
		WHERE activity_id = $1`, other)
	waittest.Query(t, db.Pool, "blocked activities wait", `SELECT count(*) = 2 FROM fanfare.parked
		WHERE retry_at IS NULL`)
	close(release)
	waittest.Query(t, db.Pool, "drained", isDrained)
	if got, want := delivered(t, db.Pool, celebrity), []uuid.UUID{wide, behind, late}; !equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// steps returns the cursors that Step was called with.
func (h *ledger) steps() []uuid.UUID {
	h.mu.Lock()
	defer h.mu.Unlock()
	var cursors []uuid.UUID
	for _, id := range h.seen {
		if id.Version() != 7 {
			cursors = append(cursors, id)
		}
	}
	return cursors
}

func TestWorkerFinishesTheBatchInProgress(t *testing.T) {
	t.Parallel()
	db, h := newLedger(t)
	id := record(t, db.Pool, envelope(uuid.New(), uuid.New(), "signal.created"))
	entered, leave := make(chan struct{}), make(chan struct{})
	h.fail = func([]outbox.Item) error { close(entered); <-leave; return nil }
	stop := run(t, db.Pool, h, outbox.Options{})
	<-entered
	stopped := make(chan struct{})
	go func() { stop(); close(stopped) }()
	select {
	case <-stopped:
		t.Error("Run returned before its batch ended")
	case <-time.After(50 * time.Millisecond):
	}
	close(leave)
	<-stopped
	waittest.Query(t, db.Pool, "delivered", `SELECT count(*) = 1 FROM ledger WHERE activity_id = $1`, id)
	waittest.Query(t, db.Pool, "drained", isDrained)
}
