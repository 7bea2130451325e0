package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// soon is one second, on a machine that has nothing else to do.
const soon = 5 * time.Second

// after returns how much later than the line with one word the line with the others was logged.
func (l *logged) after(t testing.TB, word string, words ...string) time.Duration {
	t.Helper()
	var first, second struct{ Time time.Time }
	if err := errors.Join(json.Unmarshal([]byte(l.line(word)), &first),
		json.Unmarshal([]byte(l.line(words...)), &second)); err != nil {
		t.Fatal(err)
	}
	return second.Time.Sub(first.Time)
}

// TestTroubleAtStart starts workers that cannot work. Each says why at once, keeps running, and
// loses nothing.
func TestTroubleAtStart(t *testing.T) {
	t.Parallel()
	db, empty, centrifugo := pgtest.New(t), pgtest.NewEmpty(t), startCentrifugo(t)
	for name, c := range map[string]struct {
		environ map[string]string
		want    []string
	}{
		"wrong key": {
			map[string]string{"FANFARE_CENTRIFUGO_API_KEY": "wrong"},
			[]string{`"level":"error"`, "rejects the API key", "--centrifugo-api-key"},
		},
		"wrong address": {
			map[string]string{"FANFARE_CENTRIFUGO_API_URL": "http://127.0.0.1:1/api"},
			[]string{`"level":"error"`, "is unreachable", "--centrifugo-api-url"},
		},
		"wrong path": {
			map[string]string{"FANFARE_CENTRIFUGO_API_URL": centrifugo.APIURL() + "/v2"},
			[]string{`"level":"error"`, "not Centrifugo's HTTP API", "--centrifugo-api-url"},
		},
		"unknown namespace": {
			map[string]string{"FANFARE_CHANNEL_RESOURCE": "nobody:{tenant}.{resource}"},
			[]string{`"level":"error"`, "has no namespace", "nobody"},
		},
		"database away": {
			map[string]string{"FANFARE_DATABASE_URL": "postgres://u@127.0.0.1:1/d"},
			[]string{`"level":"error"`, "PostgreSQL is unreachable", "--database-url"},
		},
		"unknown database": {
			map[string]string{"FANFARE_DATABASE_URL": db.URL + "&dbname=fanfare_absent"},
			[]string{`"level":"error"`, `database \"fanfare_absent\" does not exist`, "--database-url"},
		},
		"schema missing": {
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
				t.Errorf("it says so %v after its start, want at most %v", got, soon)
			}
			d.isReady(t, false)
			if code := d.finish(t); code != exitOK {
				t.Errorf("got exit code %d, want 0: it had only to wait", code)
			}
		})
	}
}

// TestTroubleMended starts a worker on an empty database and with Centrifugo down, and mends both.
func TestTroubleMended(t *testing.T) {
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
	events := w.listen(t, centrifugo)
	d.says(t, "dependency is available again", "centrifugo")
	d.isReady(t, true)
	if got := next(t, events, d).EventID; got != recorded.ID {
		t.Errorf("got event %s, want %s", got, recorded.ID)
	}
}

// TestReadinessFollowsTheServers takes away what a worker at work depends on, and gives it back.
func TestReadinessFollowsTheServers(t *testing.T) {
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
			t.Errorf("%s away: /healthz answers %d, want 200", c.name, got)
		}
		if err := c.restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.isReady(t, true)
		d.says(t, "dependency is available again", c.name)
	}
}
