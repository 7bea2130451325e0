package main

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
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
			d.serves(t, w)
			if code := d.finish(t); code != exitOK {
				t.Errorf("got exit code %d, want 0\n%s", code, d.log)
			}
		})
	}
}

// serves sends requests of each kind to the API, as the owner of the world's resource and as an
// operator.
func (d *daemonUnderTest) serves(t testing.TB, w world) {
	t.Helper()
	owner := d.api(t).person(t, w, w.owner)
	operator := d.api(t).bearing(strings.TrimSpace(must(t, w.environ(), "token", "create", "--name", "tests",
		"--tenant", w.tenant.String(), "--principal", w.actor.String(),
		"--scope", "activity:read,activity:admin,installation:read")))
	for caller, paths := range map[*caller][]string{
		&owner: {
			"/notifications?limit=10", "/notifications?group_by=resource", "/notifications/unread-count", "/activities",
			"/subscriptions?through_groups=true", "/notifications/preferences", "/realtime/bootstrap", "/me",
			"/resources?q=signal", "/resources",
		},
		&operator: {
			"/audit", "/audit/facets", "/principals?q=a", "/outbox", "/retention", "/taxonomy", "/tenant/preferences",
			"/installation/history", "/installation/workers", "/installation/lanes", "/installation/doctor",
		},
	} {
		for _, path := range paths {
			if got := caller.do(t, http.MethodGet, path, ""); got.status != http.StatusOK {
				t.Errorf("GET %s: got status %d with %s, want 200\n%s", path, got.status, got.body, d.log)
			}
		}
	}
	if got := owner.do(t, http.MethodPost, "/subscriptions",
		`{"resource_id":"`+w.resource.String()+`","scope":"resource"}`); got.status != http.StatusCreated {
		t.Errorf("POST /subscriptions: got status %d with %s, want 201", got.status, got.body)
	}
	if got := owner.do(t, http.MethodPost, "/notifications/mark-all-read", ""); got.status != http.StatusOK {
		t.Errorf("POST /notifications/mark-all-read: got status %d with %s, want 200", got.status, got.body)
	}
}

// pooled is a cluster with a migrated database, and a pooler before it.
type pooled struct {
	managed
	direct, through string // URLs of the owner of the schema
}

func newPooled(t testing.TB, settings map[string]string) pooled {
	t.Helper()
	m := newManaged(t, devstack.PostgresOptions{})
	p := pooled{managed: m, direct: m.role(t, "host")}
	m.execute(t, documented(t, "CREATE ROLE fanfare_writer NOLOGIN;", "host")...)
	must(t, map[string]string{"FANFARE_DATABASE_URL": p.direct}, "migrate", "up")
	pooler, err := m.StartPgBouncer(t.Context(), devstack.PgBouncerOptions{
		Users: map[string]string{"host": rolePassword, "service": rolePassword}, Settings: settings,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pooler.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if p.through, err = pooler.Through(p.direct); err != nil {
		t.Fatal(err)
	}
	return p
}

// with returns a URL with a connection parameter.
func with(url, parameter, value string) string {
	return (&pgtest.DB{URL: url}).URLWith(parameter, value)
}

// TestTransactionPooler records, delivers and serves through PgBouncer in transaction mode.
func TestTransactionPooler(t *testing.T) {
	t.Parallel()
	p, centrifugo := newPooled(t, nil), startCentrifugo(t)
	through := with(p.through, "default_query_exec_mode", "exec")
	w := newWorld(t, p.database(t, through))
	p.isSound(t, doctorEnvironment(w.db, centrifugo))

	service := p.database(t, with(servicesURL(t, p), "default_query_exec_mode", "exec"))
	p.execute(t, `GRANT fanfare_writer TO service`)
	events := w.listen(t, centrifugo)
	d := startDaemon(t, environment(w.db, centrifugo), "run", "--stream-tenants")
	for range 5 {
		for name, record := range recordings {
			id, err := record(t.Context(), w, service.Pool)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := next(t, events, d).EventID; got != id {
				t.Errorf("%s: got event %s, want %s", name, got, id)
			}
		}
	}
	d.serves(t, w)
	waittest.Until(t, "nothing is pending", func() bool { return w.pending(t) == 0 }, d.log)
	d.isReady(t, true)
	if code := d.finish(t); code != exitOK {
		t.Errorf("got exit code %d, want 0\n%s", code, d.log)
	}
	w.purges(t)
	w.redacts(t)
	must(t, w.environ(), "outbox", "status")
	must(t, w.environ(), "migrate", "status")
}

// servicesURL creates the role service and returns its URL through the pooler.
func servicesURL(t testing.TB, p pooled) string {
	t.Helper()
	p.role(t, "service")
	return strings.Replace(p.through, "//host:", "//service:", 1)
}

// TestTransactionPoolerRefusals checks what does not work through PgBouncer in transaction mode.
func TestTransactionPoolerRefusals(t *testing.T) {
	t.Parallel()
	p := newPooled(t, nil)
	exec := with(p.through, "default_query_exec_mode", "exec")
	for name, c := range map[string]struct {
		url, want string
		args      []string
	}{
		"migrate up":     {exec, "to PostgreSQL itself, or to the pooler in session mode", []string{"migrate", "up"}},
		"migrate repair": {exec, "to PostgreSQL itself", []string{"migrate", "repair"}},
		"migrate down":   {exec, "to PostgreSQL itself", []string{"migrate", "down", "--to", "0", "--yes"}},
		"tenant export":  {exec, "to PostgreSQL itself", []string{"tenant", "export", "--tenant", uuid.NewString()}},
		"tenant import":  {exec, "to PostgreSQL itself", []string{"tenant", "import", "/dev/null"}},
		"tenant move": {exec, "source: the connection leads through a pooler", []string{
			"tenant", "move", "--tenant", uuid.NewString(), "--to-database-url", p.direct,
		}},
		"a parameter that PgBouncer does not pass on": {
			with(exec, "search_path", "public"), "remove the parameter from --database-url",
			[]string{"migrate", "status"},
		},
	} {
		r := fanfare(t, map[string]string{"FANFARE_DATABASE_URL": c.url}, c.args...)
		if r.code != exitFailure || !strings.Contains(r.stderr, c.want) || strings.Contains(r.stderr, rolePassword) {
			t.Errorf("%s: got exit code %d and %q, want 1 and %q", name, r.code, r.stderr, c.want)
		}
	}
}

// TestPreparedStatementsOfPoolers runs doctor with prepared statements. PgBouncer keeps track of
// them from 1.21 on, if it is configured to.
func TestPreparedStatementsOfPoolers(t *testing.T) {
	t.Parallel()
	minor, err := devstack.PgBouncerMinor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	settings, tracks := map[string]string{}, minor >= 21
	if tracks {
		settings["max_prepared_statements"] = "200"
	}
	p, centrifugo := newPooled(t, settings), startCentrifugo(t)
	r := fanfare(t, doctorEnvironment(&pgtest.DB{URL: p.through}, centrifugo), "doctor")
	const failed, advice = "✗ postgres-pooler ", "add default_query_exec_mode=exec to --database-url"
	if got := strings.Contains(r.stdout, failed) && strings.Contains(r.stdout, advice); got == tracks {
		t.Errorf("PgBouncer 1.%d: got\n%s\nwant that postgres-pooler fails: %v", minor, r.stdout, !tracks)
	}
	if want := map[bool]int{true: exitOK, false: exitFailure}[tracks]; r.code != want {
		t.Errorf("got exit code %d, want %d", r.code, want)
	}
	if tracks {
		return
	}
	// A worker that prepares statements all the same reports the cause.
	d := startWorker(t, environment(&pgtest.DB{URL: p.through}, centrifugo))
	w := newWorld(t, p.database(t, p.direct))
	waittest.Until(t, "the worker reports the pooler", func() bool {
		w.record(t)
		return d.log.line("behind PgBouncer, add default_query_exec_mode=exec") != ""
	}, d.log)
}

// TestSessionPooler migrates and runs doctor through PgBouncer in session mode, with prepared
// statements.
func TestSessionPooler(t *testing.T) {
	t.Parallel()
	p, centrifugo := newPooled(t, map[string]string{"pool_mode": "session"}), startCentrifugo(t)
	environ := doctorEnvironment(&pgtest.DB{URL: p.through}, centrifugo)
	p.isSound(t, environ)
	for _, args := range [][]string{
		{"migrate", "down", "--to", "0", "--yes"}, {"migrate", "up"}, {"migrate", "repair"},
	} {
		must(t, map[string]string{"FANFARE_DATABASE_URL": p.through}, args...)
	}
}
