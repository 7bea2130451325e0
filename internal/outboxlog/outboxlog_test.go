package outboxlog_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/outboxlog"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/outbox"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// unreliable delivers activities into a table, and makes some of them dead letters while it is ill.
type unreliable struct {
	ill  atomic.Bool
	dead func() bool // decides that an activity dies
}

func (h *unreliable) Handle(ctx context.Context, tx pgx.Tx, batch []outbox.Item) ([]outbox.Outcome, error) {
	outcomes := make([]outbox.Outcome, len(batch))
	var ids [][16]byte
	for i, item := range batch {
		if h.ill.Load() && h.dead() {
			outcomes[i] = outbox.Outcome{Verdict: outbox.DeadLettered, Err: errors.New("ill " + item.ID.String())}
			continue
		}
		ids = append(ids, item.ID)
	}
	_, err := tx.Exec(ctx, `INSERT INTO public.delivered SELECT unnest($1::uuid[])`, ids)
	return outcomes, err
}

func (*unreliable) Step(context.Context, pgx.Tx, outbox.Job) (outbox.Step, error) {
	return outbox.Step{}, errors.New("no activity becomes a job")
}

// TestReplayLosesNone replays and discards dead letters of two tenants, in parts, from several
// goroutines, while workers deliver the replayed ones, of which many die again. In the end every
// activity is delivered exactly once, unless it was discarded, and the records sum up to what was
// done.
func TestReplayLosesNone(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	if _, err := db.Pool.Exec(t.Context(), `CREATE TABLE delivered (activity_id uuid NOT NULL)`); err != nil {
		t.Fatal(err)
	}
	tenants := []uuid.UUID{uuid.New(), uuid.New()}
	actor := uuid.New()
	const each = 400
	for _, tenant := range tenants {
		envelopes := make([]activity.Envelope, each)
		for i := range envelopes {
			action := "signal.kept"
			if i%4 == 0 {
				action = "signal.dropped"
			}
			envelopes[i] = activity.Envelope{
				TenantID: tenant, ActorPrincipalID: actor, ResourceID: uuid.New(), ResourceType: "signal",
				Action: action,
			}
		}
		err := pgx.BeginFunc(t.Context(), db.Pool, func(tx pgx.Tx) error {
			_, err := outbox.RecordMany(t.Context(), tx, envelopes)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(5, 6))
	intN := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return random.IntN(n)
	}
	h := &unreliable{dead: func() bool { return intN(10) < 7 }}
	h.ill.Store(true)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for range 2 {
		w := outbox.NewWorker(db.Pool, h, outbox.Options{Claimers: 2, Batch: 20})
		running.Go(func() { _ = w.Run(ctx) })
	}
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
	waittest.Query(t, db.Pool, "many died", `SELECT count(*) > 300 FROM fanfare.dead_letters`)

	var replayed, discarded atomic.Int64
	change := func(do func(context.Context, outboxlog.Change) (outboxlog.Changed, error), c outboxlog.Change,
		count *atomic.Int64,
	) outboxlog.Changed {
		c.By = actor
		done, err := do(t.Context(), c)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
		}
		count.Add(done.Count)
		return done
	}
	replay := func(ctx context.Context, c outboxlog.Change) (outboxlog.Changed, error) {
		return outboxlog.Replay(ctx, db.Pool, c)
	}
	discard := func(ctx context.Context, c outboxlog.Change) (outboxlog.Changed, error) {
		return outboxlog.Discard(ctx, db.Pool, c)
	}
	filters := []outbox.DeadFilter{{}, {Action: "signal.k*"}, {Error: "ILL"}, {ErrorKind: "ill <id>"}}
	var changing sync.WaitGroup
	for n := range 3 {
		changing.Go(func() {
			for range 30 {
				tenant := tenants[intN(2)]
				change(replay, outboxlog.Change{
					Tenant: tenant, Filter: filters[intN(4)], Limit: 1 + intN(40),
				}, &replayed)
				if n == 0 {
					change(discard, outboxlog.Change{
						Tenant: tenant, Filter: outbox.DeadFilter{Action: "signal.dropped"}, Limit: 1 + intN(3),
					}, &discarded)
				}
			}
		})
	}
	changing.Wait()
	h.ill.Store(false)
	waittest.Until(t, "nothing is dead or pending", func() bool {
		for _, tenant := range tenants {
			change(replay, outboxlog.Change{Tenant: tenant, Limit: outboxlog.MaxLimit}, &replayed)
		}
		var left int
		err := db.Pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM fanfare.outbox)
			+ (SELECT count(*) FROM fanfare.dead_letters) + (SELECT count(*) FROM fanfare.parked)`).Scan(&left)
		if err != nil {
			t.Fatal(err)
		}
		return left == 0
	})
	for _, check := range []struct {
		what, sql string
		want      int64
	}{
		{"activities delivered twice", `SELECT count(*) - count(DISTINCT activity_id) FROM delivered`, 0},
		{"kept activities that were not delivered", `SELECT count(*) FROM fanfare.activities AS a
			WHERE action = 'signal.kept' AND NOT EXISTS (SELECT FROM delivered AS d WHERE d.activity_id = a.id)`, 0},
		{"activities that were not delivered", `SELECT count(*) FROM fanfare.activities AS a
			WHERE NOT EXISTS (SELECT FROM delivered AS d WHERE d.activity_id = a.id)`, discarded.Load()},
		{"recorded replays", `SELECT coalesce(sum((payload ->> 'count')::int), 0) FROM fanfare.activities
			WHERE action = 'outbox.replayed' AND actor_principal_id <> tenant_id`, replayed.Load()},
		{"recorded discards", `SELECT coalesce(sum((payload ->> 'count')::int), 0) FROM fanfare.activities
			WHERE action = 'outbox.discarded'`, discarded.Load()},
	} {
		var got int64
		if err := db.Pool.QueryRow(t.Context(), check.sql).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != check.want {
			t.Errorf("%s: got %d, want %d", check.what, got, check.want)
		}
	}
	if replayed.Load() < 100 || discarded.Load() < 1 {
		t.Errorf("got %d replayed and %d discarded, want more", replayed.Load(), discarded.Load())
	}
}

// TestChangesAreValidated checks that nothing is changed by an invalid request, or by one whose
// record is refused.
func TestChangesAreValidated(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	tenant := uuid.New()
	_, err := db.Pool.Exec(t.Context(), `
		INSERT INTO fanfare.dead_letters (
		    activity_id, lane, seq, tenant_id, resource_id, recorded_at, attempts, error)
		VALUES (fanfare.uuidv7(), 1, 1, $1, $1, now(), 1, 'ill')`, tenant)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	by := uuid.New()
	for name, c := range map[string]outboxlog.Change{
		"no limit":      {Tenant: tenant, By: by},
		"a large limit": {Tenant: tenant, By: by, Limit: outboxlog.MaxLimit + 1},
		"no actor":      {Tenant: tenant, Limit: 1},
		"times":         {Tenant: tenant, By: by, Limit: 1, Filter: outbox.DeadFilter{Since: now, Until: now}},
		"a NUL":         {Tenant: tenant, By: by, Limit: 1, Filter: outbox.DeadFilter{Error: "a\x00"}},
		"not UTF-8":     {Tenant: tenant, By: by, Limit: 1, Filter: outbox.DeadFilter{ErrorKind: "\xff"}},
	} {
		if done, err := outboxlog.Discard(t.Context(), db.Pool, c); err == nil {
			t.Errorf("%s: got %+v, want an error", name, done)
		}
		if done, err := outboxlog.Replay(t.Context(), db.Pool, c); err == nil {
			t.Errorf("%s: got %+v, want an error", name, done)
		}
	}
	n, err := outbox.CountDead(t.Context(), db.Pool, tenant, outbox.DeadFilter{}, 10)
	if err != nil || n != 1 {
		t.Errorf("got %d, %v, want the one dead letter", n, err)
	}
}
