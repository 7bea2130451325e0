package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// TestCellsDeliver delivers the activities of two cells by one daemon, over one Centrifugo, and
// reads the inboxes, the streams and the metrics of both.
func TestCellsDeliver(t *testing.T) {
	t.Parallel()
	c := newTwoCells(t, pgtest.New(t), pgtest.New(t))
	d := startDaemon(t, c.environ(), "run", "--stream-tenants")
	for name, w := range map[string]world{"a": c.a, "b": c.b} {
		events := w.listen(t, c.centrifugo)
		token := c.newToken(t, w, "activity:read")
		stream := d.api(t).bearing(token).follow(t, "")
		recorded := w.record(t)
		if got := next(t, events, d).EventID; got != recorded.ID {
			t.Errorf("%s: got event %s, want %s", name, got, recorded.ID)
		}
		if got := stream.activity(t, d); got != recorded.ID {
			t.Errorf("%s: on the stream: got %s, want %s", name, got, recorded.ID)
		}
		waittest.Until(t, "the owner has a notification", func() bool {
			var inbox notifications
			d.api(t).person(t, w, w.owner).do(t, http.MethodGet, "/notifications", "").read(t, &inbox)
			return inbox.UnreadCount == 1 && inbox.Items[0].Event.EventID == recorded.ID
		}, d.log)
		d.says(t, `"cell":"`+name+`"`, "dependency is available", "postgres")
	}
	var metrics string
	waittest.Until(t, "all activities are counted", func() bool {
		metrics = d.get(t, "/metrics").body
		return strings.Contains(metrics, `fanfare_delivery_latency_seconds_count{cell="a"} 2`+"\n") &&
			strings.Contains(metrics, `fanfare_delivery_latency_seconds_count{cell="b"} 2`+"\n")
	}, d.log)
	for _, want := range []string{
		`fanfare_notifications_total{cell="a"} 1`,
		`fanfare_notifications_total{cell="b"} 1`,
		`fanfare_stream_clients{cell="a"} 1`,
		`fanfare_dependency_up{cell="a",dependency="postgres"} 1`,
		`fanfare_dependency_up{cell="b",dependency="postgres"} 1`,
		`fanfare_dependency_up{cell="",dependency="centrifugo"} 1`,
		`fanfare_api_requests_total{cell="b",route="GET /v1/notifications",status="2xx"} `,
		`fanfare_backlog_dead_letters{cell="a"} 0`,
		"fanfare_build_info{",
	} {
		if !strings.Contains(metrics, "\n"+want) {
			t.Errorf("/metrics lacks %q:\n%s", want, metrics)
		}
	}
	if code := d.finish(t); code != exitOK {
		t.Errorf("got exit code %d, want 0\n%s", code, d.log)
	}
	if log := d.log.String(); strings.Contains(log, c.a.db.Pool.Config().ConnConfig.Password+"@") {
		t.Errorf("the log contains a password:\n%s", log)
	}
}

// TestSomeCells runs a worker and a server for one of two cells.
func TestSomeCells(t *testing.T) {
	t.Parallel()
	c := newTwoCells(t, pgtest.New(t), pgtest.New(t))
	tokens := map[string]string{}
	for name, w := range map[string]world{"a": c.a, "b": c.b} {
		w.record(t)
		tokens[name] = c.newToken(t, w, "activity:read")
	}
	worker := startWorker(t, c.environ(), "--cell", "b")
	waittest.Until(t, "the outbox of b is empty", func() bool { return c.b.pending(t) == 0 }, worker.log)
	if got := c.a.pending(t); got == 0 {
		t.Error("the outbox of a is empty, want its activities to wait")
	}
	worker.isReady(t, true)
	if code := worker.finish(t); code != exitOK || worker.log.line(`"cell":"a"`) != "" {
		t.Errorf("got exit code %d, want 0 and no line about a:\n%s", code, worker.log)
	}

	server := startDaemon(t, c.environ(), "serve", "--cell", "b")
	server.api(t).bearing(tokens["b"]).isOf(t, "a token of b", c.b)
	server.api(t).person(t, c.b, c.b.owner).isOf(t, "a JWT of b", c.b)
	server.api(t).bearing(tokens["a"]).isRefused(t, "a token of a")
	server.api(t).person(t, c.a, c.a.owner).isRefused(t, "a JWT of a")
	unknown := server.api(t).bearing(tokens["b"][:len(tokens["b"])-4]+"0000").do(t, "GET", "/me", "")
	elsewhere := server.api(t).bearing(tokens["a"]).do(t, "GET", "/me", "")
	if detail(t, unknown) != detail(t, elsewhere) {
		t.Errorf("a token of a: got %s, want what an unknown token gets: %s", elsewhere.body, unknown.body)
	}

	both := startDaemon(t, c.environ(), "serve", "--cell", "b", "--cell", "a")
	for name, w := range map[string]world{"a": c.a, "b": c.b} {
		both.api(t).bearing(tokens[name]).isOf(t, "a token of "+name, w)
	}
}

// detail returns the detail of a problem.
func detail(t testing.TB, r response) string {
	t.Helper()
	var problem struct{ Detail string }
	r.read(t, &problem)
	return problem.Detail
}

// TestCellAway stops the database of one of two cells: the other goes on.
func TestCellAway(t *testing.T) {
	t.Parallel()
	server, away := pgtest.NewCluster(t)
	c := newTwoCells(t, pgtest.New(t), away)
	token, theirs := c.newToken(t, c.a, "activity:read"), c.newToken(t, c.b, "activity:read")
	events := c.a.listen(t, c.centrifugo)
	d := startDaemon(t, c.environ(), "run")
	d.isReady(t, true)
	if err := server.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.says(t, `"level":"error"`, `"cell":"b"`, "PostgreSQL is unreachable", "database_url")
	var ready cellsReadiness
	waittest.Until(t, "/readyz names the problem of b", func() bool {
		got := d.get(t, "/readyz")
		got.read(t, &ready)
		return got.status == http.StatusOK && len(ready.Cells["b"].Failing["postgres"]) > 0
	}, d.log)
	if !ready.Ready || !ready.Cells["a"].Ready || ready.Cells["b"].Ready {
		t.Errorf("got %+v, want a to be ready, and with it the daemon", ready)
	}
	recorded := c.a.record(t)
	if got := next(t, events, d).EventID; got != recorded.ID {
		t.Errorf("got event %s, want %s", got, recorded.ID)
	}
	d.api(t).bearing(token).isOf(t, "a token of a", c.a)
	for what, of := range map[string]caller{
		"a token": d.api(t).bearing(theirs), "a JWT": d.api(t).person(t, c.b, c.b.owner),
	} {
		if got := of.do(t, http.MethodGet, "/notifications", ""); got.status != http.StatusServiceUnavailable {
			t.Errorf("%s of b: got status %d with %s, want 503", what, got.status, got.body)
		}
	}
	metrics := d.get(t, "/metrics").body
	for _, want := range []string{
		`fanfare_dependency_up{cell="a",dependency="postgres"} 1`,
		`fanfare_dependency_up{cell="b",dependency="postgres"} 0`,
		`fanfare_backlog_up{cell="b"} 0`,
	} {
		if !strings.Contains(metrics, "\n"+want) {
			t.Errorf("/metrics lacks %q:\n%s", want, metrics)
		}
	}
	// Another daemon starts while b is away.
	second := startDaemon(t, c.environ(), "run")
	second.api(t).bearing(token).isOf(t, "a token of a, after a start without b", c.a)
	second.isReady(t, true)

	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, daemon := range []*daemonUnderTest{d, second} {
		waittest.Until(t, "b is available again", func() bool {
			return daemon.api(t).bearing(theirs).do(t, http.MethodGet, "/notifications", "").status == http.StatusOK
		}, daemon.log)
	}
}

// cellsReadiness is the body of an answer of /readyz with cells.
type cellsReadiness struct {
	readiness
	Cells map[string]readiness
}

// TestCellWithoutSchema starts a daemon with a cell that has no schema.
func TestCellWithoutSchema(t *testing.T) {
	t.Parallel()
	centrifugo, empty := startCentrifugo(t), pgtest.NewEmpty(t)
	w := newWorld(t, pgtest.New(t))
	file := writeCells(t, "cells:\n  - {name: empty, database_url: '"+empty.URL+"'}\n"+
		"  - {name: full, database_url: '"+w.db.URL+"', slots: 0-65535}\n")
	environ := without(environment(w.db, centrifugo), "FANFARE_DATABASE_URL")
	events := w.listen(t, centrifugo)
	d := startDaemon(t, environ, "run", "--cells", file)
	recorded := w.record(t)
	if got := next(t, events, d).EventID; got != recorded.ID {
		t.Errorf("got event %s, want %s", got, recorded.ID)
	}
	d.api(t).person(t, w, w.owner).isOf(t, "a JWT", w)
	d.isReady(t, true)
	d.says(t, `"cell":"empty"`, "run fanfare migrate up")
	for _, public := range []string{"/openapi.json", "/docs"} {
		if got := d.api(t).do(t, http.MethodGet, public, ""); got.status != http.StatusOK {
			t.Errorf("%s: got status %d, want 200", public, got.status)
		}
	}
}

// TestMovedTenant follows the rows that fanfare tenant move writes.
func TestMovedTenant(t *testing.T) {
	t.Parallel()
	c := newTwoCells(t, pgtest.New(t), pgtest.New(t))
	before := c.newToken(t, c.a, "activity:read")
	d := startDaemon(t, c.environ(), "serve")
	d.api(t).bearing(before).isOf(t, "a token before the move", c.a)
	copied := c.a
	copied.db = c.b.db
	for _, table := range []string{"resources", "service_tokens"} {
		copyTenant(t, table, c.a, copied)
	}
	c.a.setMove(t, "copying", "b")
	must(t, c.commands(), "token", "list", "--tenant", c.a.tenant.String())
	c.a.setMove(t, "moved", "b")
	here := c.a.record(t).ID
	there := copied.record(t).ID
	owner := d.api(t).bearing(before)
	waittest.Until(t, "the tenant is served from b", func() bool {
		return owner.do(t, http.MethodGet, "/activities/"+there.String(), "").status == http.StatusOK
	}, d.log)
	if got := owner.do(t, http.MethodGet, "/activities/"+here.String(), ""); got.status != http.StatusNotFound {
		t.Errorf("an activity of a: got status %d with %s, want 404", got.status, got.body)
	}
	for what, args := range map[string][]string{
		"cells of": {"cells", "of", c.a.tenant.String()}, "a command": {"activity", "get", there.String()},
	} {
		if args[0] == "activity" {
			args = append(args, "--tenant", c.a.tenant.String())
		}
		if out := must(t, c.commands(), args...); args[0] == "cells" &&
			!strings.Contains(out, "belongs to cell b, to which it has moved from cell a.") {
			t.Errorf("%s: got %s", what, out)
		}
	}

	// A server of b alone learns it from a; one of a alone refuses the tenant.
	onlyB := startDaemon(t, c.environ(), "serve", "--cell", "b")
	onlyB.api(t).bearing(before).isOf(t, "at a server of b", c.a)
	onlyA := startDaemon(t, c.environ(), "serve", "--cell", "a")
	onlyA.api(t).bearing(before).isRefused(t, "a token at a server of a")
	onlyA.api(t).person(t, c.a, c.a.owner).isRefused(t, "a JWT at a server of a")

	c.a.setMove(t, "cleared", "elsewhere")
	waittest.Until(t, "a tenant in a cell that the file lacks is unknown", func() bool {
		return owner.do(t, http.MethodGet, "/me", "").status == http.StatusUnauthorized
	}, d.log)
	c.a.setMove(t, "aborting", "b")
	waittest.Until(t, "the tenant is served from a again", func() bool {
		return owner.do(t, http.MethodGet, "/activities/"+here.String(), "").status == http.StatusOK
	}, d.log)
}

// setMove sets the state of a move of the tenant from its database.
func (w world) setMove(t testing.TB, step, peer string) {
	t.Helper()
	_, err := w.db.Pool.Exec(t.Context(), `
		INSERT INTO fanfare.tenant_moves (tenant_id, move_id, role, step, peer)
		VALUES ($1, $1, 'source', $2, $3)
		ON CONFLICT (tenant_id) DO UPDATE SET step = excluded.step, peer = excluded.peer`, w.tenant, step, peer)
	if err != nil {
		t.Fatal(err)
	}
}

// copyTenant copies the rows of a tenant to another database.
func copyTenant(t testing.TB, table string, from, to world) {
	t.Helper()
	var rows json.RawMessage
	err := from.db.Pool.QueryRow(t.Context(),
		`SELECT json_agg(x) FROM fanfare.`+table+` AS x WHERE tenant_id = $1`, from.tenant).Scan(&rows)
	if err != nil {
		t.Fatal(err)
	}
	_, err = to.db.Pool.Exec(t.Context(), `INSERT INTO fanfare.`+table+`
		SELECT * FROM json_populate_recordset(NULL::fanfare.`+table+`, $1)`, string(rows))
	if err != nil {
		t.Fatal(err)
	}
}

// TestSystemTenantOfCells records the start of a daemon in each cell.
func TestSystemTenantOfCells(t *testing.T) {
	t.Parallel()
	c := newTwoCells(t, pgtest.New(t), pgtest.New(t))
	system := uuid.New()
	d := startWorker(t, c.environ(), "--system-tenant", system.String())
	for _, w := range []world{c.a, c.b} {
		w.tenant = system
		waittest.Until(t, "the start is recorded", func() bool { return w.logged(t, "daemon.started") == 1 }, d.log)
	}
}

// TestMoveBetweenCells moves a tenant by the command while a daemon serves both cells: its token,
// its inbox and its client go on.
func TestMoveBetweenCells(t *testing.T) {
	t.Parallel()
	c := newTwoCells(t, pgtest.New(t), pgtest.New(t))
	events := c.a.listen(t, c.centrifugo)
	d := startDaemon(t, c.environ(), "run")
	owner := d.api(t).bearing(c.newToken(t, c.a, "activity:read"))
	before := c.a.record(t)
	if got := next(t, events, d).EventID; got != before.ID {
		t.Errorf("before: got event %s, want %s", got, before.ID)
	}
	must(t, c.commands(), "tenant", "move", "--tenant", c.a.tenant.String(), "--to", "b", "--clear-delay", "0s")
	moved := c.a
	moved.db = c.b.db
	after := moved.record(t)
	if got := next(t, events, d).EventID; got != after.ID {
		t.Errorf("after: got event %s, want %s", got, after.ID)
	}
	var inbox notifications
	waittest.Until(t, "the inbox has both notifications", func() bool {
		got := owner.do(t, http.MethodGet, "/notifications", "")
		if got.status != http.StatusOK {
			return false
		}
		inbox = notifications{}
		got.read(t, &inbox)
		return len(inbox.Items) == 2
	}, d.log)
	if inbox.Items[0].Event.EventID != after.ID || inbox.Items[1].Event.EventID != before.ID {
		t.Errorf("got %+v, want both activities", inbox)
	}
	out := must(t, c.commands(), "cells", "of", c.a.tenant.String(), "--json")
	if !strings.Contains(out, `"by": "move"`) {
		t.Errorf("got %s", out)
	}
}
