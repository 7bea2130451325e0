package centrifugo_test

import (
	"bufio"
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/deploy"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/centrifugotest"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// TestEngines publishes by one node and reads the history by another, with each of the engines of
// deploy/centrifugo/engines.
func TestEngines(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(t *testing.T) map[string]string{
		"redis": func(t *testing.T) map[string]string {
			t.Helper()
			r := startRedis(t, devstack.StartRedis)
			return map[string]string{"_ADDRESS": r.URL(), "_PASSWORD": r.Password()}
		},
		"redis-sharded": func(t *testing.T) map[string]string {
			t.Helper()
			a, b := startRedis(t, devstack.StartRedis), startRedis(t, devstack.StartRedis)
			return map[string]string{"_ADDRESS": a.URL() + " " + b.URL(), "_PASSWORD": ""}
		},
		"redis-cluster": func(t *testing.T) map[string]string {
			t.Helper()
			nodes, err := devstack.StartRedisCluster(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, node := range nodes {
				stopAfter(t, node)
			}
			return map[string]string{
				"_ADDRESS":  nodes[0].Address() + "," + nodes[1].Address(),
				"_PASSWORD": nodes[0].Password(),
			}
		},
		"redis-sentinel": func(t *testing.T) map[string]string {
			t.Helper()
			master := startRedis(t, devstack.StartRedis)
			sentinel := startRedis(t, func(ctx context.Context) (*devstack.Redis, error) {
				return devstack.StartRedisSentinel(ctx, master)
			})
			return map[string]string{
				"_ADDRESS": sentinel.Address(), "_PASSWORD": master.Password(), "_NAME": devstack.RedisMaster,
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			values := start(t)
			nodes := make([]*devstack.Centrifugo, 2)
			for i := range nodes {
				nodes[i] = startNode(t, name, values)
			}
			const channel = "tenant:engines"
			writer, reader := centrifugotest.Client(t, nodes[0]), centrifugotest.Client(t, nodes[1])
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			for _, text := range []string{`{"n":1}`, `{"n":2}`} {
				b := centrifugo.Broadcast{Channels: []string{channel}, Data: []byte(text)}
				if err := writer.Publish(ctx, []centrifugo.Broadcast{b})[0].Err; err != nil {
					t.Fatal(err)
				}
			}
			top, err := reader.Top(ctx, channel)
			if err != nil {
				t.Fatal(err)
			}
			publications, _, err := reader.History(ctx, channel, centrifugo.Position{Epoch: top.Epoch}, 10)
			if err != nil {
				t.Fatal(err)
			}
			if len(publications) != 2 || string(publications[1].Data) != `{"n":2}` {
				t.Errorf("the other node has %d publications, want 2: %v", len(publications), publications)
			}
		})
	}
}

// nodesKey is the API key of the nodes, which a client of several of them sends to each.
const nodesKey = "key-of-all-nodes"

// startNode starts a node of a Centrifugo with an engine of deploy/centrifugo/engines.
func startNode(t *testing.T, engine string, values map[string]string) *devstack.Centrifugo {
	t.Helper()
	binary, err := devstack.FindCentrifugo("")
	if err != nil {
		t.Fatal(err)
	}
	version, err := devstack.CentrifugoVersion(binary)
	if err != nil {
		t.Fatal(err)
	}
	environment, err := deploy.CentrifugoEngine(engine, version.Major, values)
	if err != nil {
		t.Fatal(err)
	}
	return centrifugotest.Start(t, devstack.CentrifugoOptions{Environment: environment, APIKey: nodesKey})
}

// TestPublishSpreadsOverNodes publishes wide audiences to two nodes on one Redis. Both take part
// once they know each other, and the first channel of each broadcast has the message once.
func TestPublishSpreadsOverNodes(t *testing.T) {
	t.Parallel()
	r := startRedis(t, devstack.StartRedis)
	values := map[string]string{"_ADDRESS": r.URL(), "_PASSWORD": r.Password()}
	nodes := []*devstack.Centrifugo{startNode(t, "redis", values), startNode(t, "redis", values)}
	client := connect(t, centrifugo.Options{
		APIURL: nodes[0].APIURLs() + "," + nodes[1].APIURLs(), APIKey: nodesKey, AudienceSize: 100,
	})
	waittest.Until(t, "both nodes get a part of the broadcasts", func() bool {
		client.Check(t.Context(), "user")
		broadcasts := wide()
		wantAccepted(t, client.Publish(t.Context(), broadcasts))
		for _, b := range broadcasts {
			top, err := client.Top(t.Context(), b.Channels[0])
			if err != nil || top.Offset != 1 {
				t.Fatalf("%s: got %+v and %v, want one message", b.Channels[0], top, err)
			}
		}
		return broadcastsOf(t, nodes[0]) > 0 && broadcastsOf(t, nodes[1]) > 0
	})
}

// broadcastsOf returns the number of broadcasts that a node has been asked for.
func broadcastsOf(t *testing.T, node *devstack.Centrifugo) (count int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		strings.TrimSuffix(node.APIURL(), "/api")+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), "} ")
		if strings.HasPrefix(name, "centrifugo_api_command_duration_seconds_count") &&
			strings.Contains(name, "broadcast") {
			n, err := strconv.Atoi(value)
			if err != nil {
				t.Fatal(err)
			}
			count += n
		}
	}
	if lines.Err() != nil {
		t.Fatal(lines.Err())
	}
	return count
}

func startRedis(t *testing.T, start func(context.Context) (*devstack.Redis, error)) *devstack.Redis {
	t.Helper()
	r, err := start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stopAfter(t, r)
	return r
}

func stopAfter(t *testing.T, r *devstack.Redis) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := r.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}
