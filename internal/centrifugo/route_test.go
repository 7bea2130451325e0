package centrifugo_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/centrifugotest"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/nettest"
)

// wantRoute checks the way of publications, and that the reason to avoid gRPC contains a text; ""
// is no reason.
func wantRoute(t *testing.T, client *centrifugo.Client, protocol, avoided string) {
	t.Helper()
	got := client.Route()
	if got.Protocol != protocol || (got.Avoided == nil) != (avoided == "") ||
		got.Avoided != nil && !strings.Contains(got.Avoided.Error(), avoided) {
		t.Errorf("got %+v, want %s and %q", got, protocol, avoided)
	}
}

// publishOne publishes one message, and checks that it is in the history of the real server.
func publishOne(t *testing.T, client *centrifugo.Client) {
	t.Helper()
	channel := name("resource")
	wantAccepted(t, client.Publish(t.Context(), []centrifugo.Broadcast{broadcastTo(channel)}))
	if got := history(t, channel); len(got) != 1 {
		t.Errorf("%s holds %q, want the message", channel, got)
	}
}

// unavailable returns what answers requests of one HTTP version with "unavailable" while it is set.
func unavailable(major int) (down *atomic.Bool, p *proxy) {
	down = new(atomic.Bool)
	return down, &proxy{answer: func(w http.ResponseWriter, r *http.Request, _ pipe) bool {
		if r.ProtoMajor != major || !down.Load() {
			return false
		}
		if major == 2 {
			writeStatus(w, 14, "")
		} else {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return true
	}}
}

// Publications go by HTTP while no address by gRPC is available.
func TestRoute(t *testing.T) {
	t.Parallel()
	down, p := unavailable(2)
	client := connect(t, centrifugo.Options{APIURL: p.start(t, byGRPC)})
	publish := func() {
		t.Helper()
		publishOne(t, client)
	}
	check := func() {
		t.Helper()
		if got := client.Check(t.Context(), "user"); len(got) != 0 {
			t.Errorf("got %v, want no diagnostic", got)
		}
	}
	check()
	wantRoute(t, client, "gRPC", "")
	publish()
	down.Store(true)
	publish()
	wantRoute(t, client, "HTTP", "is failing (gRPC status 14")
	check()
	wantRoute(t, client, "HTTP", "is failing (gRPC status 14")
	down.Store(false)
	check()
	wantRoute(t, client, "gRPC", "")
	publish()
	seen := p.seen()
	if last := seen[len(seen)-1]; len(last) != 1 {
		t.Errorf("got %v last, want the publication", last)
	}
}

// The first check finds out whether the server offers gRPC at all.
func TestRouteWithoutGRPC(t *testing.T) {
	t.Parallel()
	for title, address := range map[string]string{
		"refused": nettest.Refused(t), "HTTP only": strings.TrimPrefix(clientURL(), "http://"), "silent": silent(t),
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			client := connect(t, centrifugo.Options{APIURL: "grpc://" + address + "," + server.APIURL()})
			if got := client.Check(t.Context(), "user"); len(got) != 0 {
				t.Errorf("got %v, want no diagnostic", got)
			}
			if got := client.Route(); got.Protocol != "HTTP" || got.Address != server.APIURL() || got.Avoided == nil {
				t.Errorf("got %+v, want HTTP with a reason", got)
			}
			publishOne(t, client)
		})
	}
	client := connect(t, centrifugo.Options{})
	if got := client.Route(); got.Protocol != "HTTP" || got.Avoided != nil {
		t.Errorf("without an address by gRPC: got %+v, want HTTP without a reason", got)
	}
}

// An address by gRPC that leads to another Centrifugo is never published to, whatever fails.
func TestRouteToAnotherCentrifugo(t *testing.T) {
	t.Parallel()
	other := centrifugotest.Start(t, devstack.CentrifugoOptions{
		Settings: map[string]any{"grpc_api.key": server.APIKey()},
	}).GRPCURL()
	refused := "http://" + nettest.Refused(t) + "/api"

	t.Run("alone", func(t *testing.T) {
		t.Parallel()
		client := connect(t, centrifugo.Options{APIURL: other + "," + server.APIURL()})
		publishOne(t, client)
		wantRoute(t, client, "HTTP", "do not know each other")
	})
	t.Run("while an address by HTTP is unavailable", func(t *testing.T) {
		t.Parallel()
		client := connect(t, centrifugo.Options{APIURL: strings.Join([]string{other, refused, server.APIURL()}, ",")})
		publishOne(t, client)
		wantRoute(t, client, "HTTP", "do not know each other")
	})
	t.Run("before any address by HTTP is available", func(t *testing.T) {
		t.Parallel()
		down, p := unavailable(1)
		down.Store(true)
		client := connect(t, centrifugo.Options{APIURL: other + "," + p.start(t, byHTTP)})
		result := client.Publish(t.Context(), []centrifugo.Broadcast{broadcastTo(name("user"))})[0]
		wantClass(t, result, centrifugo.Unavailable)
		wantRoute(t, client, "HTTP", "no address by HTTP answers")
		down.Store(false)
		publishOne(t, client)
		client.Check(t.Context(), "user")
		wantRoute(t, client, "HTTP", "do not know each other")
	})
	t.Run("after the address by gRPC has failed", func(t *testing.T) {
		t.Parallel()
		down, p := unavailable(2)
		address := "grpc://" + p.startCounting(t, new(atomic.Int32))
		client := connect(t, centrifugo.Options{APIURL: strings.Join([]string{address, other, server.APIURL()}, ",")})
		publishOne(t, client)
		wantRoute(t, client, "gRPC", "")
		down.Store(true)
		publishOne(t, client)
		wantRoute(t, client, "HTTP", "is failing (gRPC status 14")
	})
}

// Once an address by gRPC fails, publications go to the next one of the same Centrifugo.
func TestRouteFailsOverByGRPC(t *testing.T) {
	t.Parallel()
	down, p := unavailable(2)
	address := "grpc://" + p.startCounting(t, new(atomic.Int32))
	client := connect(t, centrifugo.Options{APIURL: address + "," + server.APIURLs()})
	publishOne(t, client)
	if got := client.Route().Address; got != address {
		t.Errorf("got %s, want the first address %s", got, address)
	}
	down.Store(true)
	publishOne(t, client)
	if got := client.Route().Address; got != server.GRPCURL() {
		t.Errorf("got %s, want the second address %s", got, server.GRPCURL())
	}
}

// A failure of an address by HTTP is no reason to avoid gRPC.
func TestRouteAvoidedIsOfGRPC(t *testing.T) {
	t.Parallel()
	grpcDown, byGRPCOnly := unavailable(2)
	httpDown, byHTTPOnly := unavailable(1)
	client := connect(t, centrifugo.Options{APIURL: strings.Join([]string{
		"grpc://" + byGRPCOnly.startCounting(t, new(atomic.Int32)),
		byHTTPOnly.start(t, byHTTP),
		server.APIURL(),
	}, ",")})
	publishOne(t, client)
	grpcDown.Store(true)
	httpDown.Store(true)
	publishOne(t, client)
	wantRoute(t, client, "HTTP", "gRPC status 14")
	if got := client.Route().Address; got != server.APIURL() {
		t.Errorf("got %s, want %s", got, server.APIURL())
	}
}

// What a call finds out while its context ends is not kept.
func TestRouteAfterACancelledCall(t *testing.T) {
	t.Parallel()
	for title, call := range map[string]func(context.Context, *centrifugo.Client){
		"Publish": func(ctx context.Context, client *centrifugo.Client) {
			client.Publish(ctx, []centrifugo.Broadcast{broadcastTo(name("user"))})
		},
		"Check": func(ctx context.Context, client *centrifugo.Client) { client.Check(ctx, "user") },
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			client := connect(t, centrifugo.Options{APIURL: server.APIURLs()})
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			call(ctx, client)
			publishOne(t, client)
			wantRoute(t, client, "gRPC", "")
		})
	}
}
