package main

import (
	"bytes"
	"context"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/centrifugotest"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// timeout limits each wait of a test.
const timeout = 30 * time.Second

// asProgram is the environment variable that makes the test's binary run main.
const asProgram = "FANFARE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main() // exits
	}
	pgtest.Main(m)
}

// result is the result of a command line.
type result struct {
	code           int
	stdout, stderr string
}

// fanfare runs a command line with an environment.
func fanfare(t testing.TB, environ map[string]string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, args, process{stdout: &stdout, stderr: &stderr, environ: entries(environ)})
	return result{code, stdout.String(), stderr.String()}
}

// must runs a command line that must succeed, and returns its standard output.
func must(t testing.TB, environ map[string]string, args ...string) string {
	t.Helper()
	r := fanfare(t, environ, args...)
	if r.code != exitOK {
		t.Fatalf("fanfare %s: got exit code %d, want 0\n%s", strings.Join(args, " "), r.code, r.stderr)
	}
	return r.stdout
}

func entries(environ map[string]string) []string {
	list := make([]string, 0, len(environ))
	for _, name := range slices.Sorted(maps.Keys(environ)) {
		list = append(list, name+"="+environ[name])
	}
	return list
}

// daemonUnderTest is a running fanfare worker, serve or run.
type daemonUnderTest struct {
	log   *logged
	stop  context.CancelFunc
	ended chan int
}

// startWorker runs fanfare worker until the test ends or stops it. Its log is JSON.
func startWorker(t testing.TB, environ map[string]string, args ...string) *daemonUnderTest {
	t.Helper()
	return startDaemon(t, environ, append([]string{"worker"}, args...)...)
}

// startDaemon runs a command line until the test ends or stops it.
func startDaemon(t testing.TB, environ map[string]string, args ...string) *daemonUnderTest {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	d := &daemonUnderTest{log: new(logged), stop: cancel, ended: make(chan int, 1)}
	go func() { d.ended <- run(ctx, args, process{stdout: d.log, stderr: d.log, environ: entries(environ)}) }()
	t.Cleanup(func() { d.finish(t) })
	return d
}

// finish stops the daemon as a signal would and returns its exit code.
func (d *daemonUnderTest) finish(t testing.TB) int {
	t.Helper()
	d.stop()
	select {
	case code := <-d.ended:
		d.ended <- code // for the next call
		return code
	case <-time.After(timeout):
		t.Fatalf("the daemon still runs %v after the stop\n%s", timeout, d.log)
		panic("unreachable")
	}
}

// says waits until a line of the log contains all of the words.
func (d *daemonUnderTest) says(t testing.TB, words ...string) {
	t.Helper()
	condition := func() bool { return d.log.line(words...) != "" }
	waittest.Until(t, "the log says "+strings.Join(words, " … "), condition, d.log)
}

// logged is a log that can be read while it is written.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// line returns the first line that contains all of the words, or "".
func (l *logged) line(words ...string) string {
	for line := range strings.Lines(l.String()) {
		if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(line, word) }) {
			return line
		}
	}
	return ""
}

func startCentrifugo(t testing.TB) *devstack.Centrifugo {
	t.Helper()
	return centrifugotest.Start(t, devstack.CentrifugoOptions{})
}

// environment returns the environment of a daemon for these servers.
func environment(db *pgtest.DB, c *devstack.Centrifugo) map[string]string {
	return map[string]string{
		"FANFARE_DATABASE_URL":            db.URL,
		"FANFARE_CENTRIFUGO_API_URL":      c.APIURLs(),
		"FANFARE_CENTRIFUGO_API_KEY":      c.APIKey(),
		"FANFARE_CENTRIFUGO_WS_URL":       c.WebSocketURL(),
		"FANFARE_CENTRIFUGO_TOKEN_SECRET": c.TokenSecret(),
		"FANFARE_JWT_SECRET":              jwtKey,
		"FANFARE_JWT_ISSUER":              jwtIssuerName,
		"FANFARE_JWT_AUDIENCE":            jwtAudienceName,
		"FANFARE_LISTEN":                  "127.0.0.1:0",
		"FANFARE_METRICS_LISTEN":          "127.0.0.1:0",
	}
}
