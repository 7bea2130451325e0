package main

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// gate is a proxy before Centrifugo that blocks publications until it is opened.
type gate struct {
	apiURL  string
	reached chan struct{} // closed when the first publication arrives
	open    func()
}

func newGate(t testing.TB, c *devstack.Centrifugo) *gate {
	t.Helper()
	target, err := url.Parse(c.APIURL())
	if err != nil {
		t.Fatal(err)
	}
	path := target.Path
	target.Path = ""
	opened, reached := make(chan struct{}), make(chan struct{})
	reach := sync.OnceFunc(func() { close(reached) })
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if bytes.Contains(body, []byte(`"broadcast"`)) {
			reach()
			select {
			case <-opened:
			case <-r.Context().Done():
				return
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	open := sync.OnceFunc(func() { close(opened) })
	t.Cleanup(open) // before the server closes, which waits for its requests
	return &gate{server.URL + path, reached, open}
}

func (g *gate) await(t testing.TB) {
	t.Helper()
	select {
	case <-g.reached:
	case <-time.After(timeout):
		t.Fatalf("no publication within %v", timeout)
	}
}

// TestStopFinishesBatch stops a worker during a batch.
func TestStopFinishesBatch(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	w, g := newWorld(t, db), newGate(t, centrifugo)
	events := w.listen(t, centrifugo)
	environ := environment(db, centrifugo)
	environ["FANFARE_CENTRIFUGO_API_URL"] = g.apiURL
	d := startWorker(t, environ)
	recorded := w.record(t)
	g.await(t)
	d.stop()
	d.says(t, "stopping: finishing work in progress")
	select {
	case code := <-d.ended:
		t.Fatalf("the worker ended, with %d, before its batch:\n%s", code, d.log)
	default:
	}
	g.open()
	if code := d.finish(t); code != exitOK {
		t.Errorf("got exit code %d, want 0\n%s", code, d.log)
	}
	if got := next(t, events, d).EventID; got != recorded.ID {
		t.Errorf("got event %s, want %s", got, recorded.ID)
	}
	if got := w.pending(t); got != 0 {
		t.Errorf("got %d activities pending after the stop, want 0", got)
	}
}

// TestSignals sends SIGTERM to a process twice: the first one stops it gracefully, the second one
// terminates it.
func TestSignals(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	w, g := newWorld(t, db), newGate(t, centrifugo)
	environ := environment(db, centrifugo)
	environ["FANFARE_CENTRIFUGO_API_URL"] = g.apiURL
	environ["FANFARE_PUBLISH_TIMEOUT"] = "15s"
	environ[asProgram] = "1"
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	log := new(logged)
	command := exec.Command(binary, "worker")
	command.Env, command.Stdout, command.Stderr = entries(environ), log, log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	t.Cleanup(func() { _ = command.Process.Kill() })

	w.record(t)
	g.await(t)
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waittest.Until(t, "the worker begins to stop", func() bool { return log.line("stopping: finishing") != "" }, log)
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err = <-ended:
	case <-time.After(timeout):
		t.Fatalf("the process still runs %v after two signals\n%s", timeout, log)
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("got %v, want it terminated by the second signal\n%s", err, log)
	}
	waittest.Until(t, "the activity is still in the outbox", func() bool { return w.pending(t) == 1 }, log)
}
