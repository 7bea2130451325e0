package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/doctor"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// programs are PostgreSQL's pg_dump and pg_restore. The server under test may be newer than they
// are, so a server of their own version is dumped.
type programs struct{ dir string }

// run runs a program and returns what it prints.
func (p programs) run(t testing.TB, name string, args ...string) (output string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, filepath.Join(p.dir, name), args...).CombinedOutput()
	return string(out), err
}

func startPostgres(t testing.TB, dir string) *devstack.Postgres {
	t.Helper()
	server, err := devstack.StartPostgres(t.Context(), devstack.PostgresOptions{BinDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop(context.Background()) })
	return server
}

// as returns a database's URL for a role with the password "secret".
func as(t testing.TB, databaseURL, role string) string {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(role, "secret")
	return u.String()
}

// executeIn executes statements in a database.
func executeIn(t testing.TB, databaseURL string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	for _, sql := range statements {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// openDatabase returns a database of a server that the test has started.
func openDatabase(t testing.TB, databaseURL string) *pgtest.DB {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return &pgtest.DB{Pool: pool, URL: databaseURL}
}

// missingRole matches what pg_restore reports of a grant to a role that the cluster does not have.
var missingRole = regexp.MustCompile(`error: could not execute query: ERROR:  role "fanfare_\w+" does not exist`)

// TestDumpAndRestore dumps a database, whose directory is in part a view, with pg_dump, restores it
// without owners as a role that may only create roles, and repairs it: recording, delivery,
// retention and redaction work, nothing is open to others, and doctor finds nothing.
func TestDumpAndRestore(t *testing.T) {
	t.Parallel()
	dir, err := devstack.FindPostgresPrograms(t.Context(), "pg_dump", "pg_restore")
	if err != nil {
		t.Fatal(err)
	}
	p := programs{dir}
	source, centrifugo := startPostgres(t, dir), startCentrifugo(t)
	executeIn(t, source.URL("postgres"), `CREATE ROLE host LOGIN CREATEROLE PASSWORD 'secret'`,
		`CREATE DATABASE shop OWNER host`)
	shop := as(t, source.URL("shop"), "host")
	environ := map[string]string{"FANFARE_DATABASE_URL": shop}
	must(t, environ, "migrate", "up")
	executeIn(t, shop, `CREATE TABLE things (LIKE fanfare.resources INCLUDING ALL)`, `DROP TABLE fanfare.resources`,
		`CREATE VIEW fanfare.resources AS
			SELECT id, tenant_id, parent_id, owner_principal_id, type, name FROM things`)
	must(t, environ, "migrate", "repair")
	w := newWorld(t, openDatabase(t, shop))
	w.record(t)
	pending := w.recordMessage(t, "resource.updated", "pending when the dump was made")
	dump := filepath.Join(t.TempDir(), "dump")
	if out, err := p.run(t, "pg_dump", "--format=custom", "--file="+dump, source.URL("shop")); err != nil {
		t.Fatalf("pg_dump: %v\n%s", err, out)
	}

	for name, c := range map[string]struct {
		elsewhere bool     // in another cluster, which has none of the roles
		restore   []string // flags
		repair    []string
		writer    string
	}{
		"roles missing":            {true, []string{"--no-owner"}, nil, "fanfare_writer"},
		"without grants":           {true, []string{"--no-owner", "--no-acl"}, nil, "fanfare_writer"},
		"a copy beside the source": {false, []string{"--no-owner"}, []string{"--role-prefix", "copy"}, "copy_writer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := source
			if c.elsewhere {
				server = startPostgres(t, "")
				executeIn(t, server.URL("postgres"), `CREATE ROLE host LOGIN CREATEROLE PASSWORD 'secret'`)
			}
			executeIn(t, server.URL("postgres"), `CREATE DATABASE copy OWNER host`)
			copied := as(t, server.URL("copy"), "host")
			out, err := p.run(t, "pg_restore", append(c.restore, "--dbname="+copied, dump)...)
			if refused := strings.Count(out, "error: could not execute query"); err != nil &&
				(refused == 0 || refused != len(missingRole.FindAllString(out, -1))) {
				t.Fatalf("pg_restore: %v\n%s", err, out)
			}
			environ := map[string]string{"FANFARE_DATABASE_URL": copied}
			must(t, environ, append([]string{"migrate", "repair"}, c.repair...)...)
			const right = "The roles, owners and grants are right."
			if got := must(t, environ, "migrate", "repair"); !strings.HasPrefix(got, right) {
				t.Errorf("a second repair: got %s", got)
			}
			restored := w
			restored.db = openDatabase(t, copied)
			checkRestored(t, restored, centrifugo, c.writer)
		})
	}
	if got := len(w.list(t).Items); got != 2 || w.pending(t) != 2 {
		t.Errorf("the source: got %d activities and %d pending, want 2 and 2 (%s)", got, w.pending(t), pending)
	}
}

// checkRestored checks that a restored database works and is closed.
func checkRestored(t *testing.T, w world, c *devstack.Centrifugo, writer string) {
	t.Helper()
	var report doctor.Report
	environ := doctorEnvironment(w.db, c)
	if err := json.Unmarshal([]byte(must(t, environ, "doctor", "--json")), &report); err != nil {
		t.Fatal(err)
	}
	// The tests migrate as a superuser, and the pending activities of the dump may be old by now.
	expected := []string{"postgres-superuser", "postgres-backlog"}
	for _, d := range report.Diagnostics {
		if d.Status != doctor.OK && !slices.Contains(expected, d.ID) {
			t.Errorf("doctor: %s is %s: %s", d.ID, d.Status, d.Detail)
		}
	}
	for sql, want := range map[string]string{
		`DELETE FROM fanfare.activities`:                                                   "42501",
		`SET ROLE ` + writer + `; SELECT count(*) FROM fanfare.activities`:                 "42501",
		`SET ROLE ` + writer + `; SELECT fanfare.erase_activities(NULL, NULL, NULL, NULL)`: "42501",
		`SET ROLE ` + writer + `; SELECT fanfare.record_activity('{}')`:                    "23502",
	} {
		_, err := w.db.Pool.Exec(t.Context(), sql)
		if refused, ok := errors.AsType[*pgconn.PgError](err); !ok || refused.Code != want {
			t.Errorf("%s: got %v, want SQLSTATE %s", sql, err, want)
		}
	}
	w.db.Pool.Reset()
	recorded := w.record(t)
	d := startWorker(t, environment(w.db, c))
	waittest.Until(t, "everything is delivered", func() bool { return w.pending(t) == 0 }, d.log)
	d.finish(t)
	must(t, w.environ(), "retention", "run")
	w.runActivity(t, "redact", "--yes", "--reason", "a test", "--actor", w.actor.String())
	if got := w.list(t, "--resource", w.resource.String()); len(got.Items) != 3 ||
		!strings.Contains(string(got.Items[0].Payload), "redacted") || got.Items[0].ID != recorded.ID {
		t.Errorf("after redaction: got %+v, want the three, redacted", got.Items)
	}
}
