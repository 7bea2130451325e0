package main

import (
	"net/http"
	"testing"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestPoolerModes delivers activities and serves the API in the query modes that do not depend on a
// session.
func TestPoolerModes(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"exec", "simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			db, centrifugo := pgtest.New(t), startCentrifugo(t)
			w := newWorld(t, db)
			env := environment(db, centrifugo)
			env["FANFARE_DATABASE_URL"] = db.URLWith("default_query_exec_mode", mode)
			events := w.listen(t, centrifugo)
			d := startDaemon(t, env, "run")
			recorded := w.record(t)
			if got := next(t, events, d).EventID; got != recorded.ID {
				t.Errorf("got event %s, want %s", got, recorded.ID)
			}
			owner := d.api(t).person(t, w, w.owner)
			for _, path := range []string{
				"/notifications?limit=10", "/notifications/unread-count", "/activities", "/subscriptions",
				"/realtime/bootstrap",
			} {
				if got := owner.do(t, http.MethodGet, path, ""); got.status != http.StatusOK {
					t.Errorf("GET %s: got status %d with %s, want 200", path, got.status, got.body)
				}
			}
			if got := owner.do(t, http.MethodPost, "/subscriptions",
				`{"resource_id":"`+w.resource.String()+`","scope":"resource"}`); got.status != http.StatusCreated {
				t.Errorf("POST /subscriptions: got status %d with %s, want 201", got.status, got.body)
			}
			if got := owner.do(t, http.MethodPost, "/notifications/mark-all-read", ""); got.status != http.StatusOK {
				t.Errorf("POST /notifications/mark-all-read: got status %d with %s, want 200", got.status, got.body)
			}
			if code := d.finish(t); code != exitOK {
				t.Errorf("got exit code %d, want 0\n%s", code, d.log)
			}
		})
	}
}
