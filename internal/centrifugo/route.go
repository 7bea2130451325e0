package centrifugo

import (
	"context"
	"net/url"
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
// address by gRPC is available. [Client.Check] finds out, first whether one is available, and then,
// while publications go by HTTP, whether one is available again; a publication that fails goes by
// HTTP immediately.
func (c *Client) Route() Route {
	e := c.publishing.endpoint()
	r := Route{Protocol: e.protocol(), Address: e.address}
	if failure := c.publishing.failure.Load(); failure != nil && c.publishing != c.api && e.api != nil {
		r.Avoided = failure
	}
	return r
}

// selectRoute makes publications go by gRPC if an address by gRPC is available. It asks the first
// time, and while they go by HTTP.
func (c *Client) selectRoute(ctx context.Context) {
	if c.publishing == c.api || c.publishing.endpoint().api == nil && c.routed.Load() {
		return
	}
	defer c.routed.Store(true)
	byGRPC := c.publishing.endpoints[:len(c.publishing.endpoints)-len(c.api.endpoints)] // see New
	for _, e := range byGRPC {
		bounded, cancel := context.WithTimeout(ctx, checkTimeout/time.Duration(len(byGRPC)))
		err := e.ping(bounded)
		cancel()
		if err == nil {
			c.publishing.use(e)
			return
		}
		c.publishing.failure.Store(e.classify(err))
	}
	c.publishing.use(c.api.endpoint())
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
