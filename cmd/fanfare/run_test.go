package main

import (
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// notifications is the answer of GET /notifications, with the fields that the tests use.
type notifications struct {
	Items []struct {
		Event struct {
			EventID uuid.UUID `json:"event_id"`
		} `json:"event"`
	} `json:"items"`
	UnreadCount int `json:"unread_count"`
}

// TestRun records activities and checks the inbox and the stream, before and after a restart.
func TestRun(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	w := newWorld(t, db)
	token := w.newToken(t)
	d := startDaemon(t, environment(db, centrifugo), "run", "--stream-tenants")
	stream := d.api(t).bearing(token).follow(t, "")
	var recorded []uuid.UUID
	for range 3 {
		recorded = append(recorded, w.record(t).ID)
	}
	for i, want := range recorded {
		if got := stream.activity(t, d); got != want {
			t.Errorf("event %d: got %s, want %s", i, got, want)
		}
	}
	owner := d.api(t).person(t, w, w.owner)
	var inbox notifications
	waittest.Until(t, "the owner has 3 notifications", func() bool {
		owner.do(t, http.MethodGet, "/notifications", "").read(t, &inbox)
		return inbox.UnreadCount == 3
	}, d.log)
	for i, item := range inbox.Items {
		if want := recorded[len(recorded)-1-i]; item.Event.EventID != want {
			t.Errorf("notification %d: got %s, want %s", i, item.Event.EventID, want)
		}
	}
	if got := d.api(t).do(t, http.MethodGet, "/nowhere", ""); got.status != http.StatusNotFound {
		t.Errorf("got status %d for an unknown path, want 404", got.status)
	}
	d.isReady(t, true)
	var metrics string
	waittest.Until(t, "the three activities and the token's are counted as delivered", func() bool {
		metrics = d.get(t, "/metrics").body
		return strings.Contains(metrics, "fanfare_delivery_latency_seconds_count 4\n")
	}, d.log)
	for _, want := range []string{
		"fanfare_stream_clients 1\n",
		`fanfare_api_requests_total{route="none",status="4xx"} 1` + "\n",
		`fanfare_api_requests_total{route="GET /v1/notifications",status="2xx"} `,
		`fanfare_api_request_duration_seconds_count{route="GET /v1/notifications"} `,
		"fanfare_notifications_total 3\n",
		`fanfare_dependency_up{dependency="postgres"} 1` + "\n",
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics lacks %q:\n%s", want, metrics)
		}
	}

	d.stop() // with the stream open
	if s, ok := stream.next(); !ok || s.event != "dropped" || !strings.Contains(s.data, "closing") {
		t.Errorf("at the stop: got %+v (%v) from the stream, want the reason of its end", s, ok)
	}
	if s, ok := stream.next(); ok {
		t.Errorf("after its end: got %+v from the stream", s)
	}
	if code := d.finish(t); code != exitOK {
		t.Errorf("got exit code %d, want 0\n%s", code, d.log)
	}
	if took := d.log.after(t, "stopping: finishing", "stopped"); took > soon {
		t.Errorf("the stop took %v, want at most %v", took, soon)
	}

	recorded = nil
	for range 3 {
		recorded = append(recorded, w.record(t).ID)
	}
	again := startDaemon(t, environment(db, centrifugo), "run", "--stream-tenants")
	stream = again.api(t).bearing(token).follow(t, stream.last)
	for range 3 {
		recorded = append(recorded, w.record(t).ID)
	}
	for i, want := range recorded {
		if got := stream.activity(t, again); got != want {
			t.Errorf("event %d after the restart: got %s, want %s", i, got, want)
		}
	}
}

// TestStreamThroughCrashes kills the process repeatedly while activities are recorded. The reader
// resumes the stream with its last event id.
func TestStreamThroughCrashes(t *testing.T) {
	t.Parallel()
	const crashes, each = 3, 20
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	w := newWorld(t, db)
	token := w.newToken(t)
	var recorded, got []uuid.UUID
	last := ""
	for range crashes {
		d, kill := startProcess(t, environment(db, centrifugo), "run", "--stream-tenants", "--batch-size", "3")
		stream := d.api(t).bearing(token).follow(t, last)
		for range each {
			recorded = append(recorded, w.record(t).ID)
		}
		for range each / 2 { // the next process delivers the others
			got = append(got, stream.activity(t, d))
		}
		kill()
		for { // the events in transit
			s, ok := stream.next()
			if !ok {
				break
			}
			got = append(got, s.activity(t))
		}
		last = stream.last
	}
	d, _ := startProcess(t, environment(db, centrifugo), "run", "--stream-tenants")
	stream := d.api(t).bearing(token).follow(t, last)
	for len(got) < len(recorded) {
		got = append(got, stream.activity(t, d))
	}
	for i, want := range recorded {
		if got[i] != want {
			t.Fatalf("event %d of %d: got %s, want %s", i, len(recorded), got[i], want)
		}
	}
	end := w.record(t).ID
	if got := stream.activity(t, d); got != end {
		t.Errorf("the last event: got %s, want %s", got, end)
	}
}

// startProcess runs a command line in a new process, until the test ends or kills it. Only the log
// of d may be used.
func startProcess(t testing.TB, environ map[string]string, args ...string) (d *daemonUnderTest, kill func()) {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	d = &daemonUnderTest{log: new(logged)}
	command := exec.Command(binary, args...)
	command.Env, command.Stdout, command.Stderr = append(entries(environ), asProgram+"=1"), d.log, d.log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait()
		close(ended)
	}()
	kill = func() {
		_ = command.Process.Kill()
		<-ended
	}
	t.Cleanup(kill)
	return d, kill
}
