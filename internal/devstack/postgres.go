package devstack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// PostgresOptions describe a cluster. The zero value selects a cluster for tests: fast, and lost if
// the machine fails.
type PostgresOptions struct {
	// BinDir is the directory of initdb and postgres. If it is empty, FindPostgres searches for it.
	BinDir string
	// Durable makes commits survive a crash of the machine, as in production. They survive a crash
	// of the server in any case.
	Durable bool
	// Settings are added to the configuration and override the defaults.
	Settings map[string]string
	// Files are written into the data directory before the start, by name: pg_hba.conf, and
	// certificates that Settings name.
	Files map[string]string
	// Output receives the server's log. The error of a failed start contains the end of the log
	// in any case.
	Output io.Writer
}

// Postgres is a cluster with the superuser "postgres" and the database "postgres". Its methods are
// safe for concurrent use.
type Postgres struct {
	bin      string
	port     int
	password string
	settings map[string]string
	server   *server
}

// StartPostgres creates a cluster and returns when it accepts connections. ctx limits the start
// only; the cluster runs until Stop. For root it runs as another account. If no PostgreSQL is
// installed, the error is ErrNoPostgres.
func StartPostgres(ctx context.Context, options PostgresOptions) (*Postgres, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	bin, err := FindPostgres(ctx, options.BinDir)
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
	p := &Postgres{bin: bin, password: rand.Text(), settings: postgresSettings(options)}
	p.server = &server{
		name:        "PostgreSQL",
		dir:         dir,
		log:         &tail{next: options.Output},
		as:          as,
		command:     p.serve,
		ready:       p.ready,
		stopSignals: []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT}, // fast, immediate
		crashSignal: syscall.SIGQUIT,
	}
	if err := p.initialize(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w", err), dir.remove())
	}
	for name, content := range options.Files {
		if err := p.writeFile(name, content); err != nil {
			return nil, errors.Join(fmt.Errorf("start PostgreSQL: %w", err), dir.remove())
		}
	}
	if err := p.server.startOnFreePorts(ctx, p.choosePort); err != nil {
		return nil, errors.Join(err, dir.remove())
	}
	return p, nil
}

// URL returns the superuser's URL of a database. It contains the password.
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

// String returns the server's address, without the password.
func (p *Postgres) String() string { return "PostgreSQL at " + p.address() }

// Kill ends the server immediately, like a crash: connections are closed and nothing is flushed.
// Restart recovers what was committed.
func (p *Postgres) Kill(ctx context.Context) error { return p.server.crash(ctx) }

// Restart stops the server, if it runs, and starts it on the same port. It returns when the server
// accepts connections.
func (p *Postgres) Restart(ctx context.Context) error { return p.server.restart(ctx) }

// Stop closes all sessions, stops the server and removes the cluster. Further calls do nothing.
func (p *Postgres) Stop(ctx context.Context) error { return p.server.stop(ctx) }

func postgresSettings(options PostgresOptions) map[string]string {
	settings := map[string]string{
		"max_connections":           "200",
		"max_prepared_transactions": "20",
		"cluster_name":              "fanfare-devstack",
	}
	if !options.Durable {
		// Commits still reach the kernel and survive Kill: synchronous_commit stays on.
		settings["fsync"] = "off"
		settings["full_page_writes"] = "off"
		settings["max_wal_size"] = "256MB" // the files may be in memory
	}
	maps.Copy(settings, options.Settings)
	return settings
}

// initialize creates the cluster's files. The encoding is UTF-8, the locale C.UTF-8 if the system
// has it, else C.
func (p *Postgres) initialize(ctx context.Context) error {
	secret := p.server.dir.join("password")
	if err := os.WriteFile(secret, []byte(p.password), 0o600); err != nil {
		return err
	}
	defer func() { _ = os.Remove(secret) }()
	if err := p.server.as.own(secret); err != nil {
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
	if err := p.server.as.own(data); err != nil {
		return err
	}
	output := new(tail)
	cmd := p.command("initdb",
		"--pgdata="+data, "--username=postgres", "--encoding=UTF8", "--locale="+locale,
		"--auth=scram-sha-256", "--pwfile="+passwordFile, "--no-sync", "--no-instructions")
	cmd.Stdout, cmd.Stderr = output, output
	child, err := startProcess(cmd, p.server.as, syscall.SIGTERM)
	if err != nil {
		return err
	}
	if err := child.wait(ctx); err != nil {
		return fmt.Errorf("%w\n%s", err, output)
	}
	return nil
}

func (p *Postgres) choosePort() (err error) {
	p.port, err = p.server.ports.port()
	return err
}

func (p *Postgres) serve() *exec.Cmd {
	args := []string{
		"-D", p.data(),
		"-c", "port=" + strconv.Itoa(p.port),
		"-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=",
	}
	for _, name := range slices.Sorted(maps.Keys(p.settings)) {
		args = append(args, "-c", name+"="+p.settings[name])
	}
	return p.command("postgres", args...)
}

// ready reads the process id in the first line of postmaster.pid and the state in the eighth, as
// pg_ctl does.
func (p *Postgres) ready(_ context.Context, pid int) bool {
	content, err := os.ReadFile(filepath.Join(p.data(), "postmaster.pid"))
	if err != nil {
		return false
	}
	lines := strings.Split(string(content), "\n")
	return len(lines) >= 8 && lines[0] == strconv.Itoa(pid) && strings.TrimSpace(lines[7]) == "ready"
}

// command returns a command of one of PostgreSQL's programs, which inherits only PATH from the
// environment. Its time zone is UTC.
func (p *Postgres) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.bin, name), args...)
	cmd.Dir = p.server.dir.path
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	return cmd
}

func (p *Postgres) address() string { return local(p.port) }
func (p *Postgres) data() string    { return p.server.dir.join("data") }
