package api_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/nettest"
)

// slowBody is the body of a client that does not send it in time.
type slowBody struct{}

func (slowBody) Read([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }

// everyScope permits every operation.
var everyScope = []string{identity.ScopeAdmin, identity.ScopeWrite, identity.ScopeInstallation}

// provocation makes each operation respond with one status.
type provocation struct {
	status   int
	client   client
	at       *tenant              // whose ids are in the request
	change   func(*http.Request)  // nil changes nothing
	selected func(operation) bool // nil selects every operation
}

// provocations returns what makes operations respond with each status but those of success.
func provocations(t *testing.T, w *world) []provocation {
	t.Helper()
	refused := nettest.Refused(t)
	nowhere, err := pgxpool.New(t.Context(), "postgres://test@"+refused+"/nothing?connect_timeout=1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nowhere.Close)
	changed := func(change func(*api.Options)) client {
		c := w.here.as(w.here.member, everyScope...)
		c.handler = w.newServer(change).Handler()
		return c
	}
	admin := w.here.as(w.here.member, everyScope...)
	limited := changed(func(o *api.Options) { o.Limits = api.Limits{PerSecond: 1e-9, Burst: 1} })
	limited.do("GET", "/v1/subscriptions", "").want(http.StatusOK)
	panicking := func(*http.Request) (identity.Identity, error) { panic("the panic of a test") }
	ghost := &tenant{
		w: w, id: w.here.id, shown: uuid.New(), signal: uuid.New(), folder: uuid.New(), dead: uuid.New(),
		subscription: uuid.New(),
	}
	query := func(text string) func(*http.Request) {
		return func(r *http.Request) { r.URL.RawQuery = text; r.RequestURI += "?" + text }
	}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	body := func(content io.Reader) func(*http.Request) {
		return func(r *http.Request) {
			sent := httptest.NewRequest(r.Method, "/", content)
			r.Body, r.ContentLength = sent.Body, sent.ContentLength
		}
	}
	peer := w.anyone()
	peer.handler = limited.handler
	peer.do("DELETE", "/v1/session", "").want(http.StatusNoContent)
	anyone := func(change func(*api.Options)) client {
		c := w.anyone()
		c.handler = w.newServer(change).Handler()
		return c
	}
	callers := func(op operation) bool { return !isPublic(op) }
	begin := func(op operation) bool { return op.OperationID == "begin-session" }
	dry := func(op operation) bool { return op.OperationID == "dry-run-activity" } // of any resource, for an admin
	has := func(status string) func(operation) bool {
		return func(op operation) bool { return op.Responses[status] != nil }
	}
	return []provocation{
		{400, admin, w.here, query("%zz"), nil},
		{401, w.anyone(), w.here, nil, callers},
		{401, w.anyone(), w.here, body(strings.NewReader(`{"code":"ABCDEFGHIJKLMNOPQRSTUVWXYZ"}`)), begin},
		{403, w.here.as(w.here.inactive(), everyScope...), w.here, nil, callers},
		{403, w.anyone(), w.here, header("Sec-Fetch-Site", "cross-site"), isPublic},
		{404, admin, ghost, nil, func(op operation) bool { return has("404")(op) && !dry(op) }},
		{404, w.here.as(w.here.member), ghost, nil, dry},
		{408, admin, w.here, body(slowBody{}), nil},
		{413, admin, w.here, body(strings.NewReader(strings.Repeat(" ", 5<<20))), nil},
		{414, admin, w.here, query(strings.Repeat("a", 9000)), nil},
		{415, admin, w.here, header("Content-Type", "text/plain"), has("415")},
		{422, admin, w.here, query("colour=red"), nil},
		{429, limited, w.here, nil, callers},
		{429, peer, w.here, nil, isPublic},
		{431, admin, w.here, header("X-Large", strings.Repeat("a", 20_000)), nil},
		{500, changed(func(o *api.Options) { o.Authenticator = authenticator(panicking) }), w.here, nil, callers},
		{500, anyone(func(o *api.Options) { o.Sessions = identity.NewSessions(nil, nil) }), w.here, nil, isPublic},
		{503, changed(func(o *api.Options) { o.Pool = nowhere }), w.here, nil, callers},
		{503, anyone(func(o *api.Options) { o.Sessions = nil }), w.here, nil, isPublic},
	}
}

// inactive returns a new principal that the directory marks inactive, and that is a delegator of
// the folder.
func (at *tenant) inactive() uuid.UUID {
	at.w.t.Helper()
	id := uuid.New()
	at.w.exec(`INSERT INTO fanfare.principals (tenant_id, id, active) VALUES ($1, $2, false)`, at.id, id)
	at.w.exec(`INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
		VALUES ($1, $2, $3, 'delegator')`, at.id, id, at.folder)
	return id
}

// TestAnswersAreDocumented provokes every status that the document has for every operation. The
// client checks each response against the document: its status, its media type and its schema.
func TestAnswersAreDocumented(t *testing.T) {
	t.Parallel()
	w, _ := newLiveWorld(t, nil)
	requests := map[string]access{}
	for _, r := range accesses() {
		requests[r.operation] = r
	}
	request := func(op operation, at *tenant) *http.Request {
		r := requests[op.OperationID]
		var content io.Reader
		if r.body != nil {
			content = strings.NewReader(r.body(at))
		}
		made := httptest.NewRequest(op.method, "/v1"+r.target(at), content)
		if r.body != nil {
			made.Header.Set("Content-Type", "application/json")
		}
		return made
	}
	send := func(c client, r *http.Request) reply {
		for name, values := range c.header {
			r.Header[name] = values
		}
		return c.send(r)
	}
	seen := map[string][]string{}
	for _, op := range operations(w.server.Document()) {
		r := requests[op.OperationID]
		got := send(w.here.as(r.permitted(w.here), r.scope), request(op, w.here)).want(r.with)
		seen[op.OperationID] = append(seen[op.OperationID], fmt.Sprint(got.status))
	}
	for _, p := range provocations(t, w) {
		for _, op := range operations(w.server.Document()) {
			if p.selected != nil && !p.selected(op) {
				continue
			}
			r := request(op, p.at)
			if p.change != nil {
				p.change(r)
			}
			if got := send(p.client, r); got.status != p.status {
				t.Errorf("%s %s: got %d, want %d: %s", op.method, op.path, got.status, p.status, got.body)
			}
			seen[op.OperationID] = append(seen[op.OperationID], fmt.Sprint(p.status))
		}
	}
	for _, op := range operations(w.server.Document()) {
		for status := range op.Responses {
			if !slices.Contains(seen[op.OperationID], status) {
				t.Errorf("%s %s: no request gets the documented status %s", op.method, op.path, status)
			}
		}
	}
}

// TestNullableAnswers checks responses whose fields are null or absent against the document.
func TestNullableAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	orphan := uuid.New()
	w.exec(`INSERT INTO fanfare.resources (tenant_id, id, type) VALUES ($1, $2, 'folder')`, at.id, orphan)
	w.exec(`INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
		VALUES ($1, $2, $3, 'viewer')`, at.id, at.member, orphan)
	at.record(activity.Envelope{Action: "signal.updated", ResourceID: orphan})
	list := as[struct {
		Items []struct {
			Scope   *string
			Reasons []string
		}
	}](at.as(at.owner).do("GET", "/v1/resources/"+at.signal.String()+"/watchers", "").want(http.StatusOK))
	scopes := 0
	for _, item := range list.Items {
		if item.Scope == nil {
			scopes++
		}
	}
	if len(list.Items) != 3 || scopes != 2 {
		t.Errorf("got %+v, want the owner and the delegator without a scope", list.Items)
	}
	for _, path := range []string{
		"/v1/activities", "/v1/audit", "/v1/outbox", "/v1/outbox/dead", "/v1/outbox/dead/groups",
		"/v1/outbox/parked", "/v1/outbox/jobs", "/v1/outbox/lanes", "/v1/retention", "/v1/taxonomy",
		"/v1/notifications", "/v1/notifications/preferences", "/v1/subscriptions", "/v1/realtime/bootstrap",
		"/v1/tenant/preferences", "/v1/watch-levels", "/v1/resources", "/v1/principals", "/v1/audit/facets",
	} {
		for _, principal := range []uuid.UUID{at.member, at.outsider, uuid.New()} {
			at.as(principal, identity.ScopeAdmin).do("GET", path, "").want(http.StatusOK)
		}
	}
	w.exec(`DELETE FROM fanfare.outbox`)
	at.as(at.member, identity.ScopeAdmin).do("GET", "/v1/outbox", "").want(http.StatusOK)
}

// TestInactivePrincipals checks that a principal that the directory marks inactive is refused by
// every operation, whatever its scopes and roles are, and permitted again when it is active.
func TestInactivePrincipals(t *testing.T) {
	t.Parallel()
	w, _ := newLiveWorld(t, nil)
	c := w.here.as(w.here.inactive(), everyScope...)
	for _, op := range operations(w.server.Document()) {
		if isPublic(op) {
			continue
		}
		i := slices.IndexFunc(accesses(), func(r access) bool { return r.operation == op.OperationID })
		r := accesses()[i]
		var body string
		if r.body != nil {
			body = r.body(w.here)
		}
		got := c.do(op.method, "/v1"+r.target(w.here), body).want(http.StatusForbidden)
		if kind := problemType(got); kind != string(api.Inactive) {
			t.Errorf("%s %s: got %s, want %s", op.method, op.path, kind, api.Inactive)
		}
	}
	w.exec(`UPDATE fanfare.principals SET active = true`)
	c.do("GET", "/v1/audit", "").want(http.StatusOK)
	c.do("POST", "/v1/realtime/token", `{"channels":["`+w.channels.Tenant(w.here.id)+`"]}`).want(http.StatusOK)
}

// TestStalePlans changes the types of columns, of the directory and as a migration may, which every
// prepared statement that returns them refuses once, and checks that no request fails.
func TestStalePlans(t *testing.T) {
	t.Parallel()
	w, _ := newLiveWorld(t, nil)
	all := func() error {
		failed := make(chan error, 4)
		for n := range cap(failed) {
			go func() { failed <- w.requestAll(n) }()
		}
		var errs []error
		for range cap(failed) {
			errs = append(errs, <-failed)
		}
		return errors.Join(errs...)
	}
	for _, statement := range []string{
		`SELECT`,
		`ALTER TABLE fanfare.principals ALTER display_name TYPE varchar(300), ALTER kind TYPE varchar(100)`,
		`ALTER TABLE fanfare.resources ALTER type TYPE varchar(100), ALTER name TYPE varchar(1000)`,
		`ALTER TABLE fanfare.principals ALTER display_name TYPE text`,
		`ALTER TABLE fanfare.activities ALTER message TYPE varchar, ALTER category TYPE varchar`,
		`ALTER TABLE fanfare.preferences ALTER filter_mode TYPE varchar`,
		`ALTER TABLE fanfare.tenant_preferences ALTER filter_mode TYPE varchar`,
		`ALTER TABLE fanfare.watch_levels ALTER scope TYPE varchar`,
		`ALTER TABLE fanfare.subscriptions ALTER scope TYPE varchar`,
	} {
		w.exec(statement)
		if err := all(); err != nil {
			t.Errorf("after %s: %v", statement, err)
		}
	}
}

// requestAll sends requests that read the directory, and returns an error for each that fails.
func (w *world) requestAll(n int) error {
	at := w.here
	var errs []error
	for _, r := range []struct {
		method, target, body string
		principal            uuid.UUID
	}{
		{"GET", "/v1/notifications", "", at.member},
		{"GET", "/v1/activities", "", at.member},
		{"GET", "/v1/activities/" + at.shown.String(), "", at.member},
		{"GET", "/v1/audit", "", at.member},
		{"GET", "/v1/resources/" + at.signal.String() + "/watchers", "", at.owner},
		{"PATCH", "/v1/notifications/" + at.shown.String(), fmt.Sprintf(`{"read":%t}`, n%2 == 0), at.member},
		{"POST", "/v1/subscriptions/bulk", fmt.Sprintf(`{"subscriptions":[{"resource_id":%q}]}`, at.folder), at.member},
		{"POST", "/v1/subscriptions", fmt.Sprintf(`{"resource_id":%q,"scope":"descendants"}`, at.folder), at.member},
		{"GET", "/v1/realtime/bootstrap", "", at.member},
		{"GET", "/v1/resources", "", at.member},
		{"GET", "/v1/resources?q=s&parent_id=" + at.folder.String(), "", at.member},
		{"GET", "/v1/resources/" + at.signal.String(), "", at.owner},
		{"GET", "/v1/principals", "", at.member},
		{"GET", "/v1/principals?ids=" + at.member.String(), "", at.member},
		{"GET", "/v1/audit/facets", "", at.member},
		{"GET", "/v1/notifications/preferences", "", at.member},
		{"PUT", "/v1/notifications/preferences", `{"muted":true}`, at.member},
		{"GET", "/v1/tenant/preferences", "", at.member},
		{"PUT", "/v1/tenant/preferences", fmt.Sprintf(`{"muted":%t}`, n%2 == 0), at.member},
		{"GET", "/v1/watch-levels", "", at.member},
		{"PUT", "/v1/watch-levels/" + at.signal.String(), `{"level":"all"}`, at.member},
		{"GET", "/v1/watch-levels/" + at.signal.String(), "", at.member},
	} {
		got := at.as(r.principal, identity.ScopeAdmin).do(r.method, r.target, r.body)
		if got.status >= 400 {
			errs = append(errs, fmt.Errorf("%s %s: got %d: %s", r.method, r.target, got.status, got.body))
		}
	}
	return errors.Join(errs...)
}
