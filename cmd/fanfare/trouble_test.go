package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/nettest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// soon is a generous limit for a second, on a busy machine.
const soon = 5 * time.Second

// after returns the time between the line with one word and the line with other words.
func (l *logged) after(t testing.TB, word string, words ...string) time.Duration {
	t.Helper()
	var first, second struct{ Time time.Time }
	if err := errors.Join(json.Unmarshal([]byte(l.line(word)), &first),
		json.Unmarshal([]byte(l.line(words...)), &second)); err != nil {
		t.Fatal(err)
	}
	return second.Time.Sub(first.Time)
}

// TestProblemsAtStart starts workers with problems. Each logs its problem immediately and keeps
// running.
func TestProblemsAtStart(t *testing.T) {
	t.Parallel()
	refused := nettest.Refused(t)
	db, empty, centrifugo := pgtest.New(t), pgtest.NewEmpty(t), startCentrifugo(t)
	for name, c := range map[string]struct {
		environ map[string]string
		want    []string
	}{
		"invalid key": {
			map[string]string{"FANFARE_CENTRIFUGO_API_KEY": "wrong"},
			[]string{`"level":"error"`, "rejects the API key", "--centrifugo-api-key"},
		},
		"unreachable address": {
			map[string]string{"FANFARE_CENTRIFUGO_API_URL": "http://" + refused + "/api"},
			[]string{`"level":"error"`, "is unreachable", "--centrifugo-api-url"},
		},
		"invalid path": {
			map[string]string{"FANFARE_CENTRIFUGO_API_URL": centrifugo.APIURL() + "/v2"},
			[]string{`"level":"error"`, "not Centrifugo's HTTP API", "--centrifugo-api-url"},
		},
		"unknown namespace": {
			map[string]string{"FANFARE_CHANNEL_RESOURCE": "absent:{tenant}.{resource}"},
			[]string{`"level":"error"`, "has no namespace", "absent"},
		},
		"unreachable database": {
			map[string]string{"FANFARE_DATABASE_URL": "postgres://u@" + refused + "/d"},
			[]string{`"level":"error"`, "PostgreSQL is unreachable", "--database-url"},
		},
		"unknown database": {
			map[string]string{"FANFARE_DATABASE_URL": db.URLWith("dbname", "fanfare_absent")},
			[]string{`"level":"error"`, `database \"fanfare_absent\" does not exist`, "--database-url"},
		},
		"missing schema": {
			map[string]string{"FANFARE_DATABASE_URL": empty.URL},
			[]string{`"level":"error"`, "at migration 0 of", "fanfare migrate up"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			environ := environment(db, centrifugo)
			maps.Copy(environ, c.environ)
			d := startWorker(t, environ)
			d.says(t, c.want...)
			if got := d.log.after(t, "starting", c.want...); got > soon {
				t.Errorf("logged %v after the start, want at most %v", got, soon)
			}
			d.isReady(t, false)
			if code := d.finish(t); code != exitOK {
				t.Errorf("got exit code %d, want 0", code)
			}
		})
	}
}

// TestRecovery starts a worker on an empty database and without Centrifugo, and then provides both.
func TestRecovery(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.NewEmpty(t), startCentrifugo(t)
	if err := centrifugo.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := startWorker(t, environment(db, centrifugo))
	d.says(t, "fanfare migrate up")
	d.says(t, "Centrifugo at", "is unreachable")

	must(t, environment(db, centrifugo), "migrate", "up")
	d.says(t, "dependency is available again", "postgres")
	w := newWorld(t, db)
	recorded := w.record(t)
	d.isReady(t, false, "centrifugo")

	if err := centrifugo.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.says(t, "dependency is available again", "centrifugo")
	d.isReady(t, true)
	// The worker may publish before a client has subscribed, so the channel's history is read.
	waittest.Until(t, "the outbox is empty", func() bool { return w.pending(t) == 0 }, d.log)
	if got := w.published(t, centrifugo); len(got) != 1 || got[0].EventID != recorded.ID {
		t.Errorf("got the events %+v, want %s", got, recorded.ID)
	}
}

// TestReadiness stops and restarts the dependencies of a worker.
func TestReadiness(t *testing.T) {
	t.Parallel()
	postgres, db := pgtest.NewCluster(t)
	centrifugo := startCentrifugo(t)
	d := startWorker(t, environment(db, centrifugo))
	d.isReady(t, true)
	for _, c := range []struct {
		name    string
		kill    func(context.Context) error
		restart func(context.Context) error
		says    string
	}{
		{"centrifugo", centrifugo.Kill, centrifugo.Restart, "Centrifugo at"},
		{"postgres", postgres.Kill, postgres.Restart, "PostgreSQL is unreachable"},
	} {
		if err := c.kill(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.isReady(t, false, c.name)
		d.says(t, `"level":"error"`, c.says)
		if got := d.get(t, "/healthz").status; got != 200 {
			t.Errorf("%s unavailable: /healthz answers %d, want 200", c.name, got)
		}
		if err := c.restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.isReady(t, true)
		d.says(t, "dependency is available again", c.name)
	}
}

// TestNothingIsDelivered takes away what every delivery needs. The worker is not ready and names
// the cause, and no activity is blamed.
func TestNothingIsDelivered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		impair, mend string
		failing      string // the dependency
		says         string
	}{
		"a broken directory": {
			`ALTER TABLE fanfare.resources RENAME COLUMN owner_principal_id TO renamed`,
			`ALTER TABLE fanfare.resources RENAME COLUMN renamed TO owner_principal_id`, "worker", "owner_principal_id",
		},
		"inbox rows are refused": {
			`ALTER TABLE fanfare.notifications RENAME TO renamed`,
			`ALTER TABLE fanfare.renamed RENAME TO notifications`, "worker", "notifications",
		},
		"a read-only database": {
			`DO $$ BEGIN
			    EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database());
			    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
			    WHERE datname = current_database() AND application_name = 'fanfare';
			END $$`,
			`DO $$ BEGIN
			    EXECUTE format('ALTER DATABASE %I RESET default_transaction_read_only', current_database());
			    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
			    WHERE datname = current_database() AND application_name = 'fanfare';
			END $$`, "postgres", "read-only",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, centrifugo := pgtest.New(t), startCentrifugo(t)
			w := newWorld(t, db)
			events := w.listen(t, centrifugo)
			d := startWorker(t, environment(db, centrifugo))
			d.isReady(t, true)
			exec := func(sql string) {
				t.Helper()
				if _, err := db.Pool.Exec(t.Context(), sql); err != nil {
					t.Fatal(err)
				}
			}
			recorded := w.record(t) // the connections of the test stay writable
			if got := next(t, events, d).EventID; got != recorded.ID {
				t.Fatalf("got event %s, want %s", got, recorded.ID)
			}
			exec(c.impair)
			if c.failing == "worker" {
				exec(`INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at)
					SELECT fanfare.lane_of(tenant_id, resource_id), id, tenant_id, resource_id, recorded_at
					FROM fanfare.activities`)
			}
			d.isReady(t, false, c.failing)
			d.says(t, c.says)
			exec(c.mend)
			d.isReady(t, true)
			waittest.Until(t, "the outbox is empty", func() bool { return w.pending(t) == 0 }, d.log)
			waittest.Query(t, db.Pool, "no activity is blamed", `SELECT NOT EXISTS (SELECT FROM fanfare.dead_letters)
				AND NOT EXISTS (SELECT FROM fanfare.parked)`)
		})
	}
}

// TestStopsWithoutANetwork stops a worker whose connections to PostgreSQL are silent.
func TestStopsWithoutANetwork(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	network := pgtest.NewNetwork(t, db.URL)
	environ := environment(db, centrifugo)
	environ["FANFARE_DATABASE_URL"] = network.URL
	d := startWorker(t, environ)
	d.isReady(t, true)
	network.Blind()
	if code := d.finish(t); code != exitOK {
		t.Errorf("got exit code %d, want 0\n%s", code, d.log)
	}
}
