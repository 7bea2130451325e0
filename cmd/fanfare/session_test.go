package main

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/doctor"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// oddSettings are defaults of a database on which the meaning of statements, or the text of their
// results, would depend.
var oddSettings = map[string]string{
	"bytea_output":                  "escape",
	"client_encoding":               "LATIN1",
	"datestyle":                     "SQL, DMY",
	"default_transaction_isolation": "serializable",
	"escape_string_warning":         "off",
	"extra_float_digits":            "-15",
	"intervalstyle":                 "sql_standard",
	"quote_all_identifiers":         "on",
	"search_path":                   "odd",
	"standard_conforming_strings":   "off",
	"timezone":                      "Asia/Kathmandu",
	"transform_null_equals":         "on",
	"xmlbinary":                     "hex",
}

// setOdd gives the database odd defaults, and to objects of its own the names of functions that
// Fanfare calls. It returns a function that resets the defaults.
func setOdd(t testing.TB, db *pgtest.DB) (reset func()) {
	t.Helper()
	name := pgx.Identifier{db.Pool.Config().ConnConfig.Database}.Sanitize()
	statements := []string{
		`CREATE SCHEMA odd`,
		`CREATE FUNCTION odd.lower(text) RETURNS text LANGUAGE sql RETURN 'odd'`,
		`CREATE FUNCTION odd.now() RETURNS timestamptz LANGUAGE sql RETURN '-infinity'::timestamptz`,
	}
	for _, setting := range slices.Sorted(maps.Keys(oddSettings)) {
		statements = append(statements, `ALTER DATABASE `+name+` SET `+setting+` = '`+oddSettings[setting]+`'`)
	}
	do := func(statements ...string) {
		t.Helper()
		for _, sql := range statements {
			if _, err := db.Pool.Exec(t.Context(), sql); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
		}
	}
	do(statements...)
	db.Pool.Reset()
	return func() {
		do(`ALTER DATABASE ` + name + ` RESET ALL`)
		db.Pool.Reset()
	}
}

// TestOddSettings compares the output of commands on a database with odd defaults with that
// without, in each query mode of a connection: the modes differ in the format of results.
func TestOddSettings(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	w := newWorld(t, db)
	reset := setOdd(t, db)
	var said string
	application, err := pgx.Connect(t.Context(), db.URLWith("client_encoding", "UTF8"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = application.Close(context.Background()) }()
	err = application.QueryRow(t.Context(), `SELECT fanfare.record_activity($1)::text`, map[string]any{
		"tenant_id": w.tenant, "actor_principal_id": w.actor, "resource_id": w.resource, "resource_type": "signal",
		"action": "signal.updated", "message": `Zürich \ ☃`, "ip": "192.0.2.7",
		"occurred_at": "2026-02-03T04:05:06.789012Z", "payload": map[string]any{"at": "2026-02-03", "n": 0.1},
	}).Scan(&said)
	if err != nil {
		t.Fatal(err)
	}
	w.recordMessage(t, "signal.created", "second")
	tenant := []string{"--tenant", w.tenant.String()}
	must(t, w.environ(), append([]string{
		"token", "create", "--principal", w.owner.String(), "--name", "n", "--scope", "activity:read",
	}, tenant...)...)
	must(t, w.environ(), append([]string{"retention", "set", "--max-days", "20"}, tenant...)...)
	must(t, w.environ(), append([]string{"retention", "hold", "place", "--reason", "r"}, tenant...)...)
	must(t, w.environ(), "outbox", "park", said, "--for", "1h")

	since := []string{"--since", "2026-01-01T00:00:00Z"}
	lines := [][]string{
		append(append([]string{"activity", "stats", "--json"}, since...), tenant...),
		append(append([]string{"activity", "stats"}, since...), tenant...),
		append([]string{"activity", "list", "--json"}, tenant...),
		append([]string{"activity", "list"}, tenant...),
		append([]string{"activity", "get", said, "--json"}, tenant...),
		append([]string{"explain", said, "--json"}, tenant...),
		append([]string{"activity", "export", "--format", "csv"}, tenant...),
		append([]string{"activity", "export", "--format", "jsonl"}, tenant...),
		append([]string{"activity", "export", "--format", "cloudevents"}, tenant...),
		{"outbox", "status", "--json"},
		{"outbox", "dead", "--json"},
		append([]string{"retention", "show", "--json"}, tenant...),
		append([]string{"retention", "run", "--dry-run", "--json"}, tenant...),
		append([]string{"token", "list", "--json"}, tenant...),
		{"taxonomy", "show", "--json"},
		{"migrate", "status", "--json"},
		{"migrate", "repair"},
	}
	run := func(mode string) map[string]string {
		t.Helper()
		environ := map[string]string{"FANFARE_DATABASE_URL": db.URLWith("default_query_exec_mode", mode)}
		outputs := map[string]string{}
		for _, line := range lines {
			r := fanfare(t, environ, line...)
			outputs[strings.Join(line, " ")] = r.stdout + r.stderr
			if r.code != exitOK {
				t.Errorf("%s: fanfare %s: got exit code %d\n%s", mode, strings.Join(line, " "), r.code, r.stderr)
			}
		}
		return outputs
	}
	modes := []string{"cache_statement", "exec", "simple_protocol"}
	odd := map[string]map[string]string{}
	for _, mode := range modes {
		odd[mode] = run(mode)
	}
	reset()
	usual := run("cache_statement")
	for _, mode := range modes {
		if diff := cmp.Diff(usual, odd[mode]); diff != "" {
			t.Errorf("%s (-usual +odd):\n%s", mode, diff)
		}
	}
	if got := usual["activity get "+said+" --json --tenant "+w.tenant.String()]; !strings.Contains(got,
		`"occurred_at": "2026-02-03T04:05:06.789012Z"`) || !strings.Contains(got, `Zürich \\ ☃`) {
		t.Errorf("the activity: got %s", got)
	}
}

// TestDaemonOnOddSettings delivers and serves on a database with odd defaults.
func TestDaemonOnOddSettings(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	w := newWorld(t, db)
	setOdd(t, db)
	for _, mode := range []string{"cache_statement", "simple_protocol"} {
		env := environment(db, centrifugo)
		env["FANFARE_DATABASE_URL"] = db.URLWith("default_query_exec_mode", mode)
		events := w.listen(t, centrifugo)
		d := startDaemon(t, env, "run")
		recorded := w.record(t)
		if got := next(t, events, d).EventID; got != recorded.ID {
			t.Errorf("%s: got event %s, want %s", mode, got, recorded.ID)
		}
		waittest.Until(t, "the outbox is empty", func() bool { return w.pending(t) == 0 }, d.log)
		owner := d.api(t).person(t, w, w.owner)
		for _, path := range []string{
			"/notifications?limit=10", "/notifications/unread-count", "/activities?since=2026-01-01T00:00:00Z",
			"/subscriptions", "/activities/" + recorded.ID.String(), "/realtime/bootstrap",
		} {
			got := owner.do(t, http.MethodGet, path, "")
			if got.status != http.StatusOK {
				t.Errorf("%s: GET %s: got status %d with %s, want 200", mode, path, got.status, got.body)
			}
		}
		if got := owner.do(t, http.MethodGet, "/activities/"+uuid.NewString(), ""); got.status != http.StatusNotFound {
			t.Errorf("%s: an unknown activity: got status %d, want 404", mode, got.status)
		}
		var report doctor.Report
		checked := doctorEnvironment(db, centrifugo)
		checked["FANFARE_DATABASE_URL"] = env["FANFARE_DATABASE_URL"]
		if err := json.Unmarshal([]byte(fanfare(t, checked, "doctor", "--json").stdout), &report); err != nil {
			t.Fatal(err)
		}
		for _, diagnosed := range report.Diagnostics {
			if diagnosed.Status != doctor.OK && diagnosed.ID != "postgres-superuser" {
				t.Errorf("%s: doctor: %+v", mode, diagnosed)
			}
		}
		if code := d.finish(t); code != exitOK {
			t.Errorf("%s: got exit code %d, want 0\n%s", mode, code, d.log)
		}
		if line := d.log.line(`"level":"error"`); line != "" {
			t.Errorf("%s: got the error %s", mode, line)
		}
	}
}
