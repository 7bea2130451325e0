package acceptance

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/fanfarehq/fanfare/deploy"
	"github.com/fanfarehq/fanfare/internal/acceptance/apiclient"
	"github.com/fanfarehq/fanfare/internal/devstack"
)

// member is a process of a cluster that a run kills and starts again.
type member interface {
	Kill(ctx context.Context) error
	Restart(ctx context.Context) error
	Stop(ctx context.Context) error
	String() string
}

// ClusterServers are the processes of a cluster: nodes of Centrifugo that share two Redis, workers,
// and API servers, with balancers before the nodes and the API servers.
type ClusterServers struct {
	Redis   []*devstack.Redis
	Nodes   []*devstack.Centrifugo
	Workers []*devstack.Daemon
	Servers []*devstack.Daemon

	clients, api *devstack.Balancer
	issuer       apiclient.Issuer
	secret, key  string
	stops        []member
}

// Sizes of a cluster.
const (
	clusterRedis   = 2
	clusterNodes   = 3
	clusterWorkers = 2
	clusterServers = 2
)

// StartCluster starts the processes of a cluster on a database. program is the program fanfare.
func StartCluster(ctx context.Context, program, databaseURL string) (c *ClusterServers, err error) {
	c = &ClusterServers{
		issuer: apiclient.NewIssuer(), secret: rand.Text() + rand.Text(), key: rand.Text(),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Stop(context.WithoutCancel(ctx)))
		}
	}()
	for range clusterRedis {
		r, err := devstack.StartRedis(ctx)
		if err != nil {
			return c, err
		}
		c.Redis, c.stops = append(c.Redis, r), append(c.stops, r)
	}
	if err := c.startNodes(ctx); err != nil {
		return c, err
	}
	jwt := c.issuer.JWT()
	env := map[string]string{
		"FANFARE_DATABASE_URL":            databaseURL,
		"FANFARE_CENTRIFUGO_API_URL":      c.APIURLs(),
		"FANFARE_CENTRIFUGO_API_KEY":      c.key,
		"FANFARE_CENTRIFUGO_TOKEN_SECRET": c.secret,
		"FANFARE_CENTRIFUGO_WS_URL":       c.WebSocketURL(),
		"FANFARE_JWT_SECRET":              c.issuer.Secret,
		"FANFARE_JWT_ISSUER":              jwt.Issuer,
		"FANFARE_JWT_AUDIENCE":            jwt.Audience,
		"FANFARE_RATE_LIMIT":              "10000",
		"FANFARE_RATE_BURST":              "10000",
		"FANFARE_LOG_LEVEL":               "error",
	}
	start := func(command string) (*devstack.Daemon, error) {
		d, err := devstack.StartDaemon(ctx, devstack.DaemonOptions{
			Program: []string{program}, Command: command, Env: env,
		})
		if err == nil {
			c.stops = append(c.stops, d)
		}
		return d, err
	}
	for range clusterWorkers {
		d, err := start("worker")
		if err != nil {
			return c, err
		}
		c.Workers = append(c.Workers, d)
	}
	var backends []devstack.Backend
	for range clusterServers {
		d, err := start("serve")
		if err != nil {
			return c, err
		}
		c.Servers = append(c.Servers, d)
		backends = append(backends, devstack.Backend{Address: d.Address(), HealthURL: d.ReadyURL()})
	}
	c.api, err = devstack.StartBalancer(ctx, true, backends...)
	return c, err
}

func (c *ClusterServers) startNodes(ctx context.Context) error {
	binary, err := devstack.FindCentrifugo("")
	if err != nil {
		return err
	}
	version, err := devstack.CentrifugoVersion(binary)
	if err != nil {
		return err
	}
	addresses := make([]string, len(c.Redis))
	for i, r := range c.Redis {
		addresses[i] = r.URL()
	}
	engine, err := deploy.CentrifugoEngine("redis-sharded", version.Major, map[string]string{
		"_ADDRESS": strings.Join(addresses, " "), "_PASSWORD": "",
	})
	if err != nil {
		return err
	}
	var backends []devstack.Backend
	for range clusterNodes {
		node, err := devstack.StartCentrifugo(ctx, devstack.CentrifugoOptions{
			Binary: binary, Environment: engine, APIKey: c.key, TokenSecret: c.secret,
		})
		if err != nil {
			return err
		}
		c.Nodes, c.stops = append(c.Nodes, node), append(c.stops, node)
		backends = append(backends, devstack.Backend{Address: node.ClientAddress(), HealthURL: node.HealthURL()})
	}
	c.clients, err = devstack.StartBalancer(ctx, false, backends...)
	return err
}

// WebSocketURL returns the URL that clients connect to, at the balancer.
func (c *ClusterServers) WebSocketURL() string {
	return "ws://" + c.clients.Address() + "/connection/websocket"
}

// APIURLs returns the URLs of all nodes, separated by commas.
func (c *ClusterServers) APIURLs() string {
	urls := make([]string, len(c.Nodes))
	for i, node := range c.Nodes {
		urls[i] = node.APIURLs()
	}
	return strings.Join(urls, ",")
}

// APIKey returns the key of the nodes' API.
func (c *ClusterServers) APIKey() string { return c.key }

// TokenSecret returns the HMAC key of the clients' tokens.
func (c *ClusterServers) TokenSecret() string { return c.secret }

// Stop ends all processes, in the opposite order of their start.
func (c *ClusterServers) Stop(ctx context.Context) (err error) {
	for _, b := range []*devstack.Balancer{c.api, c.clients} {
		if b != nil {
			err = errors.Join(err, b.Stop(ctx))
		}
	}
	for i := len(c.stops) - 1; i >= 0; i-- {
		if stopErr := c.stops[i].Stop(ctx); stopErr != nil {
			err = errors.Join(err, fmt.Errorf("%v: %w", c.stops[i], stopErr))
		}
	}
	return err
}
