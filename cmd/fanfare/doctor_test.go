package main

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/doctor"
	"github.com/fanfarehq/fanfare/internal/nettest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// doctorEnvironment returns the environment of fanfare doctor for these servers.
func doctorEnvironment(db *pgtest.DB, c *devstack.Centrifugo) map[string]string {
	return map[string]string{
		"FANFARE_DATABASE_URL":            db.URL,
		"FANFARE_CENTRIFUGO_API_URL":      c.APIURLs(),
		"FANFARE_CENTRIFUGO_API_KEY":      c.APIKey(),
		"FANFARE_CENTRIFUGO_WS_URL":       c.WebSocketURL(),
		"FANFARE_CENTRIFUGO_TOKEN_SECRET": c.TokenSecret(),
	}
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	environ := doctorEnvironment(db, centrifugo)
	out := must(t, environ, "doctor")
	if !strings.Contains(out, "✓ centrifugo-delivery ") || strings.Contains(out, "\x1b") ||
		!strings.Contains(out, "checks passed, 1 with a warning.\n") {
		t.Errorf("got\n%s", out)
	}

	var report doctor.Report
	if err := json.Unmarshal([]byte(must(t, environ, "doctor", "--json", "--origin", "http://localhost:1234")),
		&report); err != nil {
		t.Fatal(err)
	}
	// A superuser migrates the databases of tests, which doctor warns of.
	if !report.OK || report.Count(doctor.OK) != len(report.Diagnostics)-1 {
		t.Errorf("got %+v", report)
	}

	invalid := maps.Clone(environ)
	invalid["FANFARE_CENTRIFUGO_API_KEY"] = "hunter2"
	r := fanfare(t, invalid, "doctor", "--json")
	var fields map[string]any
	if err := json.Unmarshal([]byte(r.stdout), &fields); err != nil || r.code != exitFailure || fields["ok"] != false {
		t.Errorf("an invalid key: got exit code %d and %s (%v)", r.code, r.stdout, err)
	}
	if r.stderr != "fanfare: failed checks: 1\n" || strings.Contains(r.stdout, "hunter2") {
		t.Errorf("an invalid key: got %s%s", r.stdout, r.stderr)
	}
	first := fields["checks"].([]any)[0].(map[string]any)
	if got, want := slices.Sorted(maps.Keys(first)), []string{"detail", "name", "remedy", "status"}; !slices.Equal(got,
		want) {
		t.Errorf("a diagnostic has the fields %v, want %v", got, want)
	}
}

func TestDoctorReadsTheSecretFromAFile(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	environ := doctorEnvironment(db, centrifugo)
	delete(environ, "FANFARE_CENTRIFUGO_TOKEN_SECRET")
	if out := must(t, environ, "doctor"); !strings.Contains(out, "· centrifugo-token ") ||
		!strings.Contains(out, "set FANFARE_CENTRIFUGO_TOKEN_SECRET") {
		t.Errorf("without a secret: got\n%s", out)
	}
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(centrifugo.TokenSecret()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := must(t, environ, "doctor", "--centrifugo-token-secret-file", path); !strings.Contains(out,
		"✓ centrifugo-token ") {
		t.Errorf("got\n%s", out)
	}
}

func TestDoctorUsage(t *testing.T) {
	t.Parallel()
	refused := nettest.Refused(t)
	environ := map[string]string{"FANFARE_DATABASE_URL": "postgres://u@" + refused + "/d"}
	for _, c := range []struct{ line, want string }{
		{"doctor now", "unknown command"},
		{"doctor --origin app.example", "must be an origin, such as https://app.example.com"},
		{"doctor --origin https://app.example/page", "must be an origin, such as https://app.example.com"},
		{"doctor --centrifugo-ws-url http://localhost", "must be a WebSocket URL"},
		{"doctor --centrifugo-token-secret x", "unknown flag: --centrifugo-token-secret"},
		{"doctor --centrifugo-token-secret-file /dev/null", "must be a file that is not empty"},
		{"doctor --database-url mysql://u:hunter2@h/d", "--database-url (FANFARE_DATABASE_URL)"},
		{"doctor --channel-user user:{tenant} --workers 100", "2 invalid settings"},
	} {
		r := fanfare(t, environ, strings.Fields(c.line)...)
		if r.code != exitUsage || !strings.Contains(r.stderr, c.want) || strings.Contains(r.stderr, "hunter2") {
			t.Errorf("fanfare %s: got exit code %d and %q, want 2 and %q", c.line, r.code, r.stderr, c.want)
		}
	}
	environ["FANFARE_CENTRIFUGO_TOKEN_SECRET"] = "hunter2"
	r := fanfare(t, environ, "doctor")
	if r.code != exitUsage || !strings.Contains(r.stderr, "FANFARE_CENTRIFUGO_TOKEN_SECRET: ") ||
		strings.Contains(r.stderr, "hunter2") ||
		!strings.Contains(r.stderr, "at least 32") {
		t.Errorf("a short secret: got exit code %d and %q, want 2 and the rule", r.code, r.stderr)
	}
}

func TestDoctorInterrupted(t *testing.T) {
	t.Parallel()
	refused := nettest.Refused(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"doctor"},
		process{stdout: &stdout, stderr: &stderr, environ: []string{
			"FANFARE_DATABASE_URL=postgres://u@" + refused + "/d",
		}})
	if code != exitFailure || stderr.String() != "fanfare: interrupted\n" {
		t.Errorf("got exit code %d and %q", code, &stderr)
	}
}

// TestDoctorReportsMissingPrivileges grants a role exactly the privileges that the doctor requires,
// and runs a worker with it.
func TestDoctorReportsMissingPrivileges(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	role := db.Pool.Config().ConnConfig.Database + "_role"
	grant := func(sql string) {
		t.Helper()
		if _, err := db.Pool.Exec(context.Background(), sql); err != nil {
			t.Fatal(err)
		}
	}
	grant(`CREATE ROLE ` + role)
	t.Cleanup(func() { grant(`DROP OWNED BY ` + role); grant(`DROP ROLE ` + role) })
	grant(`GRANT USAGE ON SCHEMA fanfare TO ` + role + `; GRANT SELECT ON fanfare.schema_version TO ` + role)

	asRole := *db
	asRole.URL = db.URLWith("role", role)
	var report doctor.Report
	if err := json.Unmarshal([]byte(fanfare(t, doctorEnvironment(&asRole, centrifugo), "doctor", "--json").stdout),
		&report); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(report.Diagnostics, func(d doctor.Diagnostic) bool { return d.ID == "postgres-rights" })
	if i < 0 || report.Diagnostics[i].Status != doctor.Fail {
		t.Fatalf("got %+v", report)
	}
	grant(report.Diagnostics[i].Remedy)
	must(t, doctorEnvironment(&asRole, centrifugo), "doctor")

	w := newWorld(t, db)
	events := w.listen(t, centrifugo)
	d := startWorker(t, environment(&asRole, centrifugo))
	recorded := w.record(t)
	if got := next(t, events, d).EventID; got != recorded.ID {
		t.Errorf("got event %s, want %s", got, recorded.ID)
	}
	waittest.Until(t, "the outbox is empty", func() bool { return w.pending(t) == 0 }, d.log)
	d.says(t, "dependency is available", "postgres")
	if line := d.log.line("permission denied"); line != "" {
		t.Errorf("the worker lacks a privilege: %s", line)
	}
}
