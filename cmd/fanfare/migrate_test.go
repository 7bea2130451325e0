package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/migrations"
)

func TestMigrate(t *testing.T) {
	t.Parallel()
	db := pgtest.NewEmpty(t)
	environ := map[string]string{"FANFARE_DATABASE_URL": db.URL}
	status := func() migrations.Status {
		t.Helper()
		var s migrations.Status
		if err := json.Unmarshal([]byte(must(t, environ, "migrate", "status", "--json")), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	empty := status()
	if empty.Current != 0 || empty.Latest == 0 || len(empty.Pending) != empty.Latest {
		t.Fatalf("an empty database: got %+v", empty)
	}
	if got := must(t, environ, "migrate", "status"); !strings.Contains(got, "at migration 0 of ") ||
		!strings.Contains(got, "\n  001_") {
		t.Errorf("an empty database: got %s", got)
	}
	if got := must(t, environ, "migrate", "up"); !strings.HasPrefix(got, "up    001_") ||
		!strings.Contains(got, ", the latest.\n") || !strings.Contains(got, "the role fanfare_") {
		t.Errorf("up: got %s", got)
	}
	if got := must(t, environ, "migrate", "up"); !strings.HasPrefix(got, "The database is at migration "+strconv.Itoa(
		empty.Latest,
	)+", the latest.\n") {
		t.Errorf("up again: got %s", got)
	}
	if got := must(t, environ, "migrate", "status"); strings.Contains(got, "wrong") ||
		!strings.Contains(got, "The directory is read with the rights of the role fanfare") {
		t.Errorf("status: got %s", got)
	}
	if _, err := db.Pool.Exec(t.Context(), `
		CREATE TABLE public.things AS SELECT * FROM fanfare.resources;
		DROP TABLE fanfare.resources;
		CREATE VIEW fanfare.resources AS SELECT * FROM public.things`); err != nil {
		t.Fatal(err)
	}
	if got := must(t, environ, "migrate", "status"); !strings.Contains(got, "wrong in 1 places") ||
		!strings.Contains(got, "GRANT SELECT ON TABLE fanfare.resources TO ") {
		t.Errorf("status with a new view: got %s", got)
	}
	must(t, environ, "migrate", "repair")
	const right = "The roles, owners and grants are right."
	if got := must(t, environ, "migrate", "repair"); !strings.HasPrefix(got, right) {
		t.Errorf("repair: got %s", got)
	}
	if got := must(t, environ, "migrate", "down", "--to", strconv.Itoa(empty.Latest-1)); !strings.HasPrefix(got,
		fmt.Sprintf("down  %03d_", empty.Latest)) {
		t.Errorf("down by one: got %s", got)
	}
	if got := status(); got.Current != empty.Latest-1 {
		t.Errorf("down by one: got %+v", got)
	}
	r := fanfare(t, environ, "migrate", "down", "--to", "0")
	if r.code != exitUsage || !strings.Contains(r.stderr, "--yes") || status().Current == 0 {
		t.Errorf("down to 0 without --yes: got exit code %d, %s", r.code, r.stderr)
	}
	must(t, environ, "migrate", "down", "--to", "0", "--yes")
	if got := status(); got.Current != 0 {
		t.Errorf("down to 0: got %+v", got)
	}
	r = fanfare(t, environ, "migrate", "down", "--to", "99")
	if r.code != exitFailure || !strings.Contains(r.stderr, "99") {
		t.Errorf("down to an unknown migration: got exit code %d, %s", r.code, r.stderr)
	}
	r = fanfare(t, environ, "outbox", "status")
	if r.code != exitFailure || !strings.Contains(r.stderr, "fanfare migrate up") {
		t.Errorf("the outbox of an empty database: got exit code %d, %s", r.code, r.stderr)
	}
}

// TestMigrateWithoutRights migrates as a role that may only connect. The error contains the
// statements that help, and no other remedy.
func TestMigrateWithoutRights(t *testing.T) {
	t.Parallel()
	db := pgtest.NewEmpty(t)
	role := "host_" + strings.ToLower(rand.Text())
	if _, err := db.Pool.Exec(t.Context(), `CREATE ROLE `+role+` LOGIN PASSWORD 'secret'`); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(db.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(role, "secret")
	r := fanfare(t, map[string]string{"FANFARE_DATABASE_URL": u.String()}, "migrate", "up")
	if r.code != exitFailure || !strings.Contains(r.stderr, "let a superuser execute GRANT CREATE ON DATABASE ") ||
		!strings.Contains(r.stderr, " TO "+role+";") || strings.Contains(r.stderr, "fanfare doctor") {
		t.Errorf("got exit code %d and %q, want 1 and the statements", r.code, r.stderr)
	}
}

// TestMigrateWithWorkers migrates while workers are registered whose programs do not work with the
// schema afterwards.
func TestMigrateWithWorkers(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	environ := map[string]string{"FANFARE_DATABASE_URL": db.URL}
	latest, _ := migrations.Versions()
	down := []string{"migrate", "down", "--to", strconv.Itoa(latest - 1)}
	register := func(name string, schema, needed int, seen string) {
		t.Helper()
		if _, err := db.Pool.Exec(t.Context(), `
			INSERT INTO fanfare.workers (id, name, version, schema_version, schema_needed, seen_at)
			VALUES (gen_random_uuid(), $1, 'v1.2.3', $2, $3, now() - $4::interval)`,
			name, schema, needed, seen); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(args []string, worker string) {
		t.Helper()
		r := fanfare(t, environ, args...)
		if r.code != exitFailure || !strings.Contains(r.stderr, worker+" (v1.2.3, migration ") ||
			!strings.Contains(r.stderr, "--force") || strings.Contains(r.stderr, "silent/") {
			t.Errorf("%q: got exit code %d and %q, want 1, the worker and --force", args, r.code, r.stderr)
		}
	}
	register("silent/1", latest, latest, "1 minute")
	register("silent/2", 0, 0, "0")
	register("needs/3", latest, latest, "0")
	refused(down, "needs/3")
	must(t, environ, append(down, "--force")...)

	register("old/4", latest-1, latest-1, "0")
	if got := must(t, environ, "migrate", "status"); !strings.Contains(got, fmt.Sprintf(
		"programs from migration %d on work with it\n", latest)) || !strings.Contains(got, fmt.Sprintf(
		"Programs from migration %d on work with the database.\n"+
			"Live workers that do not work with migration %d: old/4 (v1.2.3, migration %d).\n",
		latest-1, latest, latest-1)) {
		t.Errorf("status: got %s", got)
	}
	refused([]string{"migrate", "up"}, "old/4")
	if got := must(t, environ, "migrate", "up", "--force"); !strings.Contains(got, ", the latest.\n") {
		t.Errorf("up --force: got %s", got)
	}
}

// TestCommandsOnNewerSchema runs commands on a schema that is newer than the program.
func TestCommandsOnNewerSchema(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	environ := map[string]string{"FANFARE_DATABASE_URL": db.URL}
	for _, sql := range []string{
		`UPDATE fanfare.schema_version SET version = version + 5`,
		`UPDATE fanfare.schema_version SET oldest_program = version - 1`,
	} {
		if _, err := db.Pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
		r := fanfare(t, environ, "outbox", "status")
		if works := !strings.Contains(sql, "oldest"); works != (r.code == exitOK) ||
			works == strings.Contains(r.stderr, "replace this program") {
			t.Errorf("after %s: got exit code %d and %q", sql, r.code, r.stderr)
		}
	}
}

// TestDaemonsOnNewerSchema starts daemons on a schema with which they do not work, and makes it one
// with which they do, and back.
func TestDaemonsOnNewerSchema(t *testing.T) {
	t.Parallel()
	centrifugo := startCentrifugo(t)
	for _, command := range []string{"worker", "run"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			db := pgtest.New(t)
			set := func(oldest string) {
				t.Helper()
				_, err := db.Pool.Exec(t.Context(),
					`UPDATE fanfare.schema_version SET version = $1, oldest_program = `+oldest, 900)
				if err != nil {
					t.Fatal(err)
				}
			}
			set("899")
			d := startDaemon(t, environment(db, centrifugo), command)
			d.says(t, `"level":"error"`, "requires a program with the migrations up to 899")
			d.isReady(t, false, "postgres")
			answers := func(want int) {
				t.Helper()
				if command == "worker" {
					return
				}
				if r := d.api(t).do(t, http.MethodGet, "/openapi.json", ""); r.status != want {
					t.Errorf("the API: got status %d, want %d: %s", r.status, want, r.body)
				}
			}
			answers(http.StatusServiceUnavailable)
			set("1")
			d.isReady(t, true)
			answers(http.StatusOK)
			set("899")
			waittest.Until(t, "the daemon has ended", func() bool { return len(d.ended) == 1 }, d.log)
			if code := d.finish(t); code != exitFailure {
				t.Errorf("got exit code %d, want 1\n%s", code, d.log)
			}
		})
	}
}
