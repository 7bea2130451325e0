package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/nettest"
)

// problemType returns the kind in the type of a problem.
func problemType(r reply) string {
	r.t.Helper()
	return strings.TrimPrefix(as[struct{ Type string }](r).Type, "/problems/")
}

// TestProblems checks the problems of the middlewares.
func TestProblems(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.here.as(w.here.member)
	large := `{"muted":` + strings.Repeat(" ", 1<<20) + `true}`
	chunked := httptest.NewRequest("PUT", "/v1/notifications/preferences", io.MultiReader(strings.NewReader(large)))
	chunked.Header = c.withHeader("Content-Type", "application/json").header
	const preferences, media = "/v1/notifications/preferences", api.UnsupportedMediaType
	put := func(header, value, body string) reply {
		return c.withHeader(header, value).do("PUT", preferences, body)
	}
	get := func(header, value string) reply { return c.withHeader(header, value).do("GET", preferences, "") }
	form := c.withHeader("Content-Type", "text/plain").withHeader("Sec-Fetch-Site", "cross-site")
	for what, response := range map[string]struct {
		reply
		status int
		kind   api.Kind
	}{
		"no route":              {c.do("GET", "/v1/nowhere", ""), 404, api.NotFound},
		"a trailing slash":      {c.do("GET", "/v1/activities/", ""), 404, api.NotFound},
		"a path with dots":      {c.do("GET", "/v1/x/../activities", ""), 404, api.NotFound},
		"a double slash":        {c.do("GET", "/v1//activities", ""), 404, api.NotFound},
		"no route, no caller":   {w.anyone().do("GET", "/", ""), 404, api.NotFound},
		"a method":              {c.do("DELETE", preferences, ""), 405, api.MethodNotAllowed},
		"a method of a sibling": {c.do("PATCH", preferences, `{"read":true}`), 405, api.MethodNotAllowed},
		"an unknown method":     {c.do("BREW", preferences, ""), 405, api.MethodNotAllowed},
		"no credentials":        {w.anyone().do("GET", preferences, ""), 401, api.Unauthenticated},
		"a bad token":           {get("Authorization", "Bearer x"), 401, api.Unauthenticated},
		"two tenants":           {get("X-Principal-Id", "x"), 400, api.Malformed},
		"a large body":          {c.do("PUT", preferences, large), 413, api.BodyTooLarge},
		"a large stream":        {c.send(chunked), 413, api.BodyTooLarge},
		"a long URI":            {c.do("GET", preferences+"?"+strings.Repeat("a", 9000), ""), 414, api.URITooLong},
		"large headers":         {get("X-Large", strings.Repeat("a", 20_000)), 431, api.HeadersTooLarge},
		"a form":                {put("Content-Type", "application/x-www-form-urlencoded", "a=1"), 415, media},
		"another charset":       {put("Content-Type", "application/json; charset=latin1", "{}"), 415, media},
		"a coding":              {put("Content-Encoding", "gzip", "{}"), 415, media},
		"no JSON":               {c.do("PUT", preferences, "{"), 400, api.Malformed},
		"no body":               {c.do("PUT", preferences, ""), 400, api.Malformed},
		"a body":                {c.do("GET", preferences, `{"a":1}`), 422, api.InvalidField},
		"another type":          {c.do("PUT", preferences, `{"muted":"yes"}`), 422, api.InvalidField},
		"a bad query":           {c.do("GET", "/v1/activities?a=%zz", ""), 400, api.Malformed},
		"a limit":               {c.do("GET", "/v1/activities?limit=201", ""), 422, api.InvalidField},
		"no id":                 {c.do("GET", "/v1/activities/1", ""), 422, api.InvalidField},
		"a scope":               {c.do("GET", "/v1/audit", ""), 403, api.InsufficientScope},
		"another site":          {put("Sec-Fetch-Site", "cross-site", "{}"), 403, api.CrossSite},
		"another subdomain":     {put("Sec-Fetch-Site", "same-site", "{}"), 403, api.CrossSite},
		"another origin":        {put("Origin", "https://evil.example", "{}"), 403, api.CrossSite},
		"no origin":             {put("Origin", "null", "{}"), 403, api.CrossSite},
		"another site's form":   {form.do("POST", "/v1/notifications/mark-all-read", "{}"), 403, api.CrossSite},
	} {
		got := problemType(response.reply)
		if response.reply.status != response.status || got != string(response.kind) {
			t.Errorf("%s: got %d %s, want %d %s: %s",
				what, response.reply.status, got, response.status, response.kind, response.body)
		}
	}
	const allow = "GET, HEAD, POST, OPTIONS"
	refused := c.do("PUT", "/v1/subscriptions", "{}").want(http.StatusMethodNotAllowed)
	if got := refused.header.Get("Allow"); got != allow {
		t.Errorf("Allow: got %s, want %s", got, allow)
	}
	for path, want := range map[string]string{
		"/v1/notifications/mark-all-read": "POST, OPTIONS", "/v1/notifications/x": "GET, HEAD, PATCH, OPTIONS",
	} {
		if got := c.do("OPTIONS", path, "").want(http.StatusNoContent).header.Get("Allow"); got != want {
			t.Errorf("%s: got Allow %s, want %s", path, got, want)
		}
	}
	if got := w.anyone().do("GET", preferences, "").header.Get("WWW-Authenticate"); !strings.HasPrefix(got, "Bearer") {
		t.Errorf("WWW-Authenticate: got %q, want Bearer …", got)
	}
	got := c.do("GET", "/v1/audit", "").header.Get("WWW-Authenticate")
	if !strings.Contains(got, `scope="activity:read"`) {
		t.Errorf("WWW-Authenticate: got %q, want the scope", got)
	}
}

// TestSameSite sends requests as browsers do for pages that may make changes.
func TestSameSite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *api.Options) { o.Origins = []string{"https://app.example.com"} })
	c := w.here.as(w.here.member)
	for name, header := range map[string][2]string{
		"no browser":        {"User-Agent", "curl/8"},
		"the API's origin":  {"Origin", "http://localhost:8080"},
		"the same origin":   {"Sec-Fetch-Site", "same-origin"},
		"the user":          {"Sec-Fetch-Site", "none"},
		"an allowed origin": {"Origin", "https://app.example.com"},
	} {
		got := c.withHeader(header[0], header[1]).do("PUT", "/v1/notifications/preferences", "{}")
		if got.status != http.StatusOK {
			t.Errorf("%s: got %d, want 200: %s", name, got.status, got.body)
		}
	}
	c.withHeader("Sec-Fetch-Site", "cross-site").do("GET", "/v1/notifications", "").want(http.StatusOK)
	c.withHeader("Origin", "https://app.example.com").withHeader("Sec-Fetch-Site", "same-site").
		do("PUT", "/v1/notifications/preferences", "{}").want(http.StatusOK)
	c.withHeader("Origin", "https://evil.example").withHeader("Sec-Fetch-Site", "cross-site").
		do("PUT", "/v1/notifications/preferences", "{}").want(http.StatusForbidden)
}

const exampleID = "0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f"

// TestViolations checks that a problem names the fields and the rules that they violate.
func TestViolations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.here.as(w.here.member, identity.ScopeRead)
	for _, each := range []struct{ method, target, body, field string }{
		{"GET", "/v1/activities?limit=0", "", "limit"},
		{"GET", "/v1/activities?limit=x", "", "limit"},
		{"GET", "/v1/activities?limit=1&limit=2", "", "limit"},
		{"GET", "/v1/activities?colour=red", "", "colour"},
		{"GET", "/v1/activities?q=%00", "", "q"},
		{"GET", "/v1/activities?q=%ff", "", "q"},
		{"GET", "/v1/activities?actor=1", "", "actor"},
		{"GET", "/v1/activities?actor=" + uuid.Nil.String(), "", "actor"},
		{"GET", "/v1/activities?status=maybe", "", "status"},
		{"GET", "/v1/activities?since=yesterday", "", "since"},
		{"GET", "/v1/activities?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "", "until"},
		{"GET", "/v1/activities/x", "", "id"},
		{"GET", "/v1/audit/entities/%00/" + uuid.NewString(), "", "type"},
		{"PATCH", "/v1/notifications/" + uuid.NewString(), `{}`, "body"},
		{"PATCH", "/v1/notifications/" + uuid.NewString(), `{"read":1}`, "read"},
		{"PATCH", "/v1/notifications/" + uuid.NewString(), `{"read":null}`, "body"},
		{"PATCH", "/v1/notifications/" + uuid.NewString(), `{"seen":false,"read":true}`, "seen"},
		{"PATCH", "/v1/notifications/" + uuid.NewString(), `{"snoozed_until":"tomorrow"}`, "snoozed_until"},
		{"PATCH", "/v1/notifications/" + exampleID, `{"snoozed_until":"2026-01-02T00:00:00Z"}`, "snoozed_until"},
		{"PATCH", "/v1/notifications/" + exampleID, `{"snoozed_until":"9026-01-02T00:00:00Z"}`, "snoozed_until"},
		{"POST", "/v1/notifications/mark", `{"changes":{"read":true}}`, "filter"},
		{"POST", "/v1/notifications/mark", `{"filter":{},"ids":["` + exampleID + `"],"changes":{}}`, "filter"},
		{"POST", "/v1/notifications/mark", `{"filter":{}}`, "changes"},
		{"POST", "/v1/notifications/mark", `{"filter":{},"changes":{}}`, "changes"},
		{"POST", "/v1/notifications/mark", `{"ids":[],"changes":{"read":true}}`, "ids"},
		{"POST", "/v1/notifications/mark", `{"ids":["x"],"changes":{"read":true}}`, "ids[0]"},
		{"POST", "/v1/notifications/mark", `{"filter":{"state":"new"},"changes":{"read":true}}`, "filter.state"},
		{
			"POST", "/v1/notifications/mark",
			`{"filter":{"since":"2026-01-02T00:00:00Z","until":"2026-01-01T00:00:00Z"},"changes":{"read":true}}`,
			"filter.until",
		},
		{
			"POST", "/v1/notifications/mark", `{"filter":{},"changes":{"snoozed_until":"2026-01-02T00:00:00Z"}}`,
			"changes.snoozed_until",
		},
		{"GET", "/v1/notifications?state=new", "", "state"},
		{"GET", "/v1/notifications?group_by=actor", "", "group_by"},
		{"GET", "/v1/notifications?unread_only=true", "", "unread_only"},
		{"PATCH", "/v1/notifications/" + uuid.NewString(), `{"read":true,"colour":"red"}`, "colour"},
		{"PATCH", "/v1/notifications/" + uuid.NewString(), `{"READ":true}`, "READ"},
		{"PUT", "/v1/notifications/preferences", `{"filter_mode":"some"}`, "filter_mode"},
		{"PUT", "/v1/notifications/preferences", `{"custom_actions":["a",""]}`, "custom_actions[1]"},
		{
			"PUT", "/v1/notifications/preferences", `{"custom_actions":["a","` + strings.Repeat("b", 300) + `"]}`,
			"custom_actions[1]",
		},
		{"PUT", "/v1/notifications/preferences", `{"muted_actions":["a",""]}`, "muted_actions[1]"},
		{
			"PUT", "/v1/notifications/preferences", `{"muted_actions":["` + strings.Repeat("b", 300) + `"]}`,
			"muted_actions[0]",
		},
		{
			"PUT", "/v1/notifications/preferences", `{"muted_actions":["` + strings.Repeat(`a","`, 100) + `a"]}`,
			"muted_actions",
		},
		{"PUT", "/v1/notifications/preferences", `{"muted_actors":["x"]}`, "muted_actors[0]"},
		{
			"PUT", "/v1/notifications/preferences",
			`{"muted_actors":["` + strings.Repeat(uuid.NewString()+`","`, 1000) + uuid.NewString() + `"]}`,
			"muted_actors",
		},
		{"PUT", "/v1/notifications/preferences", `{"inherit":["muted_actors"]}`, "inherit[0]"},
		{"PUT", "/v1/notifications/preferences", `{"inherit":["muted"],"muted":true}`, "inherit[0]"},
		{"PUT", "/v1/notifications/preferences", `{"inherit":["muted_actions"],"muted_actions":[]}`, "inherit[0]"},
		{"PUT", "/v1/watch-levels/x", `{"level":"all"}`, "resource_id"},
		{"PUT", "/v1/watch-levels/" + uuid.NewString(), `{"scope":"resource"}`, "level"},
		{"PUT", "/v1/watch-levels/" + uuid.NewString(), `{"level":"some"}`, "level"},
		{"PUT", "/v1/watch-levels/" + uuid.NewString(), `{"level":"all","scope":"tenant"}`, "scope"},
		{"PUT", "/v1/watch-levels/" + uuid.NewString(), `{"level":"custom"}`, "patterns"},
		{"PUT", "/v1/watch-levels/" + uuid.NewString(), `{"level":"ignore","patterns":["a.*"]}`, "patterns"},
		{"PUT", "/v1/watch-levels/" + uuid.NewString(), `{"level":"custom","patterns":["a",""]}`, "patterns[1]"},
		{
			"POST", "/v1/notifications/preferences/test",
			`{"patterns":["` + strings.Repeat("b", 300) + `"],"actions":[]}`, "patterns[0]",
		},
		{"POST", "/v1/subscriptions", `{"scope":"resource"}`, "resource_id"},
		{"POST", "/v1/subscriptions", `{"resource_id":"x"}`, "resource_id"},
		{"POST", "/v1/subscriptions", `{"resource_id":"` + uuid.NewString() + `","scope":"all"}`, "scope"},
		{
			"POST", "/v1/subscriptions/bulk",
			`{"subscriptions":[{"resource_id":"` + uuid.NewString() + `"},{"resource_id":7}]}`,
			"subscriptions[1].resource_id",
		},
		{"POST", "/v1/subscriptions/bulk", `{"subscriptions":[]}`, "subscriptions"},
		{"POST", "/v1/realtime/token", `{"channels":["a",1]}`, "channels[1]"},
	} {
		got := as[struct {
			Type   string
			Errors []struct{ Field, Rule string }
		}](c.do(each.method, each.target, each.body).want(http.StatusUnprocessableEntity))
		if got.Type != "/problems/invalid-field" || len(got.Errors) == 0 || got.Errors[0].Field != each.field ||
			got.Errors[0].Rule == "" {
			t.Errorf("%s %s %s: got %+v, want a violation of %s",
				each.method, each.target, each.body, got, each.field)
		}
	}
}

// TestRules checks the texts of rules, and that a problem reports all violations of a request.
func TestRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.here.as(w.here.member, identity.ScopeRead)
	for _, each := range []struct{ method, target, body, want string }{
		{"GET", "/v1/activities?limit=0", "", "limit must be from 1 to 200"},
		{"GET", "/v1/activities?limit=x", "", "limit must be an integer"},
		{"GET", "/v1/activities?limit=1&limit=2", "", "limit must be given only once"},
		{
			"GET", "/v1/activities?status=maybe&a=b", "",
			"status must be one of success, failure; " +
				"a is not a parameter of this route",
		},
		{
			"GET", "/v1/activities?since=x", "",
			"since must be a date and time with a zone, such as 2026-01-02T15:04:05Z",
		},
		{
			"GET", "/v1/activities?since=2026-01-02T15:04:05+02:00", "",
			"since must be a date and time with a zone, such as 2026-01-02T15:04:05Z; " +
				"a + in a URL must be written as %2B",
		},
		{"GET", "/v1/activities?q=" + strings.Repeat("a", 201), "", "q must have at most 200 characters"},
		{"GET", "/v1/activities/x", "", "id must be a UUID such as 0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f"},
		{
			"PATCH", "/v1/notifications/x", `{"red":1}`,
			"id must be a UUID such as 0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f; " +
				"red is not a field of this body",
		},
		{"PUT", "/v1/notifications/preferences", `[]`, "body must be an object"},
		{"PUT", "/v1/notifications/preferences", `{"muted":1}`, "muted must be true or false"},
		{"PUT", "/v1/notifications/preferences", `{"custom_actions":1}`, "custom_actions must be an array"},
		{"POST", "/v1/subscriptions/bulk", `{"subscriptions":[]}`, "subscriptions must have at least 1 item"},
		{"POST", "/v1/realtime/token", `{"channels":[1]}`, "channels[0] must be a string"},
	} {
		problem := as[api.Problem](c.do(each.method, each.target, each.body).want(http.StatusUnprocessableEntity))
		var rules []string
		for _, v := range problem.Errors {
			rules = append(rules, v.Field+" "+v.Rule)
		}
		if got := strings.Join(rules, "; "); got != each.want {
			t.Errorf("%s %s %s: got %q, want %q", each.method, each.target, each.body, got, each.want)
		}
	}
}

// clock is a clock that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	clock := &clock{at: time.Now()}
	w := newWorld(t, func(o *api.Options) { o.Now, o.Limits = clock.now, api.Limits{PerSecond: 0.25, Burst: 3} })
	member, owner := w.here.as(w.here.member), w.here.as(w.here.owner)
	ask := func(c client) reply { return c.do("GET", "/v1/notifications/preferences", "") }
	for range 3 {
		ask(member).want(http.StatusOK)
	}
	refused := ask(member).want(http.StatusTooManyRequests)
	if got := refused.header.Get("Retry-After"); got != "4" || problemType(refused) != "too-many-requests" {
		t.Errorf("got Retry-After %s: %s, want 4", got, refused.body)
	}
	ask(owner).want(http.StatusOK)
	clock.advance(4 * time.Second)
	ask(member).want(http.StatusOK)
	ask(member).want(http.StatusTooManyRequests)
}

// authenticator is an api.Authenticator of one function.
type authenticator func(r *http.Request) (identity.Identity, error)

func (a authenticator) Authenticate(r *http.Request) (identity.Identity, error) { return a(r) }

// TestInternalErrors checks that responses do not disclose internal errors.
func TestInternalErrors(t *testing.T) {
	t.Parallel()
	refused := nettest.Refused(t)
	w := newWorld(t, nil)
	nowhere, err := pgxpool.New(t.Context(), "postgres://test@"+refused+"/nothing?connect_timeout=1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nowhere.Close)
	for what, each := range map[string]struct {
		change func(*api.Options)
		status int
	}{
		"a panic": {func(o *api.Options) {
			o.Authenticator = authenticator(func(*http.Request) (identity.Identity, error) { panic("secret") })
		}, 500},
		"an error of the authenticator": {func(o *api.Options) {
			o.Authenticator = authenticator(func(*http.Request) (identity.Identity, error) {
				return identity.Identity{}, errors.New("secret")
			})
		}, 503},
		"an empty identity": {func(o *api.Options) {
			o.Authenticator = authenticator(func(*http.Request) (identity.Identity, error) {
				return identity.Identity{}, nil
			})
		}, 401},
		"an unreachable database": {func(o *api.Options) { o.Pool = nowhere }, 503},
		"a slow database":         {func(o *api.Options) { o.Limits.Query = time.Nanosecond }, 503},
	} {
		c := w.here.as(w.here.member)
		c.handler = w.newServer(each.change).Handler()
		response := c.do("GET", "/v1/notifications", "").want(each.status)
		if strings.Contains(string(response.body), "secret") || internalText.Match(response.body) {
			t.Errorf("%s: the response discloses an internal error: %s", what, response.body)
		}
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *api.Options) { o.Origins = []string{"https://app.example.com"} })
	c := w.here.as(w.here.member)
	const list = "/v1/activities"

	const requestID = "abc-1.2_3:4"
	identified := c.withHeader("X-Request-Id", requestID).do("GET", list, "")
	if got := identified.header.Get("X-Request-Id"); got != requestID {
		t.Errorf("X-Request-Id: got %s, want the client's", got)
	}
	for _, id := range []string{"", "a b", "a\"b", "<", "ü", strings.Repeat("a", 129)} {
		if got := c.withHeader("X-Request-Id", id).do("GET", list, "").header.Get("X-Request-Id"); got == id ||
			len(got) != 36 {
			t.Errorf("X-Request-Id %q: got %q, want a new one", id, got)
		}
	}
	plain := c.do("GET", list, "").want(http.StatusOK)
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Content-Encoding": "",
	} {
		if got := plain.header.Get(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	zipped := c.withHeader("Accept-Encoding", "gzip").do("GET", list, "").want(http.StatusOK)
	if zipped.header.Get("Content-Encoding") != "gzip" || string(zipped.body) != string(plain.body) {
		t.Errorf("gzip: got %s, want the same, compressed", zipped.header)
	}
	head := c.do("HEAD", list, "").want(http.StatusOK)
	if head.header.Get("Content-Type") != "application/json" {
		t.Errorf("HEAD: got %v, want the headers of GET", head.header)
	}
	const methods = "GET, HEAD, POST, OPTIONS"
	if got := c.do("OPTIONS", list, "").want(http.StatusNoContent).header.Get("Allow"); got != methods {
		t.Errorf("OPTIONS: got Allow %s, want %s", got, methods)
	}
	c.do("OPTIONS", "/v1/nowhere", "").want(http.StatusNotFound)

	for origin, want := range map[string]string{
		"https://app.example.com": "https://app.example.com", "https://evil.example.com": "",
	} {
		response := c.withHeader("Origin", origin).do("GET", list, "")
		if got := response.header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("Origin %s: got %q, want %q", origin, got, want)
		}
		preflight := w.anyone().withHeader("Origin", origin).withHeader("Access-Control-Request-Method", "PATCH").
			withHeader("Access-Control-Request-Headers", "authorization,content-type").
			do("OPTIONS", "/v1/notifications/"+uuid.NewString(), "").want(http.StatusNoContent)
		if got := preflight.header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("preflight of %s: got %q, want %q", origin, got, want)
		}
		if preflight.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Error("got Access-Control-Allow-Credentials, want none")
		}
	}
}

// recordingObserver is an api.Observer that records its notifications.
type recordingObserver struct {
	mu  sync.Mutex
	all []string
}

func (o *recordingObserver) Request(route string, status int, _ time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, route+" "+strconv.Itoa(status))
}

func (o *recordingObserver) Recorded(created, existing, violations int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, fmt.Sprintf("recorded %d %d %d", created, existing, violations))
}

func TestObserver(t *testing.T) {
	t.Parallel()
	observer := &recordingObserver{}
	w := newWorld(t, func(o *api.Options) { o.Observer = observer })
	c := w.here.as(w.here.member)
	c.do("GET", "/v1/activities/"+w.here.shown.String(), "")
	c.do("GET", "/v1/activities/"+w.here.dead.String(), "")
	c.do("GET", "/v1/nowhere/"+w.here.dead.String(), "")
	want := []string{"GET /v1/activities/{id} 200", "GET /v1/activities/{id} 404", " 404"}
	if got := observer.all; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestPanicOfTheObserver has an observer that panics at every response: clients notice nothing.
func TestPanicOfTheObserver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *api.Options) { o.Observer = panicking{} })
	c := w.here.as(w.here.member)
	for path, want := range map[string]int{"/v1/activities/" + w.here.shown.String(): 200, "/v1/nowhere": 404} {
		if got := c.do("GET", path, ""); got.status != want {
			t.Errorf("GET %s: got status %d, want %d", path, got.status, want)
		}
	}
}

type panicking struct{}

func (panicking) Request(string, int, time.Duration) { panic("nil map") }

func (panicking) Recorded(int, int, int) { panic("nil map") }

// TestRunShutsDownGracefully checks that Run waits for requests in progress.
func TestRunShutsDownGracefully(t *testing.T) {
	t.Parallel()
	arrived, proceed := make(chan struct{}), make(chan struct{})
	w := newWorld(t, nil)
	server := w.newServer(func(o *api.Options) {
		o.Authenticator = authenticator(func(*http.Request) (identity.Identity, error) {
			close(arrived)
			<-proceed
			return identity.Identity{Principal: principalOf(w.here.id, w.here.member)}, nil
		})
	})
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended, answered := make(chan error, 1), make(chan error, 1)
	go func() { ended <- server.Run(ctx, listener) }()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	go func() {
		response, err := (&http.Client{Transport: transport}).Get(
			"http://" + listener.Addr().String() + "/v1/notifications",
		)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode != http.StatusOK {
				err = errors.New(response.Status)
			}
		}
		answered <- err
	}()
	receive(t, "a request", arrived)
	stop()
	close(proceed)
	if err := errors.Join(receive(t, "a response", answered), receive(t, "an end", ended)); err != nil {
		t.Error(err)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	_, err := api.New(api.Options{CursorSecret: []byte("short"), Limits: api.Limits{Burst: -1}})
	for _, want := range []string{"Pool", "Authenticator", "Channels", "Tokens", "CursorSecret", "Limits"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s in it", err, want)
		}
	}
}
