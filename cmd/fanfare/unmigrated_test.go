package main

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestUnmigratedDatabase runs each command that needs the schema on a database without it, and with
// half of it.
func TestUnmigratedDatabase(t *testing.T) {
	t.Parallel()
	empty, half := pgtest.NewEmpty(t), pgtest.NewEmpty(t)
	must(t, map[string]string{"FANFARE_DATABASE_URL": half.URL}, "migrate", "up")
	must(t, map[string]string{"FANFARE_DATABASE_URL": half.URL}, "migrate", "down", "--to", "3")
	id, tenant := uuid.NewString(), " --tenant "+uuid.NewString()
	for name, db := range map[string]*pgtest.DB{"no schema": empty, "half a schema": half} {
		environ := map[string]string{"FANFARE_DATABASE_URL": db.URL}
		for _, line := range []string{
			"activity list" + tenant, "activity get " + id + tenant, "activity stats --json" + tenant,
			"activity export" + tenant, "activity tail" + tenant, "explain " + id + tenant,
			"activity redact --yes --reason r --actor " + id + tenant,
			"outbox status", "outbox dead --json", "outbox replay --all", "outbox park --for 1m " + id,
			"retention show", "retention set --max-days 9" + tenant, "retention run", "retention hold list" + tenant,
			"taxonomy show", "taxonomy enforce strict", "token list" + tenant,
			"token create --name n --scope activity:read --principal " + id + tenant, "migrate repair",
		} {
			r := fanfare(t, environ, strings.Fields(line)...)
			if r.code != exitFailure || !strings.Contains(r.stderr, "run fanfare migrate up") {
				t.Errorf("%s: fanfare %s: got exit code %d and %q, want 1 and the command to run",
					name, line, r.code, r.stderr)
			}
		}
	}
}

// TestDaemonsOnUnmigratedDatabase starts daemons before the schema is created. They name the
// remedy, are not ready, and work as soon as the schema exists.
func TestDaemonsOnUnmigratedDatabase(t *testing.T) {
	t.Parallel()
	centrifugo := startCentrifugo(t)
	for _, command := range []string{"worker", "serve", "run"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			db := pgtest.NewEmpty(t)
			d := startDaemon(t, environment(db, centrifugo), command)
			d.says(t, `"level":"error"`, "fanfare migrate up")
			d.isReady(t, false, "postgres")
			must(t, environment(db, centrifugo), "migrate", "up")
			d.isReady(t, true)
			if line := d.log.line("does not exist"); line != "" {
				t.Errorf("got %s, want one error that names the remedy", line)
			}
			if code := d.finish(t); code != exitOK {
				t.Errorf("got exit code %d, want 0\n%s", code, d.log)
			}
		})
	}
}
