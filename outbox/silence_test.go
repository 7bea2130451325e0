package outbox

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// TestWorkerSurvivesASilentNetwork forgets the connections of a worker in every state: between
// probes, and while a batch is handled. New connections work, and so delivery must come back.
func TestWorkerSurvivesASilentNetwork(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	if _, err := db.Pool.Exec(t.Context(), scribedTable); err != nil {
		t.Fatal(err)
	}
	n := pgtest.NewNetwork(t, db.URL)
	pool, err := pgxpool.New(t.Context(), n.URL)
	if err != nil {
		t.Fatal(err)
	}
	h := &interruptible{}
	w := NewWorker(pool, h, Options{Claimers: 2, Retries: Retries{First: time.Millisecond}})
	w.limits.probe, w.limits.begin = 500*time.Millisecond, 500*time.Millisecond
	w.limits.statement, w.limits.handle = 500*time.Millisecond, time.Second
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = w.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		pool.Close()
	})
	delivered := func(id uuid.UUID) {
		t.Helper()
		waittest.Query(t, db.Pool, "delivered", `SELECT count(*) = 1 FROM scribed WHERE activity_id = $1`, id)
	}
	delivered(commitOne(t, db.Pool))
	for range 3 {
		n.Forget()
		delivered(commitOne(t, db.Pool))
	}
	h.before.Store(func() { n.Forget() }) // once, in a transaction that holds its lane
	id := commitOne(t, db.Pool)
	waittest.Until(t, "handled", func() bool { return h.before.Load() == nil })
	// The server does not notice either: it ends the session when it has been idle for 20 s in its
	// transaction, and only then is the lane free.
	endIdleTransactions(t, db)
	delivered(id)
	// The row of a delivery is visible before the worker has heard that it is committed.
	waittest.Until(t, "no problem after a delivery", func() bool { return w.Problem().Err == nil })
}

// endIdleTransactions ends the sessions that wait in a transaction, as the server's timeout does
// later.
func endIdleTransactions(t *testing.T, db *pgtest.DB) {
	t.Helper()
	waittest.Query(t, db.Pool, "an idle transaction ended", `
		SELECT coalesce(bool_or(pg_terminate_backend(pid)), false) FROM pg_stat_activity
		WHERE datname = current_database() AND state = 'idle in transaction' AND pid <> pg_backend_pid()`)
}

const scribedTable = `CREATE TABLE scribed (
	n bigint GENERATED ALWAYS AS IDENTITY, activity_id uuid NOT NULL, resource_id uuid NOT NULL)`

// interruptible is a scribe that calls a function once before it handles a batch.
type interruptible struct {
	scribe
	before once
}

type once struct{ fn atomic.Pointer[func()] }

func (o *once) Store(fn func()) { o.fn.Store(&fn) }
func (o *once) Load() *func()   { return o.fn.Load() }
func (o *once) call() {
	if fn := o.fn.Swap(nil); fn != nil {
		(*fn)()
	}
}

func (h *interruptible) Handle(ctx context.Context, tx pgx.Tx, batch []Item) ([]Outcome, error) {
	h.before.call()
	return h.scribe.Handle(ctx, tx, batch)
}

// commitOne commits an activity of a new resource and returns its id.
func commitOne(t *testing.T, pool *pgxpool.Pool) uuid.UUID {
	t.Helper()
	_, r, err := TxActivity(t.Context(), pool, activity.Envelope{
		TenantID: testTenant, ActorPrincipalID: testTenant, ResourceID: uuid.New(), ResourceType: "signal",
		Action: "signal.created",
	}, func(context.Context, pgx.Tx, *activity.Envelope) (struct{}, error) { return struct{}{}, nil })
	if err != nil {
		t.Fatal(err)
	}
	return r.ID
}
