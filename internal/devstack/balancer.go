package devstack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// ErrNoBalancer means that no haproxy was found.
var ErrNoBalancer = errors.New("no haproxy on PATH; .ci/ensure balancer installs it")

// Backend is a server behind a balancer.
type Backend struct {
	Address   string // host:port
	HealthURL string // answers 200 while the server can take connections
}

// Balancer is an HAProxy that spreads the connections of one port over servers. It takes a server
// out within a second after it fails, and ends its connections.
type Balancer struct {
	binary   string
	port     int
	http     bool
	backends []Backend
	server   *server
}

// StartBalancer returns when the balancer accepts connections. With http it balances requests, and
// otherwise connections. ctx limits the start only; the balancer runs until Stop.
func StartBalancer(ctx context.Context, http bool, backends ...Backend) (*Balancer, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	b := &Balancer{http: http, backends: backends}
	var err error
	if b.binary, err = exec.LookPath("haproxy"); err != nil {
		b.binary = "/usr/sbin/haproxy"
		if _, err := os.Stat(b.binary); err != nil {
			return nil, ErrNoBalancer
		}
	}
	dir, err := newWorkdir(true)
	if err != nil {
		return nil, fmt.Errorf("start HAProxy: %w", err)
	}
	b.server = &server{
		name:        "HAProxy",
		dir:         dir,
		log:         &tail{},
		command:     b.serve,
		ready:       func(ctx context.Context, _ int) bool { return accepts(ctx, b.Address()) },
		stopSignals: []syscall.Signal{syscall.SIGTERM},
		crashSignal: syscall.SIGKILL,
	}
	if err := b.server.startOnFreePorts(ctx, b.configure); err != nil {
		return nil, errors.Join(err, dir.remove())
	}
	return b, nil
}

// Address returns the balancer's host and port.
func (b *Balancer) Address() string { return local(b.port) }

// String returns the balancer's address.
func (b *Balancer) String() string { return "HAProxy at " + b.Address() }

// Stop stops the balancer and removes its files. Further calls do nothing.
func (b *Balancer) Stop(ctx context.Context) error { return b.server.stop(ctx) }

func (b *Balancer) configure() (err error) {
	if b.port, err = b.server.ports.port(); err != nil {
		return err
	}
	mode := "tcp"
	if b.http {
		mode = "http"
	}
	var config strings.Builder
	fmt.Fprintf(&config, `global
	maxconn 4000
defaults
	mode %s
	timeout connect 2s
	timeout client 1h
	timeout server 1h
	retries 3
	option redispatch
	default-server check inter 300ms fall 2 rise 1 on-marked-down shutdown-sessions
listen fanfare
	bind %s
	balance leastconn
`, mode, b.Address())
	for i, backend := range b.backends {
		address, path, _ := strings.Cut(strings.TrimPrefix(backend.HealthURL, "http://"), "/")
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return fmt.Errorf("health URL %q: %w", backend.HealthURL, err)
		}
		if i == 0 {
			fmt.Fprintf(&config, "\toption httpchk GET /%s\n", path)
		}
		fmt.Fprintf(&config, "\tserver s%d %s port %s\n", i, backend.Address, port)
	}
	return os.WriteFile(b.configFile(), []byte(config.String()), 0o600)
}

func (b *Balancer) configFile() string { return b.server.dir.join("haproxy.cfg") }

func (b *Balancer) serve() *exec.Cmd { return exec.Command(b.binary, "-db", "-f", b.configFile()) }

// accepts reports whether a server accepts connections.
func accepts(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}
