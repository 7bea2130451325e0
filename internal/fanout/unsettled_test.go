package fanout_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
)

// recordForOwner records an activity about a new resource that has an owner.
func (s *stage) recordForOwner() {
	s.t.Helper()
	id := uuid.New()
	s.exec(`INSERT INTO fanfare.resources (id, tenant_id, owner_principal_id, type) VALUES ($1, $2, $3, 'signal')`,
		id, s.tenant, uuid.New())
	s.exec(`SELECT fanfare.record_activity(jsonb_build_object('tenant_id', $1::text, 'actor_principal_id', $1::text,
		'resource_id', $2::text, 'resource_type', 'signal', 'action', 'signal.created'))`,
		s.tenant.String(), id.String())
}

// TestDeferredConstraintOfTheInbox has a constraint that refuses inbox rows, which is deferred to
// the commit: after one publication, which meets the refusal, nothing is published.
func TestDeferredConstraintOfTheInbox(t *testing.T) {
	t.Parallel()
	client, channels := connect(t, startCentrifugo(t), centrifugo.Formats{})
	publisher, failed := &attempts{client: client}, make(failures, 1000)
	s := &stage{t: t, db: pgtest.New(t), tenant: uuid.New()}
	s.exec(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''refused''; END'`)
	s.exec(`CREATE CONSTRAINT TRIGGER stop AFTER INSERT ON fanfare.notifications DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION refuse()`)
	s.recordForOwner()
	startWorker(t, s.db, fanout.New(publisher, channels, preferences.NewFilter(nil), fanout.Options{}), outbox.Options{
		Retries: outbox.Retries{First: time.Millisecond, Longest: 5 * time.Millisecond}, Observer: failed,
	})
	for range 20 {
		select {
		case <-failed:
		case <-time.After(20 * time.Second):
			t.Fatal("the worker stopped retrying")
		}
	}
	publisher.mu.Lock()
	if got := len(publisher.sent); got > 1 {
		t.Errorf("published %d times, want at most 1", got)
	}
	publisher.mu.Unlock()
	s.exec(`DROP TRIGGER stop ON fanfare.notifications`)
	waittest.Query(t, s.db.Pool, "delivered", `SELECT count(*) = 1 FROM fanfare.notifications WHERE tenant_id = $1`,
		s.tenant)
}

// TestPanicOfTheObserver has an observer that panics at every report: each activity is published
// once, and leaves the outbox.
func TestPanicOfTheObserver(t *testing.T) {
	t.Parallel()
	client, channels := connect(t, startCentrifugo(t), centrifugo.Formats{})
	publisher := &attempts{client: client}
	s := &stage{t: t, db: pgtest.New(t), tenant: uuid.New()}
	for range 3 {
		s.recordForOwner()
	}
	handler := fanout.New(publisher, channels, preferences.NewFilter(nil), fanout.Options{Observer: panicking{}})
	startWorker(t, s.db, handler, outbox.Options{})
	waittest.Query(t, s.db.Pool, "the outbox is empty", `SELECT NOT EXISTS (SELECT FROM fanfare.outbox)`)
	publisher.mu.Lock()
	defer publisher.mu.Unlock()
	if got := len(publisher.sent); got != 3 {
		t.Errorf("got %d publications, want 3", got)
	}
}

type panicking struct{}

func (panicking) Observe(fanout.Report) { panic("nil map") }
