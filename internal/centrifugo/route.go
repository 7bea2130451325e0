package centrifugo

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Route is the way of the publications of a client.
type Route struct {
	Protocol string // "gRPC" or "HTTP"
	Address  string // without secrets
	// Avoided is the reason why publications go by HTTP although an address by gRPC is known; nil
	// if they go by gRPC or none is known.
	Avoided error
}

// Route returns the way of publications. They go by gRPC, which costs Centrifugo less, while an
// address by gRPC is available and belongs to the same Centrifugo as the one by HTTP. The first
// [Client.Check] or [Client.Publish] finds out. Requests that cannot be sent by gRPC go by HTTP
// immediately, and Check finds out whether gRPC is available again.
func (c *Client) Route() Route {
	e := c.publishing.endpoint()
	r := Route{Protocol: e.protocol(), Address: e.address}
	if failure := c.publishing.failure.Load(); failure != nil && c.publishing != c.api && e.api != nil {
		r.Avoided = failure
	}
	return r
}

// selectRoute makes publications go by gRPC if an address by gRPC is available. It asks the first
// time, and while they go by HTTP. It returns within a second.
func (c *Client) selectRoute(ctx context.Context) {
	if c.publishing == c.api || c.publishing.endpoint().api == nil && c.routed.Load() {
		return
	}
	defer c.routed.Store(true)
	byGRPC := c.publishing.endpoints[:len(c.publishing.endpoints)-len(c.api.endpoints)] // see New
	share := checkTimeout / time.Duration(len(byGRPC)+1)
	byHTTP := c.api.endpoint()
	known, _ := byHTTP.nodesWithin(ctx, share) // none while it is unavailable
	for _, e := range byGRPC {
		nodes, err := e.nodesWithin(ctx, share)
		switch {
		case err != nil:
			c.publishing.failure.Store(e.classify(err))
		case known != nil && !slices.ContainsFunc(nodes, func(id string) bool { return slices.Contains(known, id) }):
			c.publishing.failure.Store(&Error{Class: Unavailable, reason: fmt.Sprintf(
				"Centrifugo at %s and Centrifugo at %s do not know each other", e.address, byHTTP.address)})
		default:
			c.publishing.use(e)
			return
		}
	}
	c.publishing.use(byHTTP)
}

func (e *endpoint) nodesWithin(ctx context.Context, timeout time.Duration) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return e.nodes(ctx)
}

// NodesByGRPC returns the ids of the nodes that Centrifugo names by gRPC at an address, such as
// grpc://host:port, with the API key and the timeout of the options. The error is an *[Error].
func NodesByGRPC(ctx context.Context, address string, o Options) ([]string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, classify("the configured address", err)
	}
	e := &endpoint{address: redactedURL(address)}
	g := newGRPCTransport(u, o.withDefaults())
	defer g.close()
	nodes, err := g.nodes(ctx)
	if err != nil {
		return nil, e.classify(err)
	}
	return nodes, nil
}

// IsGRPC reports whether a URL of Centrifugo's server API is one by gRPC.
func IsGRPC(address string) bool {
	return strings.HasPrefix(address, "grpc://") || strings.HasPrefix(address, "grpcs://")
}
