package centrifugo_test

import (
	"context"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/deploy"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/centrifugotest"
	"github.com/fanfarehq/fanfare/internal/devstack"
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
				binary, err := devstack.FindCentrifugo("")
				if err != nil {
					t.Fatal(err)
				}
				version, err := devstack.CentrifugoVersion(binary)
				if err != nil {
					t.Fatal(err)
				}
				environment, err := deploy.CentrifugoEngine(name, version.Major, values)
				if err != nil {
					t.Fatal(err)
				}
				nodes[i] = centrifugotest.Start(t, devstack.CentrifugoOptions{Environment: environment})
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
