package outbox

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
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

// scribe is a Handler that records its deliveries in the settling transaction.
type scribe struct{}

func (scribe) Handle(ctx context.Context, tx pgx.Tx, batch []Item) ([]Outcome, error) {
	for _, item := range batch {
		if _, err := tx.Exec(ctx, `INSERT INTO public.scribed (activity_id, resource_id)
			VALUES ($1, $2)`, item.ID, item.ResourceID); err != nil {
			return nil, err
		}
	}
	return make([]Outcome, len(batch)), nil
}

func (scribe) Step(context.Context, pgx.Tx, Job) (Step, error) { return Step{Done: true}, nil }

func chaos(t *testing.T, span time.Duration) {
	t.Helper()
	db := pgtest.New(t)
	ctx := t.Context()
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := db.Pool.Exec(ctx, sql, args...); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	exec(
		`CREATE TABLE scribed (
			n bigint GENERATED ALWAYS AS IDENTITY, activity_id uuid NOT NULL, resource_id uuid NOT NULL)`,
	)
	exec(`CREATE TABLE domain (resource_id uuid PRIMARY KEY, version int NOT NULL)`)
	resources := make([]uuid.UUID, 12)
	for i := range resources {
		resources[i] = uuid.New()
		exec(`INSERT INTO domain VALUES ($1, 0)`, resources[i])
	}

	// The workers never sweep: their hints alone must find every row.
	running, stop := context.WithCancel(context.Background())
	var workers, writers sync.WaitGroup
	for n := range 3 {
		config, err := pgxpool.ParseConfig(db.URL)
		if err != nil {
			t.Fatal(err)
		}
		config.ConnConfig.RuntimeParams["application_name"] = "victim"
		pool, err := pgxpool.NewWithConfig(ctx, config)
		if err != nil {
			t.Fatal(err)
		}
		w := NewWorker(
			pool,
			scribe{},
			Options{
				Batch:    5 + n,
				Claimers: 2,
				Sweep:    time.Hour,
				Retries:  Retries{First: time.Millisecond, Longest: 20 * time.Millisecond},
			},
		)
		workers.Go(func() {
			defer pool.Close()
			if err := w.Run(running); err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	var committed atomic.Int64
	end := time.Now().Add(span)
	for n := range 8 {
		writers.Go(func() {
			random := rand.New(rand.NewPCG(uint64(n), 1))
			for i := 0; time.Now().Before(end); i++ {
				if err := writeLate(ctx, db.Pool, random, resources, i); err != nil {
					t.Errorf("writer: %v", err)
					return
				}
				committed.Add(1)
			}
		})
	}
	writers.Go(func() {
		for time.Now().Before(end) {
			<-time.After(15 * time.Millisecond)
			exec(
				`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'
					ORDER BY random() LIMIT 1`,
			)
		}
	})
	writers.Wait()
	// An activity is parked if its connection is terminated repeatedly while others get through.
	waittest.Query(t, db.Pool, "nothing is pending",
		`SELECT NOT EXISTS (SELECT FROM fanfare.outbox) AND NOT EXISTS (SELECT FROM fanfare.parked)`)
	stop()
	workers.Wait()

	var recorded, distinct, rows, dead, disorder int
	if err := db.Pool.QueryRow(ctx, `SELECT (SELECT count(*)
		FROM fanfare.activities), count(DISTINCT activity_id), count(*), (SELECT count(*) FROM fanfare.dead_letters)
		FROM scribed`).Scan(&recorded, &distinct, &rows, &dead); err != nil {
		t.Fatal(err)
	}
	if recorded == 0 || distinct != recorded || rows != recorded || dead != 0 {
		t.Errorf("recorded %d, settled %d in %d rows, %d dead letters; want all of them settled once",
			recorded, distinct, rows, dead)
	}
	if err := db.Pool.QueryRow(ctx, `
		SELECT count(*) FROM (
		    SELECT (a.payload ->> 'version')::int AS version, row_number() OVER (PARTITION BY s.resource_id
		    ORDER BY s.n) AS place
		    FROM scribed s JOIN fanfare.activities a ON a.id = s.activity_id
		) AS o WHERE version <> place`).Scan(&disorder); err != nil {
		t.Fatal(err)
	}
	if disorder != 0 {
		t.Errorf("%d activities of %d are out of order within their resource, want 0", disorder, recorded)
	}
	t.Logf("%d transactions, %d activities", committed.Load(), recorded)
}

// writeLate changes a resource under its row lock and records the change: at random with an early
// transaction id, within a savepoint, after a savepoint that is rolled back, with a late commit, or
// without a commit.
func writeLate(ctx context.Context, pool *pgxpool.Pool, random *rand.Rand, resources []uuid.UUID, i int) error {
	tx, err := pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer rollback(ctx, tx)
	if random.IntN(3) == 0 {
		if _, err := tx.Exec(ctx, `SELECT pg_current_xact_id()`); err != nil {
			return err
		}
		<-time.After(time.Duration(random.IntN(8)) * time.Millisecond)
	}
	resource := resources[random.IntN(len(resources))]
	record := func(tx pgx.Tx) error {
		var version int
		if err := tx.QueryRow(ctx, `UPDATE domain SET version = version + 1 WHERE resource_id = $1
			RETURNING version`, resource).Scan(&version); err != nil {
			return err
		}
		_, err := Record(ctx, tx, activity.Envelope{
			TenantID: testTenant, ActorPrincipalID: testTenant, ResourceID: resource, ResourceType: "signal",
			Action: fmt.Sprintf("signal.n%d", i), Payload: map[string]int{"version": version},
		})
		return err
	}
	if random.IntN(4) == 0 {
		sub, err := tx.Begin(ctx)
		if err != nil {
			return err
		}
		if err := record(sub); err != nil {
			return err
		}
		if err := sub.Rollback(ctx); err != nil {
			return err
		}
	}
	if random.IntN(3) == 0 {
		sub, err := tx.Begin(ctx)
		if err != nil {
			return err
		}
		if err := record(sub); err != nil {
			return err
		}
		if err := sub.Commit(ctx); err != nil {
			return err
		}
	} else if err := record(tx); err != nil {
		return err
	}
	if random.IntN(4) == 0 {
		<-time.After(time.Duration(random.IntN(30)) * time.Millisecond)
	}
	if random.IntN(6) == 0 {
		return nil
	}
	return tx.Commit(ctx)
}
