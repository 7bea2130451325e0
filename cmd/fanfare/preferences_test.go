package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/nettest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// as returns a function that runs a command of a group for the owner of the world's resource.
func (w world) as(t testing.TB, group string) func(args ...string) string {
	return func(args ...string) string {
		t.Helper()
		return must(t, w.environ(), w.asOwner(group, args...)...)
	}
}

func (w world) asOwner(group string, args ...string) []string {
	return append(append([]string{group}, args...), "--tenant", w.tenant.String(), "--as", w.owner.String())
}

// TestPreferencesCommands changes and shows the preferences of a tenant and of a principal.
func TestPreferencesCommands(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	ofOwner := w.as(t, "preferences")
	ofTenant := func(args ...string) string {
		t.Helper()
		return must(t, w.environ(), append(append([]string{"preferences"}, args...), "--tenant", w.tenant.String())...)
	}
	table := func(rows ...string) string { return strings.Join(append(rows, ""), "\n") }

	want := table(
		"PREFERENCE       VALUE       SOURCE",
		"filter_mode      mutations   installation",
		"custom_actions   none        installation",
		"muted            false       installation",
		"muted_actions    none        installation",
	)
	if got := ofTenant("show"); got != want {
		t.Errorf("show of the tenant: got\n%s\nwant\n%s", got, want)
	}
	want = table(
		"PREFERENCE       VALUE                  SOURCE",
		"filter_mode      custom                 tenant",
		"custom_actions   project.*, *.deleted   tenant",
		"muted            false                  installation",
		"muted_actions    *.viewed               tenant",
	)
	by := uuid.NewString()
	got := ofTenant("set", "--filter-mode", "custom", "--custom-actions", "project.*,*.deleted",
		"--muted-actions", "*.viewed", "--by", by)
	if got != want {
		t.Errorf("set of the tenant: got\n%s\nwant\n%s", got, want)
	}
	actor := uuid.NewString()
	want = table(
		"PREFERENCE       VALUE                                  SOURCE",
		"filter_mode      custom                                 tenant",
		"custom_actions   none                                   principal",
		"muted            true                                   principal",
		"muted_actions    signal.checked, order.*                principal",
		"muted_actors     "+actor+"   principal",
	)
	got = ofOwner("set", "--muted", "--muted-actors", actor, "--custom-actions", "",
		"--muted-actions", "signal.checked,order.*")
	if got != want {
		t.Errorf("set: got\n%s\nwant\n%s", got, want)
	}
	ofOwner("set", "--muted=false", "--inherit", "custom-actions,filter-mode,muted-actions", "--muted-actors", "")
	var decoded map[string]any
	if err := json.Unmarshal([]byte(ofOwner("show", "--json")), &decoded); err != nil {
		t.Fatal(err)
	}
	delete(decoded, "updated_at")
	shown := map[string]any{
		"filter_mode": "custom", "custom_actions": []any{"project.*", "*.deleted"}, "muted": false,
		"muted_actions": []any{"*.viewed"}, "muted_actors": []any{}, "inherited": map[string]any{
			"filter_mode": "tenant", "custom_actions": "tenant", "muted_actions": "tenant",
		},
	}
	if diff := cmp.Diff(shown, decoded); diff != "" {
		t.Errorf("show --json (-want +got):\n%s", diff)
	}
	var recorded int
	err := w.db.Pool.QueryRow(t.Context(), `
		SELECT count(*) FROM fanfare.activities
		WHERE tenant_id = $1 AND action = 'preferences.changed' AND actor_principal_id = $2`,
		w.tenant, by).Scan(&recorded)
	if err != nil || recorded != 1 {
		t.Errorf("got %d records, %v, want 1 of the tenant's change", recorded, err)
	}
}

// TestSubscriptionsCommands adds, lists and removes a subscription.
func TestSubscriptionsCommands(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	do := w.as(t, "subscriptions")
	if got := do("list"); got != "No subscriptions.\n" {
		t.Errorf("list: got %q", got)
	}
	id, found := strings.CutPrefix(strings.TrimSpace(do("add", w.resource.String())), "Subscription added: ")
	if !found {
		t.Fatalf("add: got %q", id)
	}
	if got := do("add", w.resource.String()); got != "Subscription exists: "+id+"\n" {
		t.Errorf("add again: got %q", got)
	}
	var added struct {
		ID, Scope string
		Created   bool
	}
	text := do("add", w.resource.String(), "--scope", "descendants", "--json")
	if err := json.Unmarshal([]byte(text), &added); err != nil || !added.Created || added.Scope != "descendants" {
		t.Errorf("add --json: got %s, %v", text, err)
	}
	lines := strings.Split(do("list"), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "ID ") ||
		!strings.HasPrefix(lines[1], id+"   "+w.owner.String()+"   "+w.resource.String()+"   resource      ") {
		t.Errorf("list: got %q", lines)
	}
	first := fanfare(t, w.environ(), w.asOwner("subscriptions", "list", "--limit", "1", "--json")...)
	if !strings.Contains(first.stdout, id) || first.stderr != "There are more: --after "+id+"\n" {
		t.Errorf("list --limit 1: got %q and %q", first.stdout, first.stderr)
	}
	if got := do("list", "--after", id); !strings.Contains(got, added.ID) || strings.Contains(got, id) {
		t.Errorf("list --after: got %s", got)
	}
	for _, want := range []string{"Subscription revoked: ", "Subscription was revoked before: "} {
		if got := do("remove", id); got != want+id+"\n" {
			t.Errorf("remove: got %q, want %q", got, want)
		}
	}
	if got := do("remove", added.ID, "--json"); !strings.Contains(got, `"revoked": true`) {
		t.Errorf("remove --json: got %s", got)
	}
	for action, want := range map[string]int{"subscription.created": 2, "subscription.revoked": 2} {
		if got := w.logged(t, action); got != want {
			t.Errorf("%s: got %d records, want %d", action, got, want)
		}
	}
	for _, args := range [][]string{{"add", uuid.NewString()}, {"remove", uuid.NewString()}} {
		r := fanfare(t, w.environ(), w.asOwner("subscriptions", args...)...)
		if r.code != exitFailure || !strings.Contains(r.stderr, args[1]) || !strings.Contains(r.stderr, "not found") {
			t.Errorf("%v: got exit code %d and %q", args, r.code, r.stderr)
		}
	}
}

// TestWatchLevelsCommands sets, lists and removes a level.
func TestWatchLevelsCommands(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	do := w.as(t, "watch-levels")
	if got := do("list"); got != "No levels.\n" {
		t.Errorf("list: got %q", got)
	}
	set := do("set", w.resource.String(), "--level", "custom", "--patterns", "signal.*,*.deleted",
		"--scope", "descendants")
	if !strings.Contains(set, "\n"+w.resource.String()+"   custom   descendants   signal.*, *.deleted   ") {
		t.Errorf("set: got\n%s", set)
	}
	if got := do("list"); got != set {
		t.Errorf("list: got\n%s\nwant\n%s", got, set)
	}
	var level struct {
		Level, Scope string
		Patterns     []string
	}
	text := do("set", w.resource.String(), "--level", "ignore", "--json")
	if err := json.Unmarshal([]byte(text), &level); err != nil || level.Level != "ignore" ||
		level.Scope != "resource" || len(level.Patterns) > 0 {
		t.Errorf("set --json: got %s, %v", text, err)
	}
	for _, want := range []string{"Level removed: ", "No level: "} {
		if got := do("remove", w.resource.String()); got != want+w.resource.String()+"\n" {
			t.Errorf("remove: got %q, want %q", got, want)
		}
	}
	if got := do("remove", w.resource.String(), "--json"); !strings.Contains(got, `"removed": false`) {
		t.Errorf("remove --json: got %s", got)
	}
	unknown := uuid.NewString()
	r := fanfare(t, w.environ(), w.asOwner("watch-levels", "set", unknown, "--level", "all")...)
	if r.code != exitFailure || !strings.Contains(r.stderr, unknown) || !strings.Contains(r.stderr, "not found") {
		t.Errorf("set of an unknown resource: got exit code %d and %q", r.code, r.stderr)
	}
}

func TestUsageErrorsOfPreferences(t *testing.T) {
	t.Parallel()
	refused := nettest.Refused(t)
	environ := map[string]string{"FANFARE_DATABASE_URL": "postgres://u@" + refused + "/d"}
	const id = "018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f"
	const who = " --tenant " + id + " --as " + id
	for _, c := range []struct{ line, want string }{
		{"preferences show", "--tenant is required"},
		{"preferences set --tenant " + id, "at least one preference is required"},
		{"preferences set --filter-mode some" + who, `--filter-mode "some" must be one of all, mutations, custom`},
		{"preferences set --inherit level" + who, `--inherit[0] "level" must be one of`},
		{"preferences set --muted --inherit muted" + who, `--inherit[0] "muted" must not be a field that`},
		{"preferences set --muted-actions " + strings.Repeat("x", 201) + who, `--muted-actions[0] "xxx`},
		{"preferences set --muted-actors x" + who, `--muted-actors "x": must be a UUID`},
		{"preferences set --muted-actors " + id + " --tenant " + id, "--muted-actors requires --as"},
		{"preferences set --muted --by " + id + who, "--by and --as cannot be combined"},
		{"subscriptions list --tenant " + id, "--as is required"},
		{"subscriptions list --limit 0" + who, "--limit 0: must be from 1 to 1000"},
		{"subscriptions add" + who, "exactly one argument is required: the id of the resource"},
		{"subscriptions add " + id + " --scope all" + who, `--scope "all" must be one of resource, descendants`},
		{"subscriptions remove x" + who, `subscription "x": must be a UUID`},
		{"watch-levels list --as " + id, "--tenant is required"},
		{"watch-levels set " + id + who, "--level is required"},
		{"watch-levels set " + id + " --level some" + who, `--level "some" must be one of all, custom`},
		{"watch-levels set " + id + " --level custom" + who, "--patterns must have at least one pattern"},
		{"watch-levels set " + id + " --level all --scope x" + who, `--scope "x" must be one of resource, descendants`},
		{"watch-levels remove" + who, "exactly one argument is required: the id of the resource"},
	} {
		r := fanfare(t, environ, strings.Fields(c.line)...)
		if r.code != exitUsage || r.stdout != "" || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%s: got exit code %d, stdout %q, stderr %q, want %d and %q",
				c.line, r.code, r.stdout, r.stderr, exitUsage, c.want)
		}
	}
}

func TestCompletionOfPreferences(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"preferences set --filter-mode ": "all\nmutations\ncustom\n",
		"preferences set --inherit ":     "filter-mode\ncustom-actions\nmuted\n",
		"watch-levels set --level ":      "all\ncustom\nparticipating\nignore\n",
		"watch-levels set --scope ":      "resource\ndescendants\n",
		"subscriptions add --scope ":     "resource\ndescendants\n",
		"subscriptions ":                 "add\t",
		"watch-levels ":                  "list\t",
		"preferences ":                   "set\t",
	} {
		words := append([]string{"__complete"}, strings.Split(line, " ")...)
		if got := must(t, nil, words...); !strings.HasPrefix(got, want) {
			t.Errorf("fanfare %s: got completions %q, want %q", line, got, want)
		}
	}
}
