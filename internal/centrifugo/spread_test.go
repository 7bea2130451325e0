package centrifugo_test

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/centrifugotest"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/nettest"
)

// node is an address of the server, which may be unavailable, or answer everything but broadcasts.
type node struct {
	proxy
	down, hung atomic.Bool
}

// startNodes starts addresses of the server, and returns the list of their URLs for publications of
// one way.
func startNodes(t *testing.T, w way, count int) (nodes []*node, urls string) {
	t.Helper()
	var list []string
	for range count {
		n := &node{}
		n.answer = func(w http.ResponseWriter, r *http.Request, p pipe) bool {
			switch {
			case n.down.Load():
				w.WriteHeader(http.StatusServiceUnavailable)
			case n.hung.Load() && len(p) > 0:
				<-r.Context().Done()
			default:
				return false
			}
			return true
		}
		nodes, list = append(nodes, n), append(list, n.start(t, w))
	}
	return nodes, strings.Join(list, ",")
}

// connectTo returns nodes and a client of them that has found out that they belong together.
func connectTo(t *testing.T, w way, count int, o centrifugo.Options) ([]*node, *centrifugo.Client) {
	t.Helper()
	nodes, urls := startNodes(t, w, count)
	o.APIURL, o.AudienceSize = urls, 100
	client := connect(t, o)
	check(t, client)
	return nodes, client
}

// check checks a client whose address in use is available.
func check(t *testing.T, client *centrifugo.Client) {
	t.Helper()
	if got := client.Check(t.Context(), "user"); len(got) != 0 {
		t.Errorf("got %v, want no diagnostic", got)
	}
}

// wantBroadcasts checks how many broadcasts each address has received since the last call.
func wantBroadcasts(t *testing.T, when string, nodes []*node, want ...int) {
	t.Helper()
	got := make([]int, len(nodes))
	for i, n := range nodes {
		got[i] = n.takeBroadcasts()
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v broadcasts by address, want %v", when, got, want)
	}
}

// takeBroadcasts returns the number of broadcasts that an address has received since the last call.
func (n *node) takeBroadcasts() (count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.pipes {
		count += len(p)
	}
	n.pipes = nil
	return count
}

// wide returns broadcasts of 600 publications in all, which a client with an audience size of 100
// sends in up to six requests.
func wide() (broadcasts []centrifugo.Broadcast) {
	for range 6 {
		broadcasts = append(broadcasts, broadcastTo(names("user", 100)...))
	}
	return broadcasts
}

// TestPublishSpreads checks to which addresses a wide audience is published: to those that are
// available and belong to the same Centrifugo.
func TestPublishSpreads(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
		nodes, client := connectTo(t, w, 3, centrifugo.Options{})
		publish := func(when string, want ...int) {
			t.Helper()
			wantAccepted(t, client.Publish(t.Context(), wide()))
			wantBroadcasts(t, when, nodes, want...)
		}
		publish("all available", 2, 2, 2)

		nodes[1].down.Store(true)
		wantAccepted(t, client.Publish(t.Context(), wide()))
		for _, n := range nodes {
			n.takeBroadcasts()
		}
		publish("after a failure", 3, 0, 3)
		check(t, client)
		publish("still unavailable", 3, 0, 3)
		nodes[1].down.Store(false)
		check(t, client)
		publish("available again", 2, 2, 2)

		one := broadcastTo(names("user", 100)...)
		wantAccepted(t, client.Publish(t.Context(), []centrifugo.Broadcast{one}))
		wantBroadcasts(t, "a small call", nodes, 1, 0, 0)
	})
}

// TestPublishSpreadsOverOneCentrifugo has an address of another Centrifugo and one that refuses
// connections: a wide audience is published to neither.
func TestPublishSpreadsOverOneCentrifugo(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
		other := centrifugotest.Start(t, devstack.CentrifugoOptions{APIKey: server.APIKey()})
		others := map[way]string{byHTTP: other.APIURL(), byGRPC: other.APIURLs()}[w]
		nodes, urls := startNodes(t, w, 2)
		client := connect(t, centrifugo.Options{
			APIURL: strings.Join([]string{urls, others, w.urls(nettest.Refused(t))}, ","), AudienceSize: 100,
		})
		check(t, client)
		broadcasts := wide()
		wantAccepted(t, client.Publish(t.Context(), broadcasts))
		wantBroadcasts(t, "the addresses of one Centrifugo", nodes, 3, 3)
		for _, b := range broadcasts {
			if got := history(t, b.Channels[0]); len(got) != 1 {
				t.Errorf("%s holds %q, want the message", b.Channels[0], got)
			}
		}
	})
}

// Once no address is available, a call fails, whichever addresses its requests went to.
func TestPublishSpreadsToNone(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
		nodes, client := connectTo(t, w, 3, centrifugo.Options{})
		for _, n := range nodes {
			n.down.Store(true)
		}
		for _, result := range client.Publish(t.Context(), wide()) {
			wantClass(t, result, centrifugo.Unavailable)
		}
		for i, n := range nodes {
			if n.takeBroadcasts() == 0 {
				t.Errorf("address %d was not tried", i)
			}
		}
	})
}

// A node that does not answer broadcasts fails no call, and gets none for a while, though it
// answers the command info.
func TestPublishSpreadsPastASlowNode(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
		nodes, client := connectTo(t, w, 3, centrifugo.Options{Timeout: 3 * time.Second})
		nodes[1].hung.Store(true)
		for _, want := range []int{2, 0} {
			wantAccepted(t, client.Publish(t.Context(), wide()))
			if got := nodes[1].takeBroadcasts(); got != want {
				t.Errorf("the slow node got %d broadcasts, want %d", got, want)
			}
			check(t, client)
		}
	})
}

// What a node cannot publish, since its broker has failed, is attempted again by another one.
func TestPublishRetriesByAnotherNode(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
		nodes, client := connectTo(t, w, 3, centrifugo.Options{})
		nodes[1].mu.Lock()
		nodes[1].code = func(string) int { return 100 }
		nodes[1].mu.Unlock()
		broadcasts := wide()
		wantAccepted(t, client.Publish(t.Context(), broadcasts))
		for _, b := range broadcasts {
			if got := history(t, b.Channels[99]); len(got) != 1 {
				t.Errorf("%s holds %q, want the message", b.Channels[99], got)
			}
		}
	})
}

// An address that failed becomes available again: publications stay with the one in use, and wide
// audiences are spread over both.
func TestRouteStaysWithTheAddressInUse(t *testing.T) {
	t.Parallel()
	eachWay(t, func(t *testing.T, w way) {
		nodes, client := connectTo(t, w, 2, centrifugo.Options{})
		first := client.Route().Address
		nodes[0].down.Store(true)
		publishOne(t, client)
		second := client.Route().Address
		if first == second {
			t.Fatalf("got %s, want another address than the one that failed", second)
		}
		nodes[0].down.Store(false)
		check(t, client)
		if got := client.Route().Address; got != second {
			t.Errorf("got %s, want %s, which is in use", got, second)
		}
		for _, n := range nodes {
			n.takeBroadcasts()
		}
		wantAccepted(t, client.Publish(t.Context(), wide()))
		wantBroadcasts(t, "both available", nodes, 3, 3)
	})
}
