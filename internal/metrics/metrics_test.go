package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/internal/leaks"
	"github.com/fanfarehq/fanfare/internal/metrics"
	"github.com/fanfarehq/fanfare/outbox"
)

func TestMain(m *testing.M) { leaks.Main(m) }

// scrape returns the metrics in the text format of Prometheus.
func scrape(t testing.TB, registry *prometheus.Registry) string {
	t.Helper()
	recorder := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).
		ServeHTTP(recorder, httptest.NewRequest("GET", "/metrics", nil))
	if recorder.Code != 200 {
		t.Fatalf("got status %d: %s", recorder.Code, recorder.Body)
	}
	return recorder.Body.String()
}

// wantLines checks that a scrape contains each line.
func wantLines(t testing.TB, registry *prometheus.Registry, lines ...string) {
	t.Helper()
	text := scrape(t, registry)
	for _, line := range lines {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("got no %s:\n%s", line, text)
		}
	}
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	o := metrics.NewOutbox(registry)
	wantLines(t, registry,
		`fanfare_rollbacks_total{reason="error"} 0`,
		`fanfare_rollbacks_total{reason="unavailable"} 0`,
		`fanfare_delivery_latency_seconds_count 0`,
	)
	now := time.Now()
	o.Observe(
		outbox.Report{
			Claimed:     9,
			Delivered:   []time.Time{now.Add(-time.Minute), now.Add(time.Hour)},
			Retried:     1,
			Blocked:     2,
			DeadLetters: 3,
			FanOutJobs:  1,
			Took:        20 * time.Millisecond,
		},
	)
	o.Observe(outbox.Report{Claimed: 5, Err: errors.New("broken")})
	o.Observe(outbox.Report{Err: fmt.Errorf("publish: %w", outbox.ErrUnavailable)})
	o.Observe(outbox.Report{Step: true, Claimed: 1, Notified: 5000})
	o.Observe(outbox.Report{Step: true, Claimed: 1, Notified: 20, Delivered: []time.Time{now}})
	o.Observe(outbox.Report{Step: true, Claimed: 1, DeadLetters: 1, Err: errors.New("broken")})
	wantLines(t, registry,
		`fanfare_claim_activities_count 1`,
		`fanfare_claim_activities_sum 9`,
		`fanfare_claim_duration_seconds_sum 0.02`,
		`fanfare_delivery_latency_seconds_count 3`,
		`fanfare_delivery_latency_seconds_bucket{le="60"} 2`, // a time in the future counts as 0 s
		`fanfare_activities_parked_total{reason="failed"} 1`,
		`fanfare_activities_parked_total{reason="blocked"} 2`,
		`fanfare_dead_letters_total 4`,
		`fanfare_fan_out_jobs_total 1`,
		`fanfare_fan_out_steps_total 2`,
		`fanfare_fan_out_recipients_total 5020`,
		`fanfare_rollbacks_total{reason="error"} 2`,
		`fanfare_rollbacks_total{reason="unavailable"} 1`,
	)
}

func TestFanout(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	f := metrics.NewFanout(registry)
	wantLines(t, registry, `fanfare_candidates_dropped_total{stage="muted"} 0`)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			f.Observe(fanout.Report{
				Activities: 2, Violations: 1, Recipients: []int{0, 7}, Publications: 9, InboxRows: 7,
				Dropped: fanout.Dropped{
					Actor: 1, Inactive: 2, Permission: 3, Muted: 4, Filtered: 5, Group: 6, MutedActor: 7,
					Ignored: 8, NotParticipating: 9, NotInLevel: 10, MutedAction: 11,
				},
			})
		})
	}
	all.Wait()
	wantLines(t, registry,
		`fanfare_activity_recipients_count 8`,
		`fanfare_activity_recipients_sum 28`,
		`fanfare_publications_total 36`,
		`fanfare_notifications_total 28`,
		`fanfare_taxonomy_violations_total 4`,
		`fanfare_candidates_dropped_total{stage="actor"} 4`,
		`fanfare_candidates_dropped_total{stage="inactive"} 8`,
		`fanfare_candidates_dropped_total{stage="permission"} 12`,
		`fanfare_candidates_dropped_total{stage="muted"} 16`,
		`fanfare_candidates_dropped_total{stage="filtered"} 20`,
		`fanfare_candidates_dropped_total{stage="group"} 24`,
		`fanfare_candidates_dropped_total{stage="muted_actor"} 28`,
		`fanfare_candidates_dropped_total{stage="muted_action"} 44`,
		`fanfare_candidates_dropped_total{stage="level_ignore"} 32`,
		`fanfare_candidates_dropped_total{stage="level_participating"} 36`,
		`fanfare_candidates_dropped_total{stage="level_custom"} 40`,
	)
}

// reader is a metrics.BacklogReader of one function.
type reader func(ctx context.Context) (outbox.Status, error)

func (r reader) Status(ctx context.Context, _ uuid.UUID) (outbox.Status, error) { return r(ctx) }

func TestBacklog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		reads := 0
		oldest := time.Now().Add(-90 * time.Second)
		var err error
		status := outbox.Status{
			Pending: 6, OldestAt: &oldest, Parked: 5, Failing: 4, FanOutJobs: 3, DeadLetters: 2,
		}
		metrics.RegisterBacklog(registry, reader(func(ctx context.Context) (outbox.Status, error) {
			reads++
			return status, err
		}))
		wantLines(t, registry,
			`fanfare_backlog_up 1`,
			`fanfare_backlog_pending_activities 6`,
			`fanfare_backlog_oldest_age_seconds 90`,
			`fanfare_backlog_parked_activities 5`,
			`fanfare_backlog_failing_activities 4`,
			`fanfare_backlog_fan_out_jobs 3`,
			`fanfare_backlog_dead_letters 2`,
		)
		status, err = outbox.Status{}, errors.New("connection refused")
		time.Sleep(4 * time.Second)
		wantLines(t, registry, `fanfare_backlog_pending_activities 6`, `fanfare_backlog_oldest_age_seconds 94`)
		if reads != 1 {
			t.Errorf("got %d reads within 4 s, want 1", reads)
		}
		time.Sleep(time.Second)
		wantLines(t, registry, `fanfare_backlog_up 0`)
		if text := scrape(t, registry); strings.Contains(text, "fanfare_backlog_pending_activities ") {
			t.Errorf("got metrics of a backlog that could not be read:\n%s", text)
		}
		err = nil
		time.Sleep(5 * time.Second)
		wantLines(t, registry,
			`fanfare_backlog_up 1`,
			`fanfare_backlog_pending_activities 0`,
			`fanfare_backlog_oldest_age_seconds 0`,
		)
	})
}

func TestBacklogTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		metrics.RegisterBacklog(registry, reader(func(ctx context.Context) (outbox.Status, error) {
			<-ctx.Done()
			return outbox.Status{}, ctx.Err()
		}))
		begun := time.Now()
		wantLines(t, registry, `fanfare_backlog_up 0`)
		if took := time.Since(begun); took != 2*time.Second {
			t.Errorf("the scrape took %v, want 2s", took)
		}
	})
}

// TestBacklogThatPanics has a reader that panics: the scrape says that the backlog cannot be read.
func TestBacklogThatPanics(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	metrics.RegisterBacklog(registry, reader(func(context.Context) (outbox.Status, error) { panic("nil map") }))
	wantLines(t, registry, `fanfare_backlog_up 0`)
}

func TestAPI(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewPedanticRegistry()
	a := metrics.NewAPI(registry)
	metrics.RegisterStreams(registry, func() int { return 3 })
	a.Request("GET /v1/activities/{id}", 200, 20*time.Millisecond)
	a.Request("GET /v1/activities/{id}", 206, 20*time.Millisecond)
	a.Request("GET /v1/activities/{id}", 503, time.Minute)
	a.Request("GET /v1/activities/{id}", 0, time.Minute)
	a.Request("", 404, time.Millisecond)
	a.Recorded(3, 1, 0)
	a.Recorded(0, 0, 2)
	wantLines(t, registry,
		`fanfare_api_requests_total{route="GET /v1/activities/{id}",status="2xx"} 2`,
		`fanfare_api_requests_total{route="GET /v1/activities/{id}",status="5xx"} 1`,
		`fanfare_api_requests_total{route="GET /v1/activities/{id}",status="none"} 1`,
		`fanfare_api_requests_total{route="none",status="4xx"} 1`,
		`fanfare_api_activities_total{result="created"} 3`,
		`fanfare_api_activities_total{result="existing"} 1`,
		`fanfare_api_activities_total{result="refused"} 2`,
		`fanfare_api_request_duration_seconds_bucket{route="GET /v1/activities/{id}",le="0.025"} 2`,
		`fanfare_api_request_duration_seconds_count{route="GET /v1/activities/{id}"} 4`,
		`fanfare_stream_clients 3`,
	)
}

func TestProcess(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewPedanticRegistry()
	metrics.RegisterProcess(registry, "v1.2.3")
	metrics.RegisterProgress(registry, func() time.Time { return time.Time{} })
	metrics.RegisterDependencies(registry, []string{"postgres", "centrifugo"}, func() map[string][]string {
		return map[string][]string{"postgres": {"Connection refused."}}
	})
	wantLines(t, registry,
		`fanfare_worker_last_progress_timestamp_seconds 0`,
		`fanfare_dependency_up{dependency="centrifugo"} 1`,
		`fanfare_dependency_up{dependency="postgres"} 0`,
	)
	if text := scrape(t, registry); !strings.Contains(text, `version="v1.2.3"} 1`) ||
		!strings.Contains(text, "\ngo_goroutines ") {
		t.Errorf("got no version or no metrics of the Go runtime:\n%s", text)
	}
}
