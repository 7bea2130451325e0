package devstack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// pgBouncerVariable is the environment variable with the path of the program.
const pgBouncerVariable = "FANFARE_PGBOUNCER_BIN"

// ErrNoPgBouncer means that no pgbouncer was found.
var ErrNoPgBouncer = errors.New("no pgbouncer on PATH or in /usr/sbin: .ci/ensure pgbouncer installs it, " +
	pgBouncerVariable + " names another one")

// PgBouncerOptions describe a pooler.
type PgBouncerOptions struct {
	Users    map[string]string // passwords of roles besides the superuser, by name
	Settings map[string]string // of the section pgbouncer; they override the defaults, as pool_mode=transaction
}

// PgBouncer is a pooler of connections before a cluster, in transaction mode.
type PgBouncer struct {
	binary  string
	port    int
	cluster *Postgres
	options PgBouncerOptions
	server  *server
}

// StartPgBouncer returns when the pooler accepts connections. ctx limits the start only; the pooler
// runs until Stop.
func (p *Postgres) StartPgBouncer(ctx context.Context, options PgBouncerOptions) (*PgBouncer, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	b := &PgBouncer{cluster: p, options: options}
	var err error
	if b.binary, err = findPgBouncer(); err != nil {
		return nil, err
	}
	dir, err := newWorkdir(true)
	if err != nil {
		return nil, fmt.Errorf("start PgBouncer: %w", err)
	}
	b.server = &server{
		name:        "PgBouncer",
		dir:         dir,
		log:         &tail{},
		as:          p.server.as, // it does not run as root either
		command:     func() *exec.Cmd { return exec.Command(b.binary, b.file("pgbouncer.ini")) },
		ready:       func(ctx context.Context, _ int) bool { return accepts(ctx, local(b.port)) },
		stopSignals: []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}, // the second one is immediate
		crashSignal: syscall.SIGKILL,
	}
	if err := b.server.startOnFreePorts(ctx, b.configure); err != nil {
		return nil, errors.Join(err, dir.remove())
	}
	return b, nil
}

func findPgBouncer() (string, error) {
	for _, name := range []string{cmp.Or(os.Getenv(pgBouncerVariable), "pgbouncer"), "/usr/sbin/pgbouncer"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNoPgBouncer
}

// PgBouncerMinor returns the minor version of the program that StartPgBouncer starts: 21 of 1.21.
func PgBouncerMinor(ctx context.Context) (int, error) {
	binary, err := findPgBouncer()
	if err != nil {
		return 0, err
	}
	out, err := exec.CommandContext(ctx, binary, "--version").Output()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", binary, err)
	}
	match := regexp.MustCompile(`PgBouncer 1\.(\d+)`).FindSubmatch(out)
	if match == nil {
		return 0, fmt.Errorf("%s: unknown version %q", binary, out)
	}
	return strconv.Atoi(string(match[1]))
}

// Through returns a connection URL of the cluster that leads through the pooler.
func (b *PgBouncer) Through(connection string) (string, error) {
	u, err := url.Parse(connection)
	if err != nil {
		return "", errors.New("the URL of the cluster does not parse")
	}
	u.Host = local(b.port)
	return u.String(), nil
}

// String returns the pooler's address.
func (b *PgBouncer) String() string { return "PgBouncer at " + local(b.port) }

// Stop closes all connections, stops the pooler and removes its files. Further calls do nothing.
func (b *PgBouncer) Stop(ctx context.Context) error { return b.server.stop(ctx) }

func (b *PgBouncer) file(name string) string { return b.server.dir.join(name) }

// configure selects a port, and writes the configuration and the passwords, which only the account
// of the server can read.
func (b *PgBouncer) configure() (err error) {
	if b.port, err = b.server.ports.port(); err != nil {
		return err
	}
	settings := map[string]string{
		"listen_addr": "127.0.0.1", "listen_port": strconv.Itoa(b.port), "unix_socket_dir": "",
		"auth_type": "scram-sha-256", "auth_file": b.file("users.txt"),
		"pool_mode": "transaction", "max_client_conn": "300", "default_pool_size": "20",
	}
	maps.Copy(settings, b.options.Settings)
	lines := []string{
		"[databases]", "* = host=127.0.0.1 port=" + strconv.Itoa(b.cluster.port), "[pgbouncer]",
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		lines = append(lines, name+" = "+settings[name])
	}
	users := []string{quoted("postgres", b.cluster.password)}
	for _, name := range slices.Sorted(maps.Keys(b.options.Users)) {
		users = append(users, quoted(name, b.options.Users[name]))
	}
	return errors.Join(b.write("pgbouncer.ini", lines), b.write("users.txt", users))
}

// quoted returns a line of the file of passwords.
func quoted(name, password string) string { return fmt.Sprintf("%q %q", name, password) }

func (b *PgBouncer) write(name string, lines []string) error {
	err := os.WriteFile(b.file(name), []byte(strings.Join(lines, "\n")+"\n"), 0o600)
	return errors.Join(err, b.server.as.own(b.file(name)))
}
