package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/identity"
)

// admitting makes a server accept one tenant alone, as that of a cell does.
func admitting(w **world, tenant *uuid.UUID) func(*api.Options) {
	return func(o *api.Options) {
		admits := func(id uuid.UUID) bool { return id == *tenant }
		tokens := identity.NewTokens(o.Pool, nil).For(admits)
		o.Sessions = identity.NewSessions(tokens, nil)
		base, err := identity.New(identity.Options{TrustHeaders: true})
		if err != nil {
			(*w).t.Fatal(err)
		}
		o.Authenticator, o.Admits = base.Accepting(tokens, o.Sessions, admits), admits
	}
}

// twoWorlds are worlds in databases of their own, of which each server accepts the tenant here.
func twoWorlds(t testing.TB) (ours, theirs *world) {
	t.Helper()
	for _, w := range []**world{&ours, &theirs} {
		*w = newWorld(t, nil)
		(*w).server = (*w).newServer(admitting(w, &(*w).here.id))
	}
	return ours, theirs
}

// routed sends a request through a router.
func routed(t testing.TB, rt *api.Router, method, target, body string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	r.RemoteAddr, r.Host = "127.0.0.1:40000", "localhost:8080"
	for name, values := range header {
		r.Header[name] = values
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	recorder := httptest.NewRecorder()
	rt.ServeHTTP(recorder, r)
	return recorder
}

func headersOf(at *tenant) http.Header {
	return http.Header{
		"X-Tenant-Id": {at.id.String()}, "X-Principal-Id": {at.owner.String()}, "X-Scopes": {"activity:read"},
	}
}

// TestRouterGoesWrong routes every request to the server of another tenant, as a difference between
// the parsers of the router and of the servers would: the server answers 401.
func TestRouterGoesWrong(t *testing.T) {
	t.Parallel()
	ours, theirs := twoWorlds(t)
	wrong := &api.Router{
		Claimed: func(*http.Request) uuid.UUID { return theirs.here.id },
		Of:      func(context.Context, uuid.UUID) *api.Server { return theirs.server },
		Any:     func(context.Context) *api.Server { return theirs.server },
	}
	for _, target := range []string{
		"/v1/me", "/v1/notifications", "/v1/activities", "/v1/activities/" + theirs.here.shown.String(), "/v1/audit",
	} {
		got := routed(t, wrong, http.MethodGet, target, "", headersOf(ours.here))
		if got.Code != http.StatusUnauthorized || !strings.Contains(got.Body.String(), "unknown tenant") {
			t.Errorf("%s: got %d with %s, want 401", target, got.Code, got.Body)
		}
		got = routed(t, wrong, http.MethodGet, target, "", headersOf(theirs.here))
		if got.Code == http.StatusUnauthorized {
			t.Errorf("%s of the right tenant: got %d with %s", target, got.Code, got.Body)
		}
	}
	sessions := identity.NewSessions(identity.NewTokens(ours.db.Pool, nil), nil)
	code, _, err := sessions.Issue(t.Context(), identity.NewSession{
		TenantID: ours.here.id, PrincipalID: ours.here.owner,
	})
	if err != nil {
		t.Fatal(err)
	}
	got := routed(t, wrong, http.MethodPost, "/v1/session", `{"code":"`+string(code)+`"}`, nil)
	if got.Code != http.StatusUnauthorized {
		t.Errorf("the code of another tenant: got %d with %s, want 401", got.Code, got.Body)
	}
}

// TestRouter selects the server by the code of a request to begin a session, whatever else the
// request has, and leaves the body to the server.
func TestRouter(t *testing.T) {
	t.Parallel()
	ours, theirs := twoWorlds(t)
	servers := map[uuid.UUID]*api.Server{ours.here.id: ours.server, theirs.here.id: theirs.server}
	var asked []uuid.UUID
	claimed := uuid.Nil
	rt := &api.Router{
		Claimed: func(*http.Request) uuid.UUID { return claimed },
		Of: func(_ context.Context, tenant uuid.UUID) *api.Server {
			asked = append(asked, tenant)
			return servers[tenant]
		},
		Any: func(context.Context) *api.Server { return theirs.server },
	}
	tokens := identity.NewTokens(ours.db.Pool, nil)
	code, _, err := identity.NewSessions(tokens, nil).Issue(t.Context(), identity.NewSession{
		TenantID: ours.here.id, PrincipalID: ours.here.owner,
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path, body string
		want       uuid.UUID // that was asked for
		status     int
	}{
		"no body":       {"/v1/session", "", uuid.Nil, http.StatusBadRequest},
		"no JSON":       {"/v1/session", "{", uuid.Nil, http.StatusBadRequest},
		"no code":       {"/v1/session", `{"code":"A"}`, uuid.Nil, http.StatusUnauthorized},
		"another field": {"/v1/session", `{"other":1}`, uuid.Nil, http.StatusUnprocessableEntity},
		"a large body": {
			"/v1/session", `{"code":"` + strings.Repeat("A", 100<<10) + `"}`, uuid.Nil, http.StatusUnprocessableEntity,
		},
		"a refresh": {
			"/v1/realtime/refresh", `{"user":"` + ours.here.id.String() + `.x"}`, ours.here.id, http.StatusOK,
		},
		"a refresh of no one": {"/v1/realtime/refresh", `{"user":7}`, uuid.Nil, http.StatusOK},
	} {
		asked = nil
		got := routed(t, rt, http.MethodPost, c.path, c.body, nil)
		if got.Code != c.status || c.want == uuid.Nil && len(asked) > 0 || c.want != uuid.Nil && (len(asked) != 1 ||
			asked[0] != c.want) {
			t.Errorf("%s: got %d with %s and the tenants %v, want %d and %s", name, got.Code, got.Body, asked, c.status,
				c.want)
		}
	}
	got := routed(t, rt, http.MethodPost, "/v1/session", ` {"code" : "`+string(code)+`"}`, nil)
	if got.Code != http.StatusNoContent {
		t.Errorf("the code: got %d with %s, want 204", got.Code, got.Body)
	}
	claimed = ours.here.id
	if got := routed(t, rt, http.MethodGet, "/v1/me", "", headersOf(ours.here)); got.Code != http.StatusOK ||
		!strings.Contains(got.Body.String(), ours.here.id.String()) {
		t.Errorf("a credential: got %d with %s, want 200", got.Code, got.Body)
	}
}
