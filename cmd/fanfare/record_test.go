package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// lifecycle returns the activities of daemons in a tenant's log, the oldest first.
func lifecycle(t testing.TB, db *pgtest.DB, tenant uuid.UUID) []activity.Activity {
	t.Helper()
	found, _, err := pglog.New(db.Pool).
		List(t.Context(), tenant, activity.OfEntity("daemon", uuid.NewSHA1(tenant, []byte("fanfare"))), activity.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for i, j := 0, len(found)-1; i < j; i, j = i+1, j-1 {
		found[i], found[j] = found[j], found[i]
	}
	return found
}

// TestLifecycle starts and stops each kind of daemon.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	centrifugo := startCentrifugo(t)
	for _, command := range []string{"worker", "serve", "run"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			db, tenant := pgtest.New(t), uuid.New()
			d := startDaemon(t, environment(db, centrifugo), command, "--system-tenant", tenant.String())
			waittest.Until(t, "the start is recorded", func() bool { return len(lifecycle(t, db, tenant)) > 0 }, d.log)
			if got := d.get(t, "/metrics").body; !strings.Contains(got,
				`fanfare_records_dropped_total{reason="failed"} 0`) {
				t.Errorf("/metrics does not count what is recorded:\n%s", got)
			}
			if code := d.finish(t); code != exitOK {
				t.Errorf("got exit code %d:\n%s", code, d.log)
			}
			life := lifecycle(t, db, tenant)
			var actions []string
			for _, a := range life {
				actions = append(actions, a.Action)
				var payload struct{ Version, Command string }
				if err := json.Unmarshal(a.Payload, &payload); err != nil || payload.Version == "" ||
					payload.Command != command {
					t.Errorf("got payload %s, %v; want the version and the command", a.Payload, err)
				}
				if a.ActorPrincipalID != activity.System || a.Status != activity.Success ||
					a.CorrelationID != life[0].CorrelationID {
					t.Errorf("got %+v, want a success by the system, with the correlation id of the process", a)
				}
			}
			if diff := cmp.Diff([]string{"daemon.started", "daemon.stopping"}, actions); diff != "" {
				t.Errorf("actions (-want +got):\n%s\n%s", diff, d.log)
			}
		})
	}
}

// Without a system tenant, a daemon does not record its lifecycle.
func TestLifecycleWithoutTenant(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	d := startDaemon(t, environment(db, centrifugo), "serve")
	d.says(t, "serving the API")
	if code := d.finish(t); code != exitOK {
		t.Errorf("got exit code %d:\n%s", code, d.log)
	}
	var n int
	if err := db.Pool.QueryRow(t.Context(), `SELECT count(*) FROM fanfare.activities`).Scan(&n); err != nil || n != 0 {
		t.Errorf("got %d activities, %v, want none", n, err)
	}
}

// A daemon that cannot record its lifecycle works, and logs it.
func TestLifecycleNotRecorded(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	if _, err := db.Pool.Exec(t.Context(),
		`DROP FUNCTION fanfare.record_envelopes, fanfare.record_fields CASCADE`); err != nil {
		t.Fatal(err)
	}
	d := startDaemon(t, environment(db, centrifugo), "run", "--system-tenant", uuid.NewString())
	d.says(t, "cannot record the daemon's own activities")
	d.says(t, "serving the API")
	if code := d.finish(t); code != exitOK {
		t.Errorf("got exit code %d:\n%s", code, d.log)
	}
}
