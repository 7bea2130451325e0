package taxonomy_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/activity/taxonomy/research"
	"github.com/fanfarehq/fanfare/activity/taxonomy/template"
)

// TestFilesAreComplete checks the built-in actions, the default taxonomy and the research taxonomy:
// every action has texts that a person can read, and the texts show no key that the schema does not
// have.
func TestFilesAreComplete(t *testing.T) {
	t.Parallel()
	for name, actions := range map[string]*taxonomy.Taxonomy{
		"builtin": taxonomy.Builtins(), "default": taxonomy.Default(), "research": parse(t, research.File),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			categories := map[string]string{} // by family
			for _, a := range actions.Actions() {
				checkTexts(t, a)
				family, _, _ := strings.Cut(a.Name, ".")
				if other, known := categories[family]; known && other != a.Category {
					t.Errorf("%s has the category %s, other actions of its family have %s", a.Name, a.Category, other)
				}
				categories[family] = a.Category
				if personal := family == "auth" || family == "billing"; personal &&
					(a.Keep == nil || a.Visibility != activity.Private) {
					t.Errorf("%s is about a person, want it private and with a list of the keys to keep", a.Name)
				}
			}
		})
	}
}

func checkTexts(t *testing.T, a taxonomy.Action) {
	t.Helper()
	for field, text := range map[string]string{
		"description": a.Description, "category": a.Category, "title": a.Title, "summary": a.Summary, "icon": a.Icon,
	} {
		if text == "" {
			t.Errorf("%s has no %s", a.Name, field)
		}
		if period := strings.HasSuffix(text, "."); period != (field == "description") {
			t.Errorf("%s: want a sentence as the description, and other texts without a period: %q", a.Name, text)
		}
	}
	var schema struct {
		Properties map[string]struct{ Description string }
	}
	if err := json.Unmarshal(a.Schema, &schema); err != nil {
		t.Fatalf("%s: read the schema: %v", a.Name, err)
	}
	for name, p := range schema.Properties {
		if !strings.HasSuffix(p.Description, ".") {
			t.Errorf("%s: want a sentence as the description of payload.%s: %q", a.Name, name, p.Description)
		}
	}
	for _, text := range []string{a.Title, a.Summary} {
		phrase, err := template.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range phrase.PayloadPaths() {
			if _, known := schema.Properties[path[0]]; !known {
				t.Errorf("%s: %q shows payload.%s, which the schema does not have", a.Name, text, path[0])
			}
		}
	}
}

// TestFilesAgree checks that an action of two files is the same in both, so that an application can
// combine them.
func TestFilesAgree(t *testing.T) {
	t.Parallel()
	example := parse(t, research.File)
	for _, want := range taxonomy.Default().Actions() {
		if got, ok := example.Action(want.Name); ok {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-default +research):\n%s", want.Name, diff)
			}
		}
	}
}

// TestPayloadsThatFanfareRecords checks payloads as Fanfare and its demo record them.
func TestPayloadsThatFanfareRecords(t *testing.T) {
	t.Parallel()
	check := parse(t, research.File).Check(taxonomy.Strict)
	id := uuid.NewString()
	for _, tc := range []struct{ action, payload string }{
		{"subscription.created", `{"subscription_id":"` + id + `","scope":"descendants"}`},
		{"subscription.revoked", `{"subscription_id":"` + id + `","scope":"resource"}`},
		{"daemon.started", `{"version":"1.2.3","command":"run","host":"a"}`},
		{"daemon.stopping", `{"version":"1.2.3","command":"run","host":"a"}`},
		{"token.created", `{"token_id":"` + id + `","scopes":["activity:read"],"expires_at":"2026-02-03T04:05:06.7Z"}`},
		{"token.revoked", `{"token_id":"` + id + `"}`},
		{"preferences.changed", `{"changed":["muted"],"from":{"muted":{"value":false,"from":"installation"}},
			"to":{"muted":{"value":true,"from":"tenant"}}}`},
		{"retention.changed", `{"changed":["max_days"],"from":{"max_days":{"value":400,"from":"tenant"}},
			"to":{"max_days":{"value":90,"from":"tenant"}}}`},
		{"retention.purged", `{"run_id":"` + id + `","activities":1,"notifications":0,"idempotency_keys":0,
			"dead_letters":0,"parked":0,"service_tokens":0,"batches":1,"partitions":[],
			"began_at":"2026-02-03T04:05:06.7Z","policy":{"max_days":400}}`},
		{"retention.hold_placed", `{"hold_id":"` + id + `","reason":"a lawsuit","resource_id":"` + id + `"}`},
		{"retention.hold_released", `{"hold_id":"` + id + `","reason":"a lawsuit","actor_principal_id":"` + id + `"}`},
		{"activity.redacted", `{"redacted":2,"held":0,"holds_overridden":0,"kept_names":false,
			"criteria":{"actor":"` + id + `"},"reason":"a request"}`},
		{"log.exported", `{"format":"csv","activities":12,"complete":true,"filter":{"action":"auth.*"}}`},
		{"taxonomy.applied", `{"added":1,"changed":0,"removed":0,"hidden_keys_changed":true}`},
		{"taxonomy.enforcement_changed", `{"from":"off","to":"strict","scope":"installation"}`},
		{"resource.created", `{}`},
		{"resource.updated", `{"lookback":20}`},
		{"resource.updated", `{"stage":"production"}`},
		{"resource.deleted", `{}`},
		{"signal.created", `{"folder":"Equities"}`},
		{"run.completed", `{"sharpe":1.42}`},
		{"note.added", `{"body":"@Ada: please review"}`},
		{"review.requested", `{"body":"@Ada: please review"}`},
		{"promotion.requested", `{"book":"EQ-7"}`},
		{"promotion.approved", `{"stage":"production"}`},
		{"transfer.completed", `{"book":"EQ-7"}`},
	} {
		e := activity.Envelope{
			TenantID: uuid.New(), ActorPrincipalID: uuid.New(), ResourceID: uuid.New(), ResourceType: "signal",
			Action: tc.action, Payload: json.RawMessage(tc.payload),
		}
		if err := check(t.Context(), &e); err != nil {
			t.Errorf("%s with %s: %v", tc.action, tc.payload, err)
		}
	}
}
