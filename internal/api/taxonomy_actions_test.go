package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/api"
)

// TestListActions lists the actions for a principal without any scope: before a taxonomy is
// applied, and with one.
func TestListActions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.here.as(w.here.outsider)
	type list struct{ Items []api.KnownAction }
	before := as[list](c.do("GET", "/v1/taxonomy/actions", "").want(http.StatusOK)).Items
	if len(before) != len(taxonomy.Builtins().Actions()) {
		t.Errorf("without a taxonomy: got %d actions, want the built-in ones", len(before))
	}
	if _, err := taxonomy.Apply(t.Context(), w.db.Pool, taxonomy.Default(), taxonomy.ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	after := as[list](c.do("GET", "/v1/taxonomy/actions", "").want(http.StatusOK)).Items
	var got, want []string
	for _, a := range after {
		got = append(got, a.Name)
	}
	for _, a := range taxonomy.Default().WithBuiltins().Actions() {
		want = append(want, a.Name)
		i := slices.IndexFunc(after, func(k api.KnownAction) bool { return k.Name == a.Name })
		if i < 0 {
			continue
		}
		known := api.KnownAction{
			Name: a.Name, Description: a.Description, Category: a.Category, Severity: a.Severity,
			Visibility: a.Visibility, Notify: a.Notify, Icon: a.Icon, Builtin: a.Builtin(),
		}
		if after[i] != known {
			t.Errorf("got %+v, want %+v", after[i], known)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %s, want %s", strings.Join(got, " "), strings.Join(want, " "))
	}
}
