package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/nettest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

const taxonomyOfTest = `version: 1
actions:
  resource.updated:
    description: A resource was changed.
    category: resources
    title: "{resource} changed"
    keep: [name, score]
    max_payload_bytes: 100
    payload:
      type: object
      required: [name]
      properties: {name: {type: string}}
  signal.created:
    description: A signal was registered.
    category: research
    severity: warning
    notify: mandatory
`

// taxonomyFile writes a taxonomy to a file and returns its path.
func taxonomyFile(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "taxonomy.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestTaxonomyCheck(t *testing.T) {
	t.Parallel()
	good := taxonomyFile(t, taxonomyOfTest)
	const added = "20 built-in actions will be added\n"
	if got, want := must(t, nil, "taxonomy", "check", good), good+": 2 actions, no errors\n"+added; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := must(t, nil, "taxonomy", "check", good,
		"--json"), "{\n  \"actions\": 2,\n  \"builtin_actions_added\": 20,\n  \"diagnostics\": []\n}\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}

	bad := taxonomyFile(t, strings.ReplaceAll(taxonomyOfTest, "severity: warning", "severity: loud\n    colour: red"))
	r := fanfare(t, nil, "taxonomy", "check", bad)
	want := "fanfare: " + bad + `: the taxonomy is invalid:
  line 16: signal.created: severity "loud" must be one of info, warning, error, critical
  line 17: signal.created: colour is not a field of an action
`
	if r.code != exitFailure || r.stdout != "" || r.stderr != want {
		t.Errorf("got exit code %d, %q and\n%s\nwant 1 and\n%s", r.code, r.stdout, r.stderr, want)
	}
	r = fanfare(t, nil, "taxonomy", "check", bad, "--json")
	var checked struct{ Diagnostics []taxonomy.Diagnostic }
	if err := json.Unmarshal([]byte(r.stdout), &checked); err != nil {
		t.Fatalf("%v: %s", err, r.stdout)
	}
	if r.code != exitFailure || len(checked.Diagnostics) != 2 ||
		checked.Diagnostics[1] != (taxonomy.Diagnostic{
			Line: 17, Action: "signal.created", Field: "colour", Rule: "is not a field of an action",
		}) {
		t.Errorf("got exit code %d and %+v, want 1 and both diagnostics", r.code, checked)
	}

	absent := filepath.Join(t.TempDir(), "absent.yaml")
	if r := fanfare(t, nil, "taxonomy", "check", absent); r.code != exitFailure || !strings.Contains(r.stderr, absent) {
		t.Errorf("an absent file: got exit code %d and %q", r.code, r.stderr)
	}

	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"taxonomy", "check", "-"},
		process{stdin: strings.NewReader(taxonomyOfTest), stdout: &stdout, stderr: &stderr})
	if code != exitOK || stdout.String() != "-: 2 actions, no errors\n"+added {
		t.Errorf("standard input: got exit code %d, %q and %q", code, &stdout, &stderr)
	}

	with := taxonomyFile(t, taxonomyOfTest+"  token.created: {description: D, category: C, keep: [door]}\n")
	want = with + ": 3 actions, no errors\n19 built-in actions will be added\n" +
		"1 built-in action in the file: payload, keep, max_payload_bytes and visibility are ignored\n"
	if got := must(t, nil, "taxonomy", "check", with); got != want {
		t.Errorf("with a built-in action: got %q, want %q", got, want)
	}
}

func TestEmptyTaxonomy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	for line, want := range map[string]string{
		"show":           "No actions are registered.\n",
		"show --json":    "{\n  \"secret_keys\": [],\n  \"actions\": []\n}\n",
		"enforce":        "TENANT         MODE   SINCE\ninstallation   off\n",
		"enforce --json": "{\n  \"installation\": \"off\",\n  \"tenants\": []\n}\n",
	} {
		if got := must(t, w.environ(), append([]string{"taxonomy"}, strings.Fields(line)...)...); got != want {
			t.Errorf("%s: got %q, want %q", line, got, want)
		}
	}
	refused := func(what string) {
		t.Helper()
		for _, args := range [][]string{nil, {"--tenant", uuid.NewString()}} {
			r := fanfare(t, w.environ(), append([]string{"taxonomy", "enforce", "strict"}, args...)...)
			if r.code != exitFailure ||
				!strings.Contains(r.stderr,
					"no action of an application is registered, so strict would refuse everything") {
				t.Errorf("%s: enforce strict %q: got exit code %d and %q, want a refusal", what, args, r.code, r.stderr)
			}
		}
	}
	refused("without a taxonomy")
	must(t, w.environ(), "taxonomy", "apply", taxonomyFile(t, "version: 1\nactions: {}\n"))
	refused("with built-in actions only")
}

func TestTaxonomyApply(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	file := taxonomyFile(t, taxonomyOfTest)

	dry := must(t, w.environ(), "taxonomy", "apply", file, "--dry-run")
	for _, want := range []string{
		"+ resource.updated   A resource was changed.\n", "+ signal.created   A signal was registered.\n",
		"+ token.created   ", "\nDry run, nothing was changed: 22 added, 0 removed, 0 changed\n",
	} {
		if !strings.Contains(dry, want) {
			t.Errorf("apply --dry-run: got\n%s\nwant in it\n%s", dry, want)
		}
	}
	if got := must(t, w.environ(), "taxonomy", "show"); got != "No actions are registered.\n" {
		t.Errorf("after the dry run: got %s", got)
	}
	if r := fanfare(t, w.environ(), "taxonomy", "diff", file); r.code != exitFailure ||
		!strings.Contains(r.stdout, "+ resource.updated") ||
		!strings.Contains(r.stderr, "22 differences between the database and "+file) {
		t.Errorf("diff: got exit code %d, %q and %q", r.code, r.stdout, r.stderr)
	}

	var applied struct {
		Applied bool
		Added   []taxonomy.Action
	}
	if err := json.Unmarshal([]byte(must(t, w.environ(), "taxonomy", "apply", file, "--json")), &applied); err != nil {
		t.Fatal(err)
	}
	if !applied.Applied || len(applied.Added) != 22 {
		t.Errorf("apply: got %+v, want 22 added", applied)
	}
	if got := must(t, w.environ(), "taxonomy", "apply", file); got != "The database already has this taxonomy.\n" {
		t.Errorf("apply again: got %s", got)
	}
	if got := must(t, w.environ(), "taxonomy", "diff", file); got != "" {
		t.Errorf("diff: got %q, want nothing", got)
	}

	shown := must(t, w.environ(), "taxonomy", "show", "resource.updated")
	want := `action              resource.updated
description         A resource was changed.
category            resources
severity            info
visibility          resource
title               {resource} changed
keep                name, score
required            name
max_payload_bytes   100
payload             {"properties":{"name":{"type":"string"}},"required":["name"],"type":"object"}
`
	if shown != want {
		t.Errorf("show resource.updated: got\n%s\nwant\n%s", shown, want)
	}
	if fromFile := must(t, nil, "taxonomy", "show", "resource.updated", "--file", file); fromFile != shown {
		t.Errorf("show --file: got\n%s\nwant\n%s", fromFile, shown)
	}
	if fromFile, fromDatabase := must(t, nil, "taxonomy", "show", "--file", file,
		"--json"), must(t, w.environ(), "taxonomy", "show", "--json"); fromFile != fromDatabase {
		t.Errorf("show --json: of the file\n%s\nof the database\n%s", fromFile, fromDatabase)
	}
	if r := fanfare(t, w.environ(), "taxonomy", "show", "signal.burnt"); r.code != exitFailure ||
		!strings.Contains(r.stderr, `"signal.burnt" is not registered`) {
		t.Errorf("show signal.burnt: got exit code %d and %q", r.code, r.stderr)
	}

	w.record(t) // a resource.updated
	other := taxonomyFile(
		t,
		strings.ReplaceAll(strings.ReplaceAll(taxonomyOfTest, "resource.updated", "resource.moved"),
			"severity: warning", "severity: error"),
	)
	r := fanfare(t, w.environ(), "taxonomy", "apply", other)
	want = `+ resource.moved   A resource was changed.
- resource.updated   A resource was changed.
~ signal.created
    severity: warning → error
`
	if r.code != exitFailure || r.stdout != want || !strings.Contains(r.stderr, "cannot remove resource.updated: ") ||
		!strings.Contains(r.stderr, "--force") {
		t.Errorf("apply without an action in use: got exit code %d, %q and %q", r.code, r.stdout, r.stderr)
	}
	if got := must(t, w.environ(), "taxonomy", "apply", other,
		"--force"); got != want+"Applied: 1 added, 1 removed, 1 changed\n" {
		t.Errorf("apply --force: got\n%s", got)
	}
}

// TestTaxonomyShow checks the secret keys and the built-in actions in the output.
func TestTaxonomyShow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	file := taxonomyFile(t, "secret_keys: [SSN, iban]\n"+taxonomyOfTest)
	if got := must(t, w.environ(), "taxonomy", "apply", file); !strings.HasPrefix(got,
		"~ secret_keys: (none) → [\"iban\",\"ssn\"]\n") ||
		!strings.HasSuffix(got, "\nApplied: 22 added, 0 removed, 0 changed, secret keys changed\n") {
		t.Errorf("apply: got\n%s", got)
	}
	shown := must(t, w.environ(), "taxonomy", "show")
	if !strings.HasPrefix(shown, "Secret keys: iban, ssn\n\nACTION ") || strings.Count(shown, "   yes        ") != 20 {
		t.Errorf("got\n%s\nwant the secret keys, and 20 built-in actions", shown)
	}
	if fromFile := must(t, nil, "taxonomy", "show", "--file", file); fromFile != shown {
		t.Errorf("show --file: got\n%s\nwant\n%s", fromFile, shown)
	}
	if got := must(t, w.environ(), "taxonomy", "show", "token.created"); !strings.Contains(got,
		"\nbuilt-in      yes\n") {
		t.Errorf("show token.created: got\n%s", got)
	}
	var read struct {
		SecretKeys []string `json:"secret_keys"`
		Actions    []struct {
			Name    string
			Builtin bool `json:"own"`
		}
	}
	if err := json.Unmarshal([]byte(must(t, w.environ(), "taxonomy", "show", "--json")), &read); err != nil {
		t.Fatal(err)
	}
	own := 0
	for _, a := range read.Actions {
		if a.Builtin {
			own++
		}
	}
	if cmp.Diff([]string{"iban", "ssn"}, read.SecretKeys) != "" || len(read.Actions) != 22 || own != 20 {
		t.Errorf("show --json: got %+v", read)
	}
}

// TestTaxonomyChangesAreRecorded applies a taxonomy, changes modes, and reads the logs.
func TestTaxonomyChangesAreRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	system, file := uuid.New(), taxonomyFile(t, "secret_keys: [ssn]\n"+taxonomyOfTest)
	environ := w.environ()
	environ["FANFARE_SYSTEM_TENANT"] = system.String()
	recorded := func(tenant uuid.UUID) (found []string) {
		t.Helper()
		rows, err := w.db.Pool.Query(t.Context(), `
			SELECT concat_ws(' ', action, actor_principal_id = $2, payload) FROM fanfare.activities
			WHERE tenant_id = $1 AND resource_type = 'taxonomy' ORDER BY id`, tenant, activity.System)
		if err != nil {
			t.Fatal(err)
		}
		if found, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			t.Fatal(err)
		}
		return found
	}
	must(t, environ, "taxonomy", "apply", file, "--dry-run")
	must(t, environ, "taxonomy", "apply", file)
	must(t, environ, "taxonomy", "apply", file) // changes nothing
	must(t, environ, "taxonomy", "enforce", "strict")
	must(t, environ, "taxonomy", "enforce", "strict")
	must(t, environ, "taxonomy", "enforce")
	must(t, w.environ(), "taxonomy", "enforce", "warn", "--tenant",
		w.tenant.String()) // requires no system tenant
	must(t, environ, "taxonomy", "enforce", "--clear", "--tenant", w.tenant.String())
	must(t, w.environ(), "taxonomy", "enforce", "off")
	if r := fanfare(t, environ, "taxonomy", "apply",
		taxonomyFile(t, "version: 2\nactions: {}\n")); r.code != exitFailure {
		t.Errorf("an invalid file: got exit code %d", r.code)
	}
	want := []string{
		`taxonomy.applied t {"added": 22, "changed": 0, "removed": 0, "hidden_keys_changed": true}`,
		`taxonomy.enforcement_changed t {"to": "strict", "from": "off", "scope": "installation"}`,
	}
	if diff := cmp.Diff(want, recorded(system)); diff != "" {
		t.Errorf("system tenant (-want +got):\n%s", diff)
	}
	want = []string{
		`taxonomy.enforcement_changed t {"to": "warn", "from": "strict", "scope": "tenant"}`,
		`taxonomy.enforcement_changed t {"to": "strict", "from": "warn", "scope": "tenant"}`,
	}
	if diff := cmp.Diff(want, recorded(w.tenant)); diff != "" {
		t.Errorf("tenant (-want +got):\n%s", diff)
	}
}

func TestTaxonomyEnforce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	must(t, w.environ(), "taxonomy", "apply", taxonomyFile(t, taxonomyOfTest))
	enforcement := func(args ...string) (e taxonomy.Enforcement) {
		t.Helper()
		out := must(t, w.environ(), append([]string{"taxonomy", "enforce", "--json"}, args...)...)
		if err := json.Unmarshal([]byte(out), &e); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for i := range e.Tenants {
			if e.Tenants[i].UpdatedAt.IsZero() {
				t.Errorf("%s: got no time", e.Tenants[i].TenantID)
			}
			e.Tenants[i].UpdatedAt = e.Tenants[i].UpdatedAt.Truncate(0)
		}
		return e
	}
	if got := enforcement("strict"); got.Installation != taxonomy.Strict || len(got.Tenants) != 0 {
		t.Errorf("strict: got %+v", got)
	}
	tenant := w.tenant.String()
	if got := enforcement("warn", "--tenant", tenant); got.Installation != taxonomy.Strict || len(got.Tenants) != 1 ||
		got.Tenants[0].TenantID != w.tenant ||
		got.Tenants[0].Mode != taxonomy.Warn {
		t.Errorf("warn for the tenant: got %+v", got)
	}
	recorded := w.record(t) // without the payload's name
	if want := "payload.name is required by resource.updated"; recorded.Warning != want {
		t.Errorf("warning: got %q, want %q", recorded.Warning, want)
	}
	if got := enforcement("--tenant", uuid.NewString()); len(got.Tenants) != 0 {
		t.Errorf("another tenant's: got %+v, want none", got)
	}
	if got := must(t, w.environ(), "taxonomy", "enforce"); !strings.Contains(got, "\n"+tenant+"   warn") {
		t.Errorf("got\n%s", got)
	}
	if diff := cmp.Diff(taxonomy.Enforcement{Installation: taxonomy.Strict, Tenants: []taxonomy.TenantMode{}},
		enforcement("--clear", "--tenant", tenant)); diff != "" {
		t.Errorf("--clear (-want +got):\n%s", diff)
	}
	mode, err := taxonomy.ModeOf(t.Context(), w.db.Pool, w.tenant)
	if err != nil || mode != taxonomy.Strict {
		t.Errorf("got %s and %v, want strict", mode, err)
	}
	if got := enforcement("off"); got.Installation != taxonomy.Off {
		t.Errorf("off: got %+v", got)
	}
	if recorded := w.record(t); recorded.Warning != "" || recorded.Severity != activity.Info ||
		recorded.Category != "resources" {
		t.Errorf("off: got %+v", recorded)
	}
}

func TestTaxonomyUsage(t *testing.T) {
	t.Parallel()
	refused := nettest.Refused(t)
	environ := map[string]string{"FANFARE_DATABASE_URL": "postgres://u@" + refused + "/d"}
	for _, c := range []struct{ line, want string }{
		{"check", "exactly one argument is required: the file"},
		{"apply a b", "exactly one argument is required: the file"},
		{"apply a --search-timeout 0s", "--search-timeout 0s: must be positive"},
		{"show a b", "at most one argument is accepted: the action"},
		{"enforce loud", `mode "loud" must be one of off, warn, strict`},
		{"enforce off warn", "at most one argument is accepted: off, warn or strict"},
		{"enforce off --clear", "a mode and --clear cannot be combined"},
		{"enforce --clear", "--clear requires --tenant"},
		{"enforce warn --tenant acme", "must be a UUID"},
	} {
		r := fanfare(t, environ, append([]string{"taxonomy"}, strings.Fields(c.line)...)...)
		if r.code != exitUsage || r.stdout != "" || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%s: got exit code %d, stdout %q, stderr %q; want 2 and %q", c.line, r.code, r.stdout, r.stderr,
				c.want)
		}
	}
}
