package outbox_test

import (
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/outbox"
)

// TestASurgeDelaysNoOtherTenant lets other tenants record while the first batch of a surge is
// delivered. A lane alone would deliver theirs last.
func TestASurgeDelaysNoOtherTenant(t *testing.T) {
	t.Parallel()
	db, h := newLedger(t)
	const surge = 4000
	loud := uuid.New()
	envelopes := make([]activity.Envelope, surge)
	for i := range envelopes {
		envelopes[i] = envelope(loud, uuid.New(), "signal.updated")
	}
	if err := pgx.BeginFunc(t.Context(), db.Pool, func(tx pgx.Tx) error {
		_, err := outbox.RecordMany(t.Context(), tx, envelopes)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	var quiet []uuid.UUID
	var once sync.Once
	h.fail = func([]outbox.Item) error {
		once.Do(func() {
			for range 10 {
				quiet = append(quiet, record(t, db.Pool, envelope(uuid.New(), uuid.New(), "signal.created")))
			}
		})
		return nil
	}
	run(t, db.Pool, h, outbox.Options{Claimers: 2, Batch: 20})
	waittest.Query(t, db.Pool, "everything is delivered", `SELECT count(*) = $1 FROM ledger`, surge+10)
	var after int
	if err := db.Pool.QueryRow(t.Context(), `
		SELECT count(*) FROM ledger WHERE n > (SELECT max(n) FROM ledger WHERE activity_id = ANY ($1))`,
		quiet).Scan(&after); err != nil {
		t.Fatal(err)
	}
	if after < surge/2 {
		t.Errorf("got %d activities of the surge after those of other tenants, want at least half of %d", after, surge)
	}
}

// TestASurgeIsDeliveredInOrder lets several tenants record in the same lanes in surges: the order
// of each resource holds while its tenant is deferred and when that ends.
func TestASurgeIsDeliveredInOrder(t *testing.T) {
	t.Parallel()
	db, h := newLedger(t)
	run(t, db.Pool, h, outbox.Options{Claimers: 3, Batch: 10})
	run(t, db.Pool, h, outbox.Options{Claimers: 2, Batch: 15})
	tenants := []uuid.UUID{uuid.New(), uuid.New(), uuid.New()}
	resources := []uuid.UUID{uuid.New(), uuid.New(), uuid.New(), uuid.New()}
	const surges = 12
	recorded := 0
	for i := range surges {
		var envelopes []activity.Envelope
		for n := range 40 * (i % 4) {
			envelopes = append(envelopes, envelope(tenants[i%3], resources[n%4], "signal.updated"))
		}
		for _, tenant := range tenants {
			envelopes = append(envelopes, envelope(tenant, resources[i%4], "signal.updated"))
		}
		if err := pgx.BeginFunc(t.Context(), db.Pool, func(tx pgx.Tx) error {
			_, err := outbox.RecordMany(t.Context(), tx, envelopes)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		recorded += len(envelopes)
	}
	waittest.Query(t, db.Pool, "everything is delivered", `SELECT count(*) = $1 FROM ledger`, recorded)
	var disorder int
	if err := db.Pool.QueryRow(t.Context(), `
		SELECT count(*) FROM (
		    SELECT l.activity_id < lag(l.activity_id) OVER (
		               PARTITION BY a.tenant_id, l.resource_id ORDER BY l.n) AS late
		    FROM ledger AS l JOIN fanfare.activities AS a ON a.id = l.activity_id
		) AS o WHERE o.late`).Scan(&disorder); err != nil {
		t.Fatal(err)
	}
	if disorder != 0 {
		t.Errorf("got %d activities before an earlier one of their resource, want none", disorder)
	}
}

// TestStepsAreShortBesideOthers delivers an activity of another resource during each step of a
// fan-out job: the next step is a short one.
func TestStepsAreShortBesideOthers(t *testing.T) {
	t.Parallel()
	db, h := newLedger(t)
	wide := uuid.New()
	h.fanOut(wide)
	var shorts []bool
	h.step = func(job outbox.Job) (outbox.Step, error) {
		shorts = append(shorts, job.Short)
		if job.Short {
			return outbox.Step{LastPrincipalID: job.LastPrincipalID, Done: true}, nil
		}
		other := record(t, db.Pool, envelope(uuid.New(), uuid.New(), "signal.created"))
		waittest.Query(t, db.Pool, "the other activity is delivered beside the step",
			`SELECT count(*) = 1 FROM ledger WHERE activity_id = $1`, other)
		return outbox.Step{LastPrincipalID: uuid.UUID{15: byte(len(shorts))}, Notified: 1}, nil
	}
	run(t, db.Pool, h, outbox.Options{})
	record(t, db.Pool, envelope(uuid.New(), wide, "signal.created"))
	waittest.Query(t, db.Pool, "drained", isDrained)
	if len(shorts) < 2 || shorts[0] {
		t.Errorf("got short steps %v, want a first one that is not, and a last one that is", shorts)
	}
}
