package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/internal/nettest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

func TestWorkerDelivers(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	w := newWorld(t, db)
	events := w.listen(t, centrifugo)
	before := w.record(t) // waits in the outbox for the worker
	d := startWorker(t, environment(db, centrifugo))
	if got := next(t, events, d).EventID; got != before.ID {
		t.Errorf("got event %s, want %s", got, before.ID)
	}
	after := w.record(t)
	if got := next(t, events, d).EventID; got != after.ID {
		t.Errorf("got event %s, want %s", got, after.ID)
	}
	d.says(t, "dependency is available", "postgres")
	d.says(t, "dependency is available", "centrifugo")
	waittest.Until(t, "the outbox is empty", func() bool { return w.pending(t) == 0 }, d.log)
	d.isReady(t, true)

	metrics := d.get(t, "/metrics").body
	for _, want := range []string{
		"fanfare_delivery_latency_seconds_count 2\n",
		"fanfare_publications_total 4\n", // the owner's channel and the resource's, for each
		"fanfare_notifications_total 2\n",
		"fanfare_backlog_up 1\n",
		"fanfare_backlog_dead_letters 0\n",
		`fanfare_dependency_up{dependency="centrifugo"} 1` + "\n",
		`fanfare_candidates_dropped_total{stage="actor"} 0` + "\n",
		"fanfare_build_info{",
		"go_goroutines ",
		"process_start_time_seconds ",
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics lacks %q:\n%s", want, metrics)
		}
	}

	_, err := db.Pool.Exec(t.Context(), `UPDATE fanfare.notifications SET snoozed_until = now() WHERE activity_id = $1`,
		before.ID)
	if err != nil {
		t.Fatal(err)
	}
	waittest.Until(t, "the snooze has ended", func() bool {
		return strings.Contains(d.get(t, "/metrics").body, "fanfare_notifications_returned_total 1\n")
	}, d.log)

	if code := d.finish(t); code != exitOK {
		t.Errorf("got exit code %d after a graceful stop, want 0\n%s", code, d.log)
	}
	if d.log.line("stopped") == "" {
		t.Errorf("the log does not contain the stop:\n%s", d.log)
	}
	for line := range strings.Lines(d.log.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("got a line that is not JSON: %s", line)
		}
	}
}

func TestWorkerWithoutInboxAndWithStream(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	w := newWorld(t, db)
	events := w.listen(t, centrifugo)
	d := startWorker(t, environment(db, centrifugo), "--inbox=false", "--stream-tenants", "--log-format", "console",
		"--mutations", "something.else")
	w.record(t)
	d.says(t, "dependency is available", "postgres")
	waittest.Until(t, "the outbox is empty", func() bool { return w.pending(t) == 0 }, d.log)
	metrics := d.get(t, "/metrics").body
	for _, want := range []string{
		"fanfare_notifications_total 0\n",
		"fanfare_publications_total 2\n", // the resource's channel and the tenant's
		`fanfare_candidates_dropped_total{stage="filtered"} 1` + "\n",
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics lacks %q:\n%s", want, metrics)
		}
	}
	select {
	case e := <-events:
		t.Errorf("got event %+v, want none: it is filtered", e)
	default:
	}
}

func TestMetricsAddressInUse(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	first := startWorker(t, environment(db, centrifugo))
	second := fanfare(t, environment(db, centrifugo), "worker", "--metrics-listen", first.address(t))
	if second.code != exitFailure || !strings.Contains(second.stderr, "--metrics-listen") ||
		!strings.Contains(second.stderr, "in use") {
		t.Errorf("got exit code %d and %q, want 1 and the setting", second.code, second.stderr)
	}
}

// TestWorkerIgnoresSettingsOfTheAPI starts a worker with invalid settings of the API.
func TestWorkerIgnoresSettingsOfTheAPI(t *testing.T) {
	t.Parallel()
	refused := nettest.Refused(t)
	environ := map[string]string{
		"FANFARE_DATABASE_URL":   "postgres://u@" + refused + "/d",
		"FANFARE_SERVICE_TOKENS": "false",
		"FANFARE_LISTEN":         "nonsense",
	}
	d := startWorker(t, environ)
	d.says(t, "starting")
	if r := fanfare(t, map[string]string{"FANFARE_DATABASE_URL": environ["FANFARE_DATABASE_URL"]},
		"config"); r.code != exitOK {
		t.Errorf("config: got exit code %d with %s, want 0: it does not check what serve requires", r.code, r.stderr)
	}
}

// address returns the address of the daemon's metrics.
func (d *daemonUnderTest) address(t testing.TB) string {
	t.Helper()
	return d.addressOf(t, "serving metrics and health")
}

// addressOf returns the address in the line of the log with this message.
func (d *daemonUnderTest) addressOf(t testing.TB, says string) string {
	t.Helper()
	d.says(t, says)
	line := d.log.line(says)
	var entry struct{ Address string }
	if _, after, console := strings.Cut(line, "\t{"); console {
		line = "{" + after
	}
	if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Address == "" {
		t.Fatalf("%v: %s", err, line)
	}
	return entry.Address
}

// get requests metrics or health.
func (d *daemonUnderTest) get(t testing.TB, path string) response {
	t.Helper()
	return caller{base: "http://" + d.address(t)}.do(t, http.MethodGet, path, "")
}

// readiness is the body of an answer of /readyz.
type readiness struct {
	Ready             bool
	Failing, Degraded map[string][]string // problems by dependency
}

// isReady waits until /readyz reports ready or not ready, with these dependencies as failing.
func (d *daemonUnderTest) isReady(t testing.TB, want bool, failing ...string) {
	t.Helper()
	waittest.Until(t, "/readyz", func() bool {
		r := d.get(t, "/readyz")
		var body readiness
		r.read(t, &body)
		if body.Ready != (r.status == http.StatusOK) {
			t.Fatalf("got status %d with %s", r.status, r.body)
		}
		for _, name := range failing {
			if len(body.Failing[name]) == 0 {
				return false
			}
		}
		return body.Ready == want
	}, d.log)
}
