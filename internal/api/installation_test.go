package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/doctor"
	"github.com/fanfarehq/fanfare/internal/identity"
)

// TestInstallation reads the workers, the lanes and the history of an installation with two
// tenants.
func TestInstallation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.exec(`DELETE FROM fanfare.outbox`)
	w.here.wait("parked", "attempts", "1")
	w.elsewhere.wait("parked", "attempts", "0")
	w.exec(`INSERT INTO fanfare.workers (id, name, version, seen_at, settled_per_second, publications_per_second) VALUES
		('00000000-0000-4000-8000-000000000001', 'a/1', '1.2.3', now(), 5, 7.5),
		('00000000-0000-4000-8000-000000000002', 'gone/2', '', now() - interval '1 minute', 5, 5),
		('00000000-0000-4000-8000-000000000003', 'b/3', '', now(), 0, 0)`)
	w.exec(`
		INSERT INTO fanfare.samples (place, began_at, settled, publications, latency, pending, oldest_age, parked,
		    dead_letters)
		SELECT n + 5, to_timestamp(floor(extract(epoch FROM now()) / 10) * 10 - 10 * n), 100, 200, '{0,0,0,1,99}',
		       n + 5, 1.5, 2, 3
		FROM generate_series(-5, 8634) AS n`)
	c := w.here.as(w.here.outsider, identity.ScopeInstallation)

	workers := as[struct {
		Items []struct {
			Name, Version string
			Live          bool
			Lanes         []int
			Settled       float64 `json:"settled_per_second"`
			Publications  float64 `json:"publications_per_second"`
		}
	}](c.do("GET", "/v1/installation/workers", "").want(http.StatusOK)).Items
	if len(workers) != 3 {
		t.Fatalf("got %+v, want three workers", workers)
	}
	first, second, gone := workers[0], workers[1], workers[2]
	if first.Name != "a/1" || first.Version != "1.2.3" || !first.Live || len(first.Lanes) != 32 ||
		first.Lanes[1] != 2 || first.Settled != 5 || first.Publications != 7.5 {
		t.Errorf("got %+v, want half of the lanes, and the rates", first)
	}
	if second.Name != "b/3" || len(second.Lanes) != 32 || second.Lanes[0] != 1 {
		t.Errorf("got %+v, want the other half", second)
	}
	if gone.Name != "gone/2" || gone.Live || len(gone.Lanes) != 0 || gone.Settled != 0 {
		t.Errorf("got %+v, want it without lanes and rates", gone)
	}

	tx, err := w.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := tx.Exec(t.Context(), `SELECT pg_advisory_xact_lock(x'46414e46'::int, 9)`); err != nil {
		t.Fatal(err)
	}
	parked := 0
	for _, lane := range as[struct {
		Items []struct {
			Lane, Parked int
			Holder       *struct{ PID int }
		}
	}](c.do("GET", "/v1/installation/lanes", "").want(http.StatusOK)).Items {
		parked += lane.Parked
		if held := lane.Holder != nil && lane.Holder.PID != 0; held != (lane.Lane == 9) {
			t.Errorf("lane %d: got the holder %+v, want one of lane 9 alone", lane.Lane, lane.Holder)
		}
	}
	if parked != 2 {
		t.Errorf("got %d parked activities, want those of both tenants", parked)
	}

	for minutes, wantStep := range map[string]int{"": 20, "1": 10, "60": 20, "1430": 290} {
		history := as[struct {
			StepSeconds int `json:"step_seconds"`
			Points      []struct {
				At           time.Time
				Settled      float64 `json:"settled_per_second"`
				Publications float64 `json:"publications_per_second"`
				P50          float64 `json:"latency_p50_seconds"`
				P99          float64 `json:"latency_p99_seconds"`
				OldestAge    float64 `json:"oldest_age_seconds"`
				DeadLetters  int     `json:"dead_letters"`
			}
		}](c.do("GET", "/v1/installation/history?minutes="+minutes, "").want(http.StatusOK))
		n := len(history.Points)
		if history.StepSeconds != wantStep || n == 0 || n > 300 {
			t.Fatalf("%q minutes: got %d points of %d s, want up to 300 of %d s", minutes, n, history.StepSeconds,
				wantStep)
		}
		for i, p := range history.Points {
			if p.Settled < 9.99 || p.Settled > 10.01 || p.Publications < 19.99 || p.P50 <= 0.003 || p.P99 > 0.0051 ||
				p.OldestAge != 1.5 || p.DeadLetters != 3 || i > 0 && !p.At.After(history.Points[i-1].At) {
				t.Fatalf("%q minutes, point %d of %d: got %+v, want 10 settled per second", minutes, i, n, p)
			}
		}
	}
	c.do("GET", "/v1/installation/history?minutes=1441", "").want(http.StatusUnprocessableEntity)
	for _, scope := range []string{"", identity.ScopeAdmin, identity.ScopeRead} {
		w.here.as(w.here.owner, scope).do("GET", "/v1/installation/history", "").want(http.StatusForbidden)
	}
}

// TestDoctorRunsOnce sends requests at once, and counts the examinations.
func TestDoctorRunsOnce(t *testing.T) {
	t.Parallel()
	var runs atomic.Int32
	begun, end := make(chan struct{}, 100), make(chan struct{})
	var failing atomic.Bool
	w := newWorld(t, func(o *api.Options) {
		o.Examine = func(context.Context) (doctor.Report, error) {
			runs.Add(1)
			if failing.Load() {
				return doctor.Report{}, errors.New("cannot be examined")
			}
			begun <- struct{}{}
			<-end
			return doctor.Report{OK: true, Diagnostics: []doctor.Diagnostic{{ID: "one", Status: doctor.OK}}}, nil
		}
	})
	c := w.here.as(w.here.member, identity.ScopeInstallation)
	var waiting sync.WaitGroup
	for range 10 {
		waiting.Go(func() {
			if got := c.do("GET", "/v1/installation/doctor", ""); got.status != http.StatusOK ||
				!strings.Contains(string(got.body), `"one"`) {
				t.Errorf("got %d: %s", got.status, got.body)
			}
		})
	}
	<-begun
	close(end)
	waiting.Wait()
	c.do("GET", "/v1/installation/doctor", "").want(http.StatusOK)
	if n := runs.Load(); n != 1 {
		t.Errorf("got %d examinations, want 1", n)
	}

	failing.Store(true)
	other := c
	other.handler = w.newServer(func(o *api.Options) {
		o.Examine = func(context.Context) (doctor.Report, error) { panic("the panic of a test") }
	}).Handler()
	other.do("GET", "/v1/installation/doctor", "").want(http.StatusInternalServerError)
	other.do("GET", "/v1/installation/doctor", "").want(http.StatusInternalServerError)
	other.handler = w.newServer(nil).Handler()
	other.do("GET", "/v1/installation/doctor", "").want(http.StatusServiceUnavailable)
}
