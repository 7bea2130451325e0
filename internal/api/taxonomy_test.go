package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/render"
)

func TestTaxonomy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	admin := w.here.as(w.here.member, identity.ScopeAdmin)
	const want = `"enforcement":"off","secret_keys":[],"actions":[]`
	if got := string(admin.do("GET", "/v1/taxonomy", "").want(http.StatusOK).body); !strings.Contains(got, want) {
		t.Errorf("without a taxonomy: got %s, want %s", got, want)
	}
	if _, err := taxonomy.Apply(t.Context(), w.db.Pool, taxonomy.Default(), taxonomy.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := taxonomy.SetMode(t.Context(), w.db.Pool, w.elsewhere.id, taxonomy.Strict); err != nil {
		t.Fatal(err)
	}
	if err := taxonomy.SetMode(t.Context(), w.db.Pool, w.here.id, taxonomy.Warn); err != nil {
		t.Fatal(err)
	}
	if _, err := w.db.Pool.Exec(t.Context(), `UPDATE fanfare.settings SET secret_keys = '{iban}'`); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Enforcement taxonomy.Mode
		SecretKeys  []string `json:"secret_keys"`
		Actions     []struct {
			taxonomy.Action
			Builtin bool `json:"own"`
		}
	}
	if err := json.Unmarshal(admin.do("GET", "/v1/taxonomy", "").want(http.StatusOK).body, &got); err != nil {
		t.Fatal(err)
	}
	if got.Enforcement != taxonomy.Warn {
		t.Errorf("got the mode %s, want warn", got.Enforcement)
	}
	if diff := cmp.Diff([]string{"iban"}, got.SecretKeys); diff != "" {
		t.Error(diff)
	}
	actions := []taxonomy.Action{}
	for _, action := range got.Actions {
		actions = append(actions, action.Action)
		if action.Builtin != action.Action.Builtin() {
			t.Errorf("%s: got own %t, want %t", action.Name, action.Builtin, action.Action.Builtin())
		}
	}
	if diff := cmp.Diff(taxonomy.Default().WithBuiltins().Actions(), actions); diff != "" {
		t.Error(diff)
	}
}

// TestEventTexts checks that events of the API have the texts of the taxonomy.
func TestEventTexts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	if _, err := w.db.Pool.Exec(t.Context(), `
		INSERT INTO fanfare.taxonomy (action, description, category, summary)
		SELECT DISTINCT action, 'x', 'x', 'What happened is {action}' FROM fanfare.activities`); err != nil {
		t.Fatal(err)
	}
	applied, err := taxonomy.Load(t.Context(), w.db.Pool)
	if err != nil {
		t.Fatal(err)
	}
	catalog := &render.Catalog{}
	if err := catalog.Set(applied.Actions()); err != nil {
		t.Fatal(err)
	}
	w.server = w.newServer(func(o *api.Options) { o.Catalog = catalog })
	var got struct {
		Action  string
		UIHints activity.UIHints `json:"ui_hints"`
	}
	response := w.here.as(w.here.owner).do("GET", "/v1/activities/"+w.here.shown.String(), "").want(http.StatusOK)
	if err := json.Unmarshal(response.body, &got); err != nil {
		t.Fatal(err)
	}
	if want := "What happened is " + got.Action; got.UIHints.Summary != want {
		t.Errorf("got %q, want %q", got.UIHints.Summary, want)
	}
}
