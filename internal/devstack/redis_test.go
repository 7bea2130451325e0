package devstack

import (
	"context"
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/internal/waittest"
)

// TestRedisSurvivesACrash verifies that a server keeps what it has acknowledged.
func TestRedisSurvivesACrash(t *testing.T) {
	t.Parallel()
	r, err := StartRedis(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stopRedis(t, r)
	if _, err := r.command(t.Context(), "SET key kept"); err != nil {
		t.Fatal(err)
	}
	if err := r.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r.ready(t.Context()) {
		t.Error("the server answers after it was killed")
	}
	if err := r.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if reply, err := r.command(t.Context(), "GET key"); err != nil || !strings.Contains(reply, "kept") {
		t.Errorf("got %q, %v, want the value that was set before the crash", reply, err)
	}
}

// TestRedisSentinel verifies that a replica becomes the master after the master was killed.
func TestRedisSentinel(t *testing.T) {
	t.Parallel()
	master, err := StartRedis(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stopRedis(t, master)
	replica, err := StartRedisReplica(t.Context(), master)
	if err != nil {
		t.Fatal(err)
	}
	stopRedis(t, replica)
	sentinel, err := StartRedisSentinel(t.Context(), master)
	if err != nil {
		t.Fatal(err)
	}
	stopRedis(t, sentinel)
	await(t, "the sentinel knows the replica", sentinel, "SENTINEL REPLICAS "+RedisMaster, replica.Address())
	if err := master.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, "the replica is the master", replica, "ROLE", "master")
}

// await waits until a server's reply to a command contains a text.
func await(t *testing.T, what string, r *Redis, command, text string) {
	t.Helper()
	waittest.Until(t, what, func() bool {
		reply, err := r.command(t.Context(), command)
		return err == nil && strings.Contains(reply, text)
	}, r.server.log)
}

func stopRedis(t *testing.T, r *Redis) {
	t.Helper()
	t.Cleanup(func() {
		if err := r.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
