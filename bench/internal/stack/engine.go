package stack

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"github.com/fanfarehq/fanfare/deploy"
	"github.com/fanfarehq/fanfare/internal/devstack"
)

// sharingNodes is the number of nodes of an Engine with Redis.
const sharingNodes = 3

// Engine is a Centrifugo: one node that keeps channels in memory, or several that share them by
// Redis.
type Engine struct {
	nodes []*devstack.Centrifugo
	redis []*devstack.Redis
}

// StartEngine starts an engine with a number of Redis; 0 selects one node with memory.
func StartEngine(ctx context.Context, redis int) (e *Engine, err error) {
	e = &Engine{}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Stop())
		}
	}()
	options, nodes := devstack.CentrifugoOptions{APIKey: rand.Text(), TokenSecret: rand.Text() + rand.Text()}, 1
	if redis > 0 {
		nodes = sharingNodes
		if options.Environment, err = e.startRedis(ctx, redis); err != nil {
			return e, err
		}
	}
	for range nodes {
		node, err := devstack.StartCentrifugo(ctx, options)
		if err != nil {
			return e, err
		}
		e.nodes = append(e.nodes, node)
	}
	return e, nil
}

// startRedis returns the environment of the nodes.
func (e *Engine) startRedis(ctx context.Context, number int) ([]string, error) {
	var addresses []string
	for range number {
		r, err := devstack.StartRedis(ctx)
		if err != nil {
			return nil, err
		}
		e.redis, addresses = append(e.redis, r), append(addresses, r.URL())
	}
	binary, err := devstack.FindCentrifugo("")
	if err != nil {
		return nil, err
	}
	version, err := devstack.CentrifugoVersion(binary)
	if err != nil {
		return nil, err
	}
	return deploy.CentrifugoEngine("redis-sharded", version.Major, map[string]string{
		"_ADDRESS": strings.Join(addresses, " "), "_PASSWORD": "",
	})
}

// WebSocketURL returns the URL of a node for clients.
func (e *Engine) WebSocketURL() string { return e.nodes[0].WebSocketURL() }

// APIURLs returns the URLs of all nodes, separated by commas.
func (e *Engine) APIURLs() string {
	urls := make([]string, len(e.nodes))
	for i, node := range e.nodes {
		urls[i] = node.APIURLs()
	}
	return strings.Join(urls, ",")
}

// APIKey returns the key of the nodes' API.
func (e *Engine) APIKey() string { return e.nodes[0].APIKey() }

// TokenSecret returns the HMAC key of the clients' tokens.
func (e *Engine) TokenSecret() string { return e.nodes[0].TokenSecret() }

// Published returns the number of publications that the nodes were sent.
func (e *Engine) Published(ctx context.Context) (total int64, err error) {
	for _, node := range e.nodes {
		n, err := Published(ctx, node.APIURL())
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// Stop ends all processes.
func (e *Engine) Stop() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	for _, node := range e.nodes {
		err = errors.Join(err, node.Stop(ctx))
	}
	for _, r := range e.redis {
		err = errors.Join(err, r.Stop(ctx))
	}
	return err
}
