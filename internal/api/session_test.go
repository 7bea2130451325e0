package api_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/centrifugotest"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// changing is an Authenticator whose answer tests change.
type changing struct {
	as atomic.Pointer[identity.Identity] // nil refuses
}

func (c *changing) Authenticate(*http.Request) (identity.Identity, error) {
	if as := c.as.Load(); as != nil {
		return *as, nil
	}
	return identity.Identity{}, &identity.Refused{Reason: identity.ReasonRevoked}
}

// sse reads a stream of server-sent events.
type sse struct {
	t     testing.TB
	lines *bufio.Scanner
}

// followStream opens a stream, and closes it after the test.
func followStream(t testing.TB, base, lastEventID string) sse {
	t.Helper()
	header := http.Header{}
	if lastEventID != "" {
		header.Set("Last-Event-ID", lastEventID)
	}
	return followStreamWith(t, base, header)
}

// followStreamWith is followStream with headers.
func followStreamWith(t testing.TB, base string, header http.Header) sse {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/v1/activities/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != http.StatusOK {
		t.Fatalf("got status %d, want 200", response.StatusCode)
	}
	return sse{t, bufio.NewScanner(response.Body)}
}

// next returns the next line with a prefix, without it; "" at the end of the stream.
func (s sse) next(prefix string) string {
	s.t.Helper()
	for s.lines.Scan() {
		if text, found := strings.CutPrefix(s.lines.Text(), prefix); found {
			return text
		}
	}
	return ""
}

// TestStreamsEndWithTheirCredential follows a stream until the credential expires, is revoked,
// loses its scope, belongs to another principal, or its principal is inactive, or until the tenant
// moves.
func TestStreamsEndWithTheirCredential(t *testing.T) {
	t.Parallel()
	var caller changing
	var moved atomic.Bool
	w, _ := newLiveWorld(t, func(o *api.Options, _ string) {
		o.Authenticator, o.Limits.Heartbeat = &caller, 50*time.Millisecond
		o.Admits = func(uuid.UUID) bool { return !moved.Load() }
	})
	front := httptest.NewServer(w.server.Handler())
	t.Cleanup(front.Close)
	valid := func() identity.Identity {
		return identity.Identity{
			Principal: principalOf(w.here.id, w.here.member), Scopes: identity.Scopes{identity.ScopeRead},
		}
	}
	for _, c := range []struct {
		name   string
		end    func()
		reason string
	}{
		{"revoked", func() { caller.as.Store(nil) }, "revoked: "},
		{"without the scope", func() {
			as := valid()
			as.Scopes = nil
			caller.as.Store(&as)
		}, "revoked: "},
		{"another principal", func() {
			as := valid()
			as.PrincipalID = w.here.owner
			caller.as.Store(&as)
		}, "revoked: "},
		{"the tenant has moved", func() { moved.Store(true) }, "ended: "},
		{"inactive", func() {
			w.exec(`UPDATE fanfare.principals SET active = false WHERE id = $1`, w.here.member)
		}, "revoked: "},
	} {
		as := valid()
		caller.as.Store(&as)
		moved.Store(false)
		s := followStream(t, front.URL, "")
		if got := s.next(": heartbeat"); got != "" || s.next("id: ") == "" {
			t.Errorf("%s: got no heartbeat with an id", c.name)
		}
		c.end()
		if got := s.next("data: "); !strings.Contains(got, c.reason) {
			t.Errorf("%s: got %q at the end, want the reason %q", c.name, got, c.reason)
		}
		if s.next("data: ") != "" {
			t.Errorf("%s: the stream goes on", c.name)
		}
	}
	w.exec(`UPDATE fanfare.principals SET active = true WHERE id = $1`, w.here.member)
	as := valid()
	as.Expires = time.Now().Add(300 * time.Millisecond)
	caller.as.Store(&as)
	if got := followStream(t, front.URL, "").next("data: "); !strings.Contains(got, "expired: ") {
		t.Errorf("expired: got %q at the end, want the reason", got)
	}
	if time.Now().Before(as.Expires) {
		t.Error("the stream ended before its credential expired")
	}
}

// TestStreamBeginsWithAPosition checks that a client that has received no event resumes without a
// loss, from the position at the start and from that of a heartbeat.
func TestStreamBeginsWithAPosition(t *testing.T) {
	t.Parallel()
	var caller changing
	w, server := newLiveWorld(t, func(o *api.Options, _ string) {
		o.Authenticator, o.Limits.Heartbeat = &caller, 50*time.Millisecond
	})
	caller.as.Store(&identity.Identity{
		Principal: principalOf(w.here.id, w.here.member), Scopes: identity.Scopes{identity.ScopeRead},
	})
	front := httptest.NewServer(w.server.Handler())
	t.Cleanup(front.Close)
	s := followStream(t, front.URL, "")
	positions := []string{s.next("id: ")}
	if s.next(": heartbeat"); positions[0] == "" {
		t.Fatal("got no id at the start")
	}
	positions = append(positions, s.next("id: "))
	publisher := centrifugotest.Client(t, server)
	missed := fmt.Appendf(nil, `{"version":"1","event_id":%q,"action":"signal.missed"}`, uuid.New())
	channel := w.channels.Tenant(w.here.id)
	broadcast := centrifugo.Broadcast{Channels: []string{channel}, Data: missed}
	if result := publisher.Publish(t.Context(), []centrifugo.Broadcast{broadcast})[0]; result.Err != nil {
		t.Fatal(result.Err)
	}
	for _, position := range positions {
		if got := followStream(t, front.URL, position).next("data: "); got != string(missed) {
			t.Errorf("after %q: got %q, want the event that was missed", position, got)
		}
	}
}

// TestStreamsAreBounded opens streams up to the limits of a principal, of a tenant and of the
// process.
func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	w, _ := newLiveWorld(t, func(o *api.Options, _ string) {
		o.Limits.StreamsOfPrincipal, o.Limits.StreamsOfTenant, o.Limits.Streams = 2, 3, 4
	})
	front := httptest.NewServer(w.server.Handler())
	t.Cleanup(front.Close)
	open := func(at *tenant, principal uuid.UUID) (status int, end func()) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		t.Cleanup(cancel)
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, front.URL+"/v1/activities/stream", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header = at.as(principal, identity.ScopeRead).header
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = response.Body.Close() })
		if response.StatusCode != http.StatusOK && response.Header.Get("Retry-After") == "" {
			t.Errorf("got status %d without Retry-After", response.StatusCode)
		}
		return response.StatusCode, cancel
	}
	var end func()
	for i, each := range []struct {
		at        *tenant
		principal uuid.UUID
		want      int
	}{
		{w.here, w.here.member, 200},
		{w.here, w.here.member, 200},
		{w.here, w.here.member, 429},
		{w.here, w.here.owner, 200},
		{w.here, w.here.delegator, 429},
		{w.elsewhere, w.elsewhere.member, 200},
		{w.elsewhere, w.elsewhere.owner, 503},
	} {
		status, stop := open(each.at, each.principal)
		if status != each.want {
			t.Errorf("stream %d: got status %d, want %d", i, status, each.want)
		}
		if i == 0 {
			end = stop
		}
	}
	end()
	waittest.Until(t, "the end of a stream makes room", func() bool {
		status, _ := open(w.here, w.here.member)
		return status == http.StatusOK
	})
}
