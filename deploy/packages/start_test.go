package packages_test

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/centrifugotest"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

const timeout = 30 * time.Second

// log is what a process prints.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

var metricsAddress = regexp.MustCompile(`"serving metrics and health".*"address":"([^"]+)"`)

// starts migrates an empty database with a program and runs its daemon, until it is ready. A signal
// must end it. The environment of the program is the settings alone.
func starts(t *testing.T, program ...string) {
	t.Helper()
	db, server := pgtest.NewEmpty(t), centrifugotest.Start(t, devstack.CentrifugoOptions{})
	settings := []string{
		"FANFARE_DATABASE_URL=" + db.URL, "FANFARE_CENTRIFUGO_API_URL=" + server.APIURLs(),
		"FANFARE_CENTRIFUGO_API_KEY=" + server.APIKey(), "FANFARE_CENTRIFUGO_TOKEN_SECRET=" + server.TokenSecret(),
		"FANFARE_CENTRIFUGO_WS_URL=" + server.WebSocketURL(),
		"FANFARE_LISTEN=127.0.0.1:0", "FANFARE_METRICS_LISTEN=127.0.0.1:0",
	}
	command := func(args ...string) *exec.Cmd {
		all := append(program[1:len(program):len(program)], args...)
		c := exec.CommandContext(t.Context(), program[0], all...)
		c.Env = settings
		return c
	}
	if text, err := command("migrate", "up").CombinedOutput(); err != nil {
		t.Fatalf("migrate up: %v\n%s", err, text)
	}
	printed := new(log)
	daemon := command("run")
	daemon.Stdout, daemon.Stderr = printed, printed
	daemon.Cancel = func() error { return daemon.Process.Signal(os.Kill) }
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- daemon.Wait() }()
	waittest.Until(t, "the daemon is ready", func() bool {
		found := metricsAddress.FindStringSubmatch(printed.String())
		return found != nil && status(t, "http://"+found[1]+"/readyz") == http.StatusOK
	}, printed)
	if err := daemon.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("after SIGTERM: %v\n%s", err, printed)
		}
	case <-time.After(timeout):
		t.Errorf("SIGTERM did not end the daemon within %v\n%s", timeout, printed)
	}
}

// status returns the status of an answer; 0 without one.
func status(t *testing.T, url string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		if errors.Is(err, syscall.ECONNREFUSED) {
			return 0
		}
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}

// lines returns the lines of a text without the empty ones.
func lines(text string) (all []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}
