package daemon

import (
	"encoding/json"
	"maps"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/fanfarehq/fanfare/outbox"
)

// TestReadinessOfCells is ready while one cell is, and what the cells share is.
func TestReadinessOfCells(t *testing.T) {
	t.Parallel()
	down := map[string][]string{"postgres": {"It is down."}}
	for name, c := range map[string]struct {
		shared, a, b map[string][]string
		optional     []string
		want         readiness
	}{
		"all are ready": {nil, nil, nil, nil, readiness{
			Ready: true, Cells: map[string]readiness{"a": {Ready: true}, "b": {Ready: true}},
		}},
		"one is": {nil, down, nil, nil, readiness{
			Ready: true, Cells: map[string]readiness{"a": {Failing: down}, "b": {Ready: true}},
		}},
		"none is": {nil, down, down, nil, readiness{
			Cells: map[string]readiness{"a": {Failing: down}, "b": {Failing: down}},
		}},
		"Centrifugo is down": {map[string][]string{"centrifugo": {"x"}}, nil, nil, nil, readiness{
			Failing: map[string][]string{"centrifugo": {"x"}},
			Cells:   map[string]readiness{"a": {Ready: true}, "b": {Ready: true}},
		}},
		"Centrifugo is down, and optional": {
			map[string][]string{"centrifugo": {"x"}}, nil, nil, []string{"centrifugo"}, readiness{
				Ready: true, Degraded: map[string][]string{"centrifugo": {"x"}},
				Cells: map[string]readiness{"a": {Ready: true}, "b": {Ready: true}},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			of := func(problems map[string][]string) *health {
				return &health{problems: func() map[string][]string { return maps.Clone(problems) }}
			}
			h := of(c.shared)
			h.optional, h.cells = c.optional, map[string]*health{"a": of(c.a), "b": of(c.b)}
			if diff := cmp.Diff(c.want, h.read(), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, c := range map[string]struct {
		problems map[string][]string
		last     time.Time
		delivery outbox.Problem
		status   int
		want     readiness
	}{
		"ready": {nil, now.Add(-time.Second), outbox.Problem{}, 200, readiness{Ready: true}},
		"nothing is delivered": {
			nil, now,
			outbox.Problem{Since: now.Add(-7 * time.Second), Err: &pgconn.PgError{
				Severity: "ERROR", Code: "26000", Message: "prepared statement does not exist",
			}},
			503,
			readiness{Failing: map[string][]string{"worker": {
				"Nothing has been delivered for 7s: ERROR: prepared statement does not exist (SQLSTATE 26000): " +
					"behind PgBouncer, add default_query_exec_mode=exec to --database-url.",
			}}},
		},
		"a dependency is unavailable": {
			map[string][]string{"postgres": {"It is unavailable."}},
			now,
			outbox.Problem{},
			503,
			readiness{Failing: map[string][]string{"postgres": {"It is unavailable."}}},
		},
		"no progress yet": {
			nil,
			time.Time{},
			outbox.Problem{},
			503,
			readiness{Failing: map[string][]string{"worker": {"No poll of the outbox has completed yet."}}},
		},
		"stalled": {
			nil, now.Add(-20 * time.Second),
			outbox.Problem{},
			503,
			readiness{Failing: map[string][]string{"worker": {"The last completed poll of the outbox was 20s ago."}}},
		},
		"several problems": {
			map[string][]string{"centrifugo": {"a", "b"}},
			now.Add(-time.Minute),
			outbox.Problem{},
			503,
			readiness{Failing: map[string][]string{
				"centrifugo": {"a", "b"}, "worker": {"The last completed poll of the outbox was 1m0s ago."},
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.problems == nil {
				c.problems = map[string][]string{}
			}
			h := &health{
				delivery:     func() outbox.Problem { return c.delivery },
				problems:     func() map[string][]string { return c.problems },
				lastProgress: func() time.Time { return c.last },
				stalledAfter: 15 * time.Second,
				now:          func() time.Time { return now },
			}
			handler := operatorHandler(prometheus.NewRegistry(), h)
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, httptest.NewRequest("GET", "/readyz", nil))
			var got readiness
			if err := json.Unmarshal(recorder.Body.Bytes(), &got); err != nil {
				t.Fatalf("%v: %s", err, recorder.Body)
			}
			if diff := cmp.Diff(c.want, got); diff != "" || recorder.Code != c.status {
				t.Errorf("got status %d, want %d (-want +got):\n%s", recorder.Code, c.status, diff)
			}
			recorder = httptest.NewRecorder()
			handler.ServeHTTP(recorder, httptest.NewRequest("GET", "/healthz", nil))
			if recorder.Code != 200 {
				t.Errorf("/healthz: got status %d, want 200", recorder.Code)
			}
		})
	}
}
