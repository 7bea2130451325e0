package devstack

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrNoRedis means that no redis-server is on PATH.
var ErrNoRedis = errors.New("no redis-server on PATH; .ci/ensure redis installs it")

// RedisMaster is the name by which a sentinel knows its master.
const RedisMaster = "fanfare"

// Redis is a server with a random password. It appends each command to a file, so that it keeps its
// data over a crash. Its methods are safe for concurrent use.
type Redis struct {
	binary   string
	port     int
	password string
	lines    []string // of its configuration, besides those that every server has
	sentinel bool
	server   *server
}

// StartRedis starts a server alone, and returns when it accepts commands. ctx limits the start
// only; the server runs until Stop.
func StartRedis(ctx context.Context) (*Redis, error) {
	return startRedis(ctx, &Redis{password: rand.Text()})
}

// StartRedisReplica starts a replica of a server.
func StartRedisReplica(ctx context.Context, of *Redis) (*Redis, error) {
	return startRedis(ctx, &Redis{password: of.password, lines: []string{
		"replicaof 127.0.0.1 " + strconv.Itoa(of.port), "masterauth " + of.password,
	}})
}

// StartRedisSentinel starts a sentinel that watches a master, which it calls RedisMaster, and makes
// a replica the master half a second after the master has failed.
func StartRedisSentinel(ctx context.Context, master *Redis) (*Redis, error) {
	return startRedis(ctx, &Redis{password: master.password, sentinel: true, lines: []string{
		fmt.Sprintf("sentinel monitor %s 127.0.0.1 %d 1", RedisMaster, master.port),
		"sentinel auth-pass " + RedisMaster + " " + master.password,
		"sentinel down-after-milliseconds " + RedisMaster + " 500",
		"sentinel failover-timeout " + RedisMaster + " 2000",
	}})
}

// StartRedisCluster starts the three masters of a Redis Cluster, and returns when they serve all
// slots.
func StartRedisCluster(ctx context.Context) (nodes []*Redis, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	defer func() {
		if err == nil {
			return
		}
		for _, node := range nodes {
			err = errors.Join(err, node.Stop(context.WithoutCancel(ctx)))
		}
		nodes = nil
	}()
	password := rand.Text()
	const slots, size = 16384, 3
	for i := range size {
		node, err := startRedis(ctx, &Redis{password: password, lines: []string{
			"cluster-enabled yes", "cluster-config-file nodes.conf", "cluster-node-timeout 2000",
		}})
		if err != nil {
			return nodes, err
		}
		nodes = append(nodes, node)
		mine := fmt.Sprintf("CLUSTER ADDSLOTSRANGE %d %d", i*slots/size, (i+1)*slots/size-1)
		meet := fmt.Sprintf("CLUSTER MEET 127.0.0.1 %d", nodes[0].port)
		if _, err := node.command(ctx, mine, meet); err != nil {
			return nodes, err
		}
	}
	for {
		err := joined(ctx, nodes)
		if err == nil {
			return nodes, nil
		}
		select {
		case <-ctx.Done():
			return nodes, fmt.Errorf("join a Redis Cluster: %w", errors.Join(ctx.Err(), err))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// joined returns why nodes of a Redis Cluster do not serve all slots; nil if they do.
func joined(ctx context.Context, nodes []*Redis) error {
	for _, node := range nodes {
		reply, err := node.command(ctx, "CLUSTER INFO")
		if err == nil && !strings.Contains(reply, "cluster_state:ok") {
			err = fmt.Errorf("%v says %q", node, reply)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func startRedis(ctx context.Context, r *Redis) (*Redis, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	var err error
	if r.binary, err = exec.LookPath("redis-server"); err != nil {
		return nil, ErrNoRedis
	}
	dir, err := newWorkdir(true)
	if err != nil {
		return nil, fmt.Errorf("start Redis: %w", err)
	}
	r.server = &server{
		name:        "Redis",
		dir:         dir,
		log:         &tail{},
		command:     r.serve,
		ready:       func(ctx context.Context, _ int) bool { return r.ready(ctx) },
		stopSignals: []syscall.Signal{syscall.SIGTERM},
		crashSignal: syscall.SIGKILL,
	}
	if err := r.server.startOnFreePorts(ctx, r.configure); err != nil {
		return nil, errors.Join(err, dir.remove())
	}
	return r, nil
}

// Address returns the server's host and port.
func (r *Redis) Address() string { return local(r.port) }

// Password returns the password of the default user.
func (r *Redis) Password() string { return r.password }

// URL returns the address with the password.
func (r *Redis) URL() string { return "redis://:" + r.password + "@" + r.Address() }

// String returns the server's address, without the password.
func (r *Redis) String() string { return "Redis at " + r.Address() }

// Kill ends the server by SIGKILL. Restart reads what it has written.
func (r *Redis) Kill(ctx context.Context) error { return r.server.crash(ctx) }

// Restart stops the server, if it runs, and starts it on the same port.
func (r *Redis) Restart(ctx context.Context) error { return r.server.restart(ctx) }

// Stop stops the server and removes its files. Further calls do nothing.
func (r *Redis) Stop(ctx context.Context) error { return r.server.stop(ctx) }

// configure selects a port and writes the configuration, which only this user can read. A sentinel
// and a node of a cluster write to theirs.
func (r *Redis) configure() (err error) {
	if r.port, err = r.server.ports.port(); err != nil {
		return err
	}
	lines := append([]string{
		"bind 127.0.0.1", "port " + strconv.Itoa(r.port), "requirepass " + r.password, "dir " + r.server.dir.path,
		"protected-mode no", "daemonize no",
	}, r.lines...)
	if !r.sentinel {
		lines = append(lines, `save ""`, "appendonly yes", "appendfsync everysec")
	}
	return os.WriteFile(r.configFile(), []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

func (r *Redis) configFile() string { return r.server.dir.join("redis.conf") }

func (r *Redis) serve() *exec.Cmd {
	args := []string{r.configFile()}
	if r.sentinel {
		args = append(args, "--sentinel")
	}
	return exec.Command(r.binary, args...)
}

// ready authenticates, so that another server on the port is not confused with this one.
func (r *Redis) ready(ctx context.Context) bool {
	_, err := r.command(ctx)
	return err == nil
}

// command sends commands between the password and a ping, and returns the replies as Redis sends
// them (https://redis.io/docs/latest/develop/reference/protocol-spec/#inline-commands).
func (r *Redis) command(ctx context.Context, commands ...string) (replies string, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", r.Address())
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return "", err
		}
	}
	all := append(append([]string{"AUTH " + r.password}, commands...), "PING")
	if _, err := conn.Write([]byte(strings.Join(all, "\r\n") + "\r\n")); err != nil {
		return "", err
	}
	var text strings.Builder
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "-") {
			return "", fmt.Errorf("%v: %s", r, line[1:])
		}
		if line == "+PONG" {
			return text.String(), nil
		}
		text.WriteString(line + "\n")
	}
	return "", fmt.Errorf("%v: the connection ended before the last reply", r)
}
