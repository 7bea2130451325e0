package api_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
)

// TestPatternTrial tests patterns with the actions of the taxonomy, and with the recent activities
// that the caller may see.
func TestPatternTrial(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	if _, err := taxonomy.Apply(t.Context(), w.db.Pool, taxonomy.Default(), taxonomy.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	w.exec(`INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, resource_id, correlation_id, occurred_at,
			recorded_at, resource_type, action, visibility, status, severity, category, delivery_channels, payload)
		SELECT fanfare.uuidv7(x.at), $1, $2, $3, gen_random_uuid(), x.at, x.at, 'signal', 'signal.updated',
			'tenant', 'success', 'info', 'signal', '{}', '{}'
		FROM (SELECT now() - interval '8 days' AS at) AS x`, at.id, at.owner, at.signal)
	type patternMatch struct {
		Pattern string
		Actions int
		Nearest string
	}
	type actionCount struct {
		Action string
		Count  int
	}
	type response struct {
		Taxonomy []string
		Patterns []patternMatch
		Recent   *struct {
			Count   int
			Exact   bool
			Since   time.Time
			Actions []actionCount
		}
	}
	test := func(who uuid.UUID, body string) response {
		t.Helper()
		return as[response](at.as(who).do("POST", "/v1/notifications/preferences/test", body).want(http.StatusOK))
	}
	got := test(at.member, `{"patterns":["token.*","comment.created"],"actions":[]}`)
	want := []string{"comment.created", "token.created", "token.revoked"}
	if !slices.Equal(got.Taxonomy, want) || got.Recent != nil {
		t.Errorf("got %+v, want %v", got, want)
	}
	got = test(at.owner, `{"patterns":["signal.*","comment.creates","token.*","signal"],"actions":[],"recent":true}`)
	counted := []patternMatch{
		{"signal.*", len(got.Recent.Actions), ""},
		{"comment.creates", 0, "comment.created"},
		{"token.*", 2, ""},
		{"signal", 0, got.Patterns[3].Nearest},
	}
	if !slices.Equal(got.Patterns, counted) || got.Patterns[3].Nearest == "" {
		t.Errorf("got %+v, want %+v", got.Patterns, counted)
	}
	sum := 0
	for i, a := range got.Recent.Actions {
		sum += a.Count
		if i > 0 && a.Count > got.Recent.Actions[i-1].Count {
			t.Errorf("%+v is not in order", got.Recent.Actions)
		}
	}
	if sum != got.Recent.Count {
		t.Errorf("got %+v, want %d activities", got.Recent.Actions, got.Recent.Count)
	}
	for _, tt := range []struct {
		who      uuid.UUID
		patterns string
		want     int
	}{
		{at.member, `"signal.*"`, 2}, // shown and addressed
		{at.member, `"*.updated","signal.upd*"`, 1},
		{at.owner, `"signal.*"`, 4},
		{at.outsider, `"*"`, 0},
		{uuid.New(), `"signal.checked"`, 0},
		{at.owner, ``, 0},
	} {
		got := test(tt.who, `{"patterns":[`+tt.patterns+`],"actions":[],"recent":true}`)
		if got.Recent == nil || got.Recent.Count != tt.want || !got.Recent.Exact ||
			time.Since(got.Recent.Since) < 7*24*time.Hour {
			t.Errorf("%s: got %+v, want %d", tt.patterns, got.Recent, tt.want)
		}
	}
	at.fill(5_001)
	at.record(activity.Envelope{Action: "signal.noticed"})
	got = test(at.member, `{"patterns":["*"],"actions":[],"recent":true}`)
	if got.Recent.Exact || got.Recent.Count != 3 {
		t.Errorf("among many: got %+v, want three, and not exact", got.Recent)
	}
}
