package fanout_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/render"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
)

// tapped publishes to Centrifugo and copies the data of each broadcast.
type tapped struct {
	*centrifugo.Client
	data chan []byte
}

func (p tapped) Publish(ctx context.Context, broadcasts []centrifugo.Broadcast) []centrifugo.Result {
	results := p.Client.Publish(ctx, broadcasts)
	for _, b := range broadcasts {
		p.data <- b.Data
	}
	return results
}

// TestPublicationsHaveTheTextsOfTheTaxonomy covers a batch and a fan-out job.
func TestPublicationsHaveTheTextsOfTheTaxonomy(t *testing.T) {
	t.Parallel()
	client, channels := connect(t, startCentrifugo(t), centrifugo.Formats{})
	s := &stage{t: t, db: pgtest.New(t), tenant: uuid.New()}
	s.exec(`INSERT INTO fanfare.taxonomy (action, description, category, title, summary, icon) VALUES
		('resource.updated', 'x', 'things', 'A change', '{actor} set the lookback of {resource} to {payload.lookback}',
		 'pencil')`)
	applied, err := taxonomy.Load(t.Context(), s.db.Pool)
	if err != nil {
		t.Fatal(err)
	}
	catalog := &render.Catalog{}
	if err := catalog.Set(applied.Actions()); err != nil {
		t.Fatal(err)
	}
	published := make(chan []byte, 100)
	handler := fanout.New(tapped{client, published}, channels, preferences.NewFilter(nil),
		fanout.Options{Wide: 2, Step: 5, Catalog: catalog})
	startWorker(t, s.db, handler, outbox.Options{})
	for name, delegators := range map[string]int{"batch": 1, "fan-out job": 4} {
		resource, ada := uuid.New(), uuid.New()
		s.exec(`INSERT INTO fanfare.resources (id, tenant_id, type, name) VALUES ($1, $2, 'signal', 'Momentum 12')`,
			resource, s.tenant)
		s.exec(`INSERT INTO fanfare.principals (id, tenant_id, kind, display_name) VALUES ($1, $2, 'user', 'Ada')`,
			ada, s.tenant)
		s.exec(`INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
			SELECT $1, gen_random_uuid(), $2, 'delegator' FROM generate_series(1, $3)`, s.tenant, resource, delegators)
		s.exec(`SELECT fanfare.record_activity(jsonb_build_object('tenant_id', $1::text,
			'actor_principal_id', $2::text, 'resource_id', $3::text, 'resource_type', 'signal',
			'action', 'resource.updated', 'payload', '{"lookback": 20}'::jsonb))`,
			s.tenant.String(), ada.String(), resource.String())
		select {
		case data := <-published:
			var e activity.Event
			if err := json.Unmarshal(data, &e); err != nil {
				t.Fatal(err)
			}
			want := activity.UIHints{
				Category: "things",
				Severity: activity.Info,
				Title:    "A change",
				Summary:  "Ada set the lookback of Momentum 12 to 20",
				Icon:     "pencil",
			}
			if e.UIHints != want {
				t.Errorf("%s: got %+v, want %+v", name, e.UIHints, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: no publication", name)
		}
	}
}
