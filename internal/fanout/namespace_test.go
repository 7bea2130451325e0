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

// A namespace that every activity needs and Centrifugo does not have is a mistake in its
// configuration: nothing dies of it.
func TestOwnNamespaceThatIsMissingIsWaitedFor(t *testing.T) {
	t.Parallel()
	client, channels := connected(t, startCentrifugo(t), centrifugo.Formats{Resource: "elsewhere:{tenant}.{resource}"})
	failed := make(chan error, 1000)
	s := &stage{t: t, db: pgtest.New(t), tenant: uuid.New()}
	deliver(t, s.db, fanout.New(client, channels, preferences.NewFilter(nil), fanout.Options{}), outbox.Options{
		Retries: outbox.Retries{
			First:       time.Millisecond,
			Longest:     5 * time.Millisecond,
			MaxAttempts: 2,
		}, Observer: failures(failed),
	})
	s.exec(
		`SELECT fanfare.record_activity(jsonb_build_object('tenant_id', $1::text, 'actor_principal_id', $1::text, 'resource_id', $1::text,
		'resource_type', 'signal', 'action', 'signal.created'))`,
		s.tenant.String(),
	)
	for range 20 {
		select {
		case <-failed:
		case <-time.After(20 * time.Second):
			t.Fatal("the worker does not keep trying")
		}
	}
	status, err := outbox.NewBacklog(s.db.Pool).Status(t.Context(), s.tenant)
	if err != nil || status.Pending != 1 || status.Parked != 0 || status.DeadLetters != 0 {
		t.Errorf("got %+v, %v, want 1 pending and nothing parked or dead", status, err)
	}
}

// failures is an Observer of what was rolled back.
type failures chan error

func (f failures) Observe(r outbox.Report) {
	if r.Err != nil {
		select {
		case f <- r.Err:
		default:
		}
	}
}
