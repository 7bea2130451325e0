package devstack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// startTimeout bounds how long a server may take until it answers.
const startTimeout = time.Minute

// PostgresOptions says what cluster to run. The zero value is a cluster for
// tests: fast, and lost if the machine goes down.
type PostgresOptions struct {
	// BinDir is the directory that holds initdb and postgres. When empty they
	// are looked for on PATH and in the usual places.
	BinDir string
	// Durable makes commits outlive the machine's crash, as in production. They
	// outlive the server's in any case.
	Durable bool
	// Settings are added to the configuration and win over the defaults.
	Settings map[string]string
	// Output gets the server's log. The end of it is in the error when a start
	// fails, with or without Output.
	Output io.Writer
}

// Postgres is a cluster of its own with one superuser, "postgres", and the
// database "postgres". Its methods are safe for concurrent use.
type Postgres struct {
	bin      string
	account  *account
	dir      *workdir
	port     int
	password string
	settings map[string]string
	log      *tail

	mu      sync.Mutex
	server  *process // nil when it is down
	stopped bool
}

// StartPostgres makes a new cluster and returns once it takes connections.
// ctx bounds the start only; the cluster runs until Stop. As root it runs
// under another account. When no PostgreSQL is installed the error is
// ErrNoPostgres.
func StartPostgres(ctx context.Context, options PostgresOptions) (*Postgres, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	bin, err := findPostgres(ctx, options.BinDir)
	if err != nil {
		return nil, err
	}
	as, err := serverAccount()
	if err != nil {
		return nil, err
	}
	dir, err := newWorkdir(options.Durable)
	if err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	p := &Postgres{
		bin:      bin,
		account:  as,
		dir:      dir,
		password: rand.Text(),
		settings: postgresSettings(options),
		log:      &tail{next: options.Output},
	}
	if err := p.initialize(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w", err), dir.remove())
	}
	if err := p.startSomewhere(ctx); err != nil {
		return nil, errors.Join(err, dir.remove())
	}
	return p, nil
}

func postgresSettings(options PostgresOptions) map[string]string {
	settings := map[string]string{
		"max_connections":           "200",
		"max_prepared_transactions": "20",
		"cluster_name":              "fanfare-devstack",
	}
	if !options.Durable {
		// Commits still reach the kernel, so they outlive Kill: synchronous_commit
		// stays on.
		settings["fsync"] = "off"
		settings["full_page_writes"] = "off"
		settings["max_wal_size"] = "256MB" // memory, perhaps
	}
	maps.Copy(settings, options.Settings)
	return settings
}

// URL returns how to reach the named database as the superuser. It holds the
// password.
func (p *Postgres) URL(database string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword("postgres", p.password),
		Host:     p.address(),
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// String names the server without its password.
func (p *Postgres) String() string { return "PostgreSQL at " + p.address() }

// Kill takes the server down at once, as a crash would: connections break and
// nothing is flushed. Restart brings it back with what was committed.
func (p *Postgres) Kill(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shutdown(ctx, syscall.SIGQUIT)
}

// Restart takes the server down, unless it is down already, and starts it
// again on the same port. It returns once the server takes connections.
func (p *Postgres) Restart(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return errors.New("restart PostgreSQL: it was stopped for good")
	}
	if err := p.shutdown(ctx, syscall.SIGINT, syscall.SIGQUIT); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := p.start(ctx)
		if err == nil || !p.portTaken() || ctx.Err() != nil {
			return err
		}
	}
}

// Stop ends the server and removes the cluster. Sessions are broken off. Stop
// on a stopped one does nothing.
func (p *Postgres) Stop(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return nil
	}
	p.stopped = true
	err := p.shutdown(ctx, syscall.SIGINT, syscall.SIGQUIT)
	return errors.Join(err, p.dir.remove())
}

func (p *Postgres) shutdown(ctx context.Context, signals ...syscall.Signal) error {
	if p.server == nil {
		return nil
	}
	if err := p.server.end(ctx, signals...); err != nil {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	p.server = nil
	return nil
}

// initialize makes the cluster's files. UTF-8 with C.UTF-8 rules where the
// system has them, with C rules elsewhere.
func (p *Postgres) initialize(ctx context.Context) error {
	secret := p.dir.join("password")
	if err := os.WriteFile(secret, []byte(p.password), 0o600); err != nil {
		return err
	}
	defer func() { _ = os.Remove(secret) }()
	if err := p.account.own(secret); err != nil {
		return err
	}
	var err error
	for _, locale := range []string{"C.UTF-8", "C"} {
		if err = p.initdb(ctx, locale, secret); err == nil || ctx.Err() != nil {
			break
		}
	}
	return err
}

func (p *Postgres) initdb(ctx context.Context, locale, passwordFile string) error {
	data := p.data()
	if err := os.RemoveAll(data); err != nil {
		return err
	}
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	if err := p.account.own(data); err != nil {
		return err
	}
	said := new(tail)
	cmd := p.command("initdb",
		"--pgdata="+data, "--username=postgres", "--encoding=UTF8", "--locale="+locale,
		"--auth=scram-sha-256", "--pwfile="+passwordFile, "--no-sync", "--no-instructions")
	cmd.Stdout, cmd.Stderr = said, said
	child, err := startProcess(cmd, p.account, syscall.SIGTERM)
	if err != nil {
		return err
	}
	if err := child.wait(ctx); err != nil {
		return fmt.Errorf("%w\n%s", err, said)
	}
	return nil
}

// startSomewhere chooses a port and starts the server on it, again if another
// process took the port in between.
func (p *Postgres) startSomewhere(ctx context.Context) error {
	for {
		port, err := freePort()
		if err != nil {
			return err
		}
		p.port = port
		err = p.start(ctx)
		if err == nil || !p.portTaken() || ctx.Err() != nil {
			return err
		}
	}
}

// start starts the server on p.port and waits until it takes connections.
func (p *Postgres) start(ctx context.Context) error {
	args := []string{
		"-D", p.data(),
		"-c", "port=" + strconv.Itoa(p.port),
		"-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=",
	}
	for _, name := range slices.Sorted(maps.Keys(p.settings)) {
		args = append(args, "-c", name+"="+p.settings[name])
	}
	p.log.reset()
	cmd := p.command("postgres", args...)
	cmd.Stdout, cmd.Stderr = p.log, p.log
	server, err := startProcess(cmd, p.account, syscall.SIGQUIT)
	if err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	if err := p.awaitReady(ctx, server); err != nil {
		err = fmt.Errorf("start PostgreSQL: %w\n%s", err, p.log)
		return errors.Join(err, server.end(ctx, syscall.SIGQUIT))
	}
	p.server = server
	return nil
}

// awaitReady waits for the state that the server writes on the eighth line of
// postmaster.pid, below its process id on the first, as pg_ctl does.
func (p *Postgres) awaitReady(ctx context.Context, server *process) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-server.done:
			return fmt.Errorf("it ended: %w", server.err)
		case <-tick.C:
		}
		content, err := os.ReadFile(filepath.Join(p.data(), "postmaster.pid"))
		if err != nil {
			continue
		}
		lines := strings.Split(string(content), "\n")
		if len(lines) >= 8 && lines[0] == strconv.Itoa(server.cmd.Process.Pid) && strings.TrimSpace(lines[7]) == "ready" {
			return nil
		}
	}
}

func (p *Postgres) portTaken() bool {
	return strings.Contains(p.log.String(), "Address already in use")
}

// command runs one of PostgreSQL's programs with nothing of the caller's
// environment that could sway it. Its time zone is UTC.
func (p *Postgres) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.bin, name), args...)
	cmd.Dir = p.dir.path
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	return cmd
}

func (p *Postgres) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)) }
func (p *Postgres) data() string    { return p.dir.join("data") }
