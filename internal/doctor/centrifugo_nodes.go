package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// node is one address of the API by HTTP. The client of the examination uses them one at a time, so
// that it would not notice what is wrong with the others until it fails over to them.
type node struct {
	options centrifugo.Options // with this address only
	client  *centrifugo.Client
	info    apiInfo
}

// newNodes returns the nodes of a list of addresses, without those by gRPC.
func newNodes(o centrifugo.Options) ([]*node, error) {
	var nodes []*node
	for _, address := range centrifugo.SplitURLs(o.APIURL) {
		if centrifugo.IsGRPC(address) {
			continue
		}
		o.APIURL = address
		client, err := centrifugo.New(o)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, &node{options: o, client: client})
	}
	return nodes, nil
}

// diagnose returns the diagnostics of the node and of namespaces. It repeats a check that finds
// any, so that a momentary failure is not reported.
func (n *node) diagnose(ctx context.Context, namespaces ...string) []centrifugo.Diagnostic {
	if len(n.client.Check(ctx, namespaces...)) == 0 {
		return nil
	}
	return n.client.Check(ctx, namespaces...)
}

// checkAPI checks each address of the API. Those that fail are left out of the later checks.
func checkAPI(ctx context.Context, x *examination) finding {
	var working []*node
	var found []finding
	for _, n := range x.nodes {
		if diagnosed := n.diagnose(ctx); len(diagnosed) > 0 {
			found = append(found, apiFailure(diagnosed[0]))
			continue
		}
		var err error
		if n.info, err = readInfo(ctx, n.options); err != nil {
			found = append(found, failure(
				fmt.Sprintf("Centrifugo at %s does not answer the command info: %v",
					centrifugo.RedactedURL(n.options.APIURL), err),
				"correct --centrifugo-api-url, which usually ends in /api",
			))
			continue
		}
		working = append(working, n)
	}
	x.nodes = working
	if len(working) > 0 {
		x.info = mergeInfo(working)
	}
	return evaluateNodes(working, found)
}

// evaluateNodes warns of nodes that fail while others work, and fails if none works or if they are
// not nodes of one Centrifugo: a publication would then reach the clients of one of them only.
func evaluateNodes(working []*node, found []finding) finding {
	if len(working) == 0 {
		return combine(found)
	}
	addresses := make([]string, len(working))
	for i, n := range working {
		addresses[i] = centrifugo.RedactedURL(n.options.APIURL)
		found = append(found, passed("Centrifugo's API at %s accepts the API key", addresses[i]))
	}
	for i := range found {
		if found[i].status == Fail {
			found[i].status = Warn // the others are used
		}
	}
	apart := func(n *node) bool { return !centrifugo.ShareNode(n.info.nodes, working[0].info.nodes) }
	if i := slices.IndexFunc(working, apart); i >= 0 {
		found = append(found, failure(
			fmt.Sprintf("Centrifugo at %s and Centrifugo at %s do not know each other: "+
				"a publication reaches the clients of one of them only", addresses[0], addresses[i]),
			"connect them by one broker, such as Redis, or name one of them in --centrifugo-api-url",
		))
	}
	return combine(found)
}

// mergeInfo returns what holds for all nodes.
func mergeInfo(nodes []*node) apiInfo {
	merged := apiInfo{batch: true, clock: nodes[0].info.clock}
	for _, n := range nodes {
		merged.batch = merged.batch && n.info.batch
		for _, version := range n.info.versions {
			merged.versions = appendNew(merged.versions, version)
		}
	}
	return merged
}

// checkNamespaces checks that each namespace of the channel formats exists and keeps a history, on
// each node.
func checkNamespaces(ctx context.Context, x *examination) finding {
	names := x.channels.Namespaces()
	var found []finding
	for _, n := range x.nodes {
		for _, diagnostic := range n.diagnose(ctx, names...) {
			found = append(found, apiFailure(diagnostic))
		}
	}
	if len(found) > 0 {
		return combine(found)
	}
	last := len(names) - 1
	return passed("the namespaces %s and %s exist and keep a history", strings.Join(names[:last], ", "), names[last])
}
