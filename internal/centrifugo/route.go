package centrifugo

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"
)

// Route is the way of the publications of a client.
type Route struct {
	Protocol string // "gRPC" or "HTTP"
	Address  string // without secrets
	// Avoided is the reason why publications go by HTTP although the options contain an address by
	// gRPC; nil if they go by gRPC, and before the first Check or Publish.
	Avoided error
}

// Route returns the way of publications. They go by gRPC, which costs Centrifugo less, while an
// address by gRPC is available that belongs to the same Centrifugo as those by HTTP. The first
// [Client.Check] or [Client.Publish] finds out. Requests that cannot be sent by gRPC go by HTTP
// immediately, and Check finds out whether gRPC is available again.
func (c *Client) Route() Route {
	e := c.publishing().endpoint()
	r := Route{Protocol: e.protocol(), Address: e.address}
	if avoided := c.avoided.Load(); avoided != nil && !e.byGRPC() {
		r.Avoided = avoided
	}
	return r
}

// publishing returns the endpoints that publications may go to: those by HTTP and, in front of
// them, those by gRPC that are known to belong to the same Centrifugo.
func (c *Client) publishing() *ring {
	if compared := c.compared.Load(); compared != nil {
		return compared
	}
	return c.api
}

// ensureRoute selects the route of publications unless it has been selected. It asks at most once a
// second, so that publishing does not wait for it again and again while no address by HTTP answers.
func (c *Client) ensureRoute(ctx context.Context) {
	if len(c.byGRPC) == 0 || c.compared.Load() != nil {
		return
	}
	c.routing.Lock()
	defer c.routing.Unlock()
	if c.compared.Load() == nil && time.Since(c.asked) >= checkTimeout {
		c.selectRoute(ctx)
	}
}

// reviewRoute selects the route of publications again: while they go by HTTP although there are
// addresses by gRPC, and always if they may be spread over several addresses.
func (c *Client) reviewRoute(ctx context.Context) {
	if len(c.byGRPC) == 0 && len(c.api.endpoints) == 1 {
		return
	}
	c.routing.Lock()
	defer c.routing.Unlock()
	if len(c.byGRPC) > 1 || len(c.api.endpoints) > 1 || !c.publishing().endpoint().byGRPC() {
		c.selectRoute(ctx)
	}
}

// selectRoute compares the nodes that each address names with those that an address by HTTP names.
// The route stays as it is if no address by HTTP answers or ctx ends. The caller holds c.routing.
// selectRoute returns within a second.
func (c *Client) selectRoute(ctx context.Context) {
	byHTTP := c.api.order()
	answers := askNodes(ctx, slices.Concat(c.byGRPC, byHTTP))
	if ctx.Err() != nil {
		return // the endpoints had no time to answer
	}
	var known *nodesAnswer
	if i := slices.IndexFunc(answers, func(a nodesAnswer) bool { return !a.from.byGRPC() && a.err == nil }); i >= 0 {
		known = &answers[i]
	}
	var members []*endpoint // by gRPC
	var avoided *Error
	for _, a := range answers {
		err := a.compare(known)
		a.from.member.Store(err == nil && !a.from.isLate())
		switch {
		case !a.from.byGRPC():
		case err != nil:
			avoided = cmp.Or(avoided, err)
		default:
			members = append(members, a.from)
		}
	}
	c.avoided.Store(avoided)
	switch {
	case known == nil:
		c.asked = time.Now()
	case members == nil:
		c.compared.Store(c.api)
	default:
		selected := &ring{endpoints: slices.Concat(members, byHTTP)}
		if before := c.publishing().endpoint(); before.byGRPC() {
			selected.use(before)
		}
		c.compared.Store(selected)
	}
}

// nodesAnswer is an endpoint's answer to the command info.
type nodesAnswer struct {
	from  *endpoint
	nodes []string
	err   error
}

// askNodes runs the command info at all endpoints at the same time, for at most a second.
func askNodes(ctx context.Context, endpoints []*endpoint) []nodesAnswer {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	answers := make([]nodesAnswer, len(endpoints))
	var asking sync.WaitGroup
	for i, e := range endpoints {
		asking.Go(func() {
			nodes, err := e.nodes(ctx)
			answers[i] = nodesAnswer{e, nodes, err}
		})
	}
	asking.Wait()
	return answers
}

// compare returns nil if the endpoint belongs to the Centrifugo of known, and otherwise the reason
// to think that it does not. known is the answer of an address by HTTP, nil if none has answered.
func (a *nodesAnswer) compare(known *nodesAnswer) *Error {
	switch {
	case a.err != nil:
		return a.from.classify(a.err)
	case known == nil:
		return &Error{Class: Unavailable, reason: fmt.Sprintf(
			"no address by HTTP answers with the nodes that those of Centrifugo at %s are compared with",
			a.from.address)}
	case !ShareNode(a.nodes, known.nodes):
		return &Error{Class: Unavailable, reason: fmt.Sprintf(
			"Centrifugo at %s and Centrifugo at %s do not know each other", a.from.address, known.from.address)}
	}
	return nil
}

// ShareNode reports whether two lists of ids of nodes come from one Centrifugo. Its nodes know each
// other, so that each names itself and the others; a node that has just started knows itself only.
func ShareNode(a, b []string) bool {
	return slices.ContainsFunc(a, func(id string) bool { return slices.Contains(b, id) })
}

// NodesByGRPC returns the ids of the nodes that Centrifugo names by gRPC at an address, such as
// grpc://host:port, with the API key and the timeout of the options. The error is an *[Error].
func NodesByGRPC(ctx context.Context, address string, o Options) ([]string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, classify("the configured address", err)
	}
	e := &endpoint{address: RedactedURL(address)}
	g := newGRPCTransport(u, o.withDefaults())
	defer g.close()
	nodes, err := g.nodes(ctx)
	if err != nil {
		return nil, e.classify(err)
	}
	return nodes, nil
}
