package fanout_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
)

// TestMissingNamespaceOfFanfare checks that activities wait while Centrifugo lacks a namespace that
// every activity requires. The configuration of Centrifugo is the error, not the activity.
func TestMissingNamespaceOfFanfare(t *testing.T) {
	t.Parallel()
	client, channels := connect(t, startCentrifugo(t), centrifugo.Formats{Resource: "missing:{tenant}.{resource}"})
	failed := make(failures, 1000)
	s := &stage{t: t, db: pgtest.New(t), tenant: uuid.New()}
	handler := fanout.New(client, channels, preferences.NewFilter(nil), fanout.Options{})
	startWorker(t, s.db, handler, outbox.Options{
		Retries:  outbox.Retries{First: time.Millisecond, Longest: 5 * time.Millisecond, MaxAttempts: 2},
		Observer: failed,
	})
	s.exec(`SELECT fanfare.record_activity(jsonb_build_object('tenant_id', $1::text, 'actor_principal_id', $1::text,
		'resource_id', $1::text, 'resource_type', 'signal', 'action', 'signal.created'))`, s.tenant.String())
	for range 20 {
		select {
		case <-failed:
		case <-time.After(20 * time.Second):
			t.Fatal("the worker stopped retrying")
		}
	}
	status, err := outbox.NewBacklog(s.db.Pool).Status(t.Context(), s.tenant)
	if err != nil || status.Pending != 1 || status.Parked != 0 || status.DeadLetters != 0 {
		t.Errorf("got %+v, %v, want 1 pending, 0 parked and 0 dead letters", status, err)
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
