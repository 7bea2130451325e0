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

// reports is an Observer.
type reports chan fanout.Report

func (r reports) Observe(report fanout.Report) { r <- report }

func TestReportCountsViolations(t *testing.T) {
	t.Parallel()
	client, channels := connect(t, startCentrifugo(t), centrifugo.Formats{})
	s := &stage{t: t, db: pgtest.New(t), tenant: uuid.New()}
	s.exec(`INSERT INTO fanfare.taxonomy (action, description, category) VALUES ('signal.created', 'x', 'things')`)
	s.exec(`INSERT INTO fanfare.enforcement (tenant_id, mode) VALUES ($1, 'warn')`, s.tenant)
	for _, action := range []string{"signal.created", "signal.unregistered", "signal.created"} {
		s.exec(`SELECT fanfare.record_activity(jsonb_build_object('tenant_id', $1::text,
			'actor_principal_id', $1::text, 'resource_id', $2::text, 'resource_type', 'signal', 'action', $3::text))`,
			s.tenant.String(), uuid.NewString(), action)
	}
	observed := make(reports, 100)
	options := fanout.Options{Observer: observed}
	startWorker(t, s.db, fanout.New(client, channels, preferences.NewFilter(nil), options), outbox.Options{})
	var activities, violations int
	for activities < 3 {
		select {
		case r := <-observed:
			activities, violations = activities+r.Activities, violations+r.Violations
		case <-time.After(10 * time.Second):
			t.Fatalf("got %d activities, want 3", activities)
		}
	}
	if activities != 3 || violations != 1 {
		t.Errorf("got %d activities and %d violations, want 3 and 1", activities, violations)
	}
}
