package outbox

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// TestLatencies compares quantiles with those of the durations themselves.
func TestLatencies(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 8))
	for range 100 {
		var all []time.Duration
		parts := [2]latencies{}
		for range 1 + random.IntN(1000) {
			d := time.Duration(math.Exp(random.Float64()*14) * float64(time.Millisecond))
			all = append(all, d)
			parts[random.IntN(2)].add(d)
		}
		var merged latencies
		merged.merge(parts[0])
		merged.merge(parts[1])
		slices.Sort(all)
		for _, q := range []float64{0.01, 0.5, 0.99, 1} {
			want := all[int(math.Ceil(q*float64(len(all))))-1]
			got, ok := merged.quantile(q)
			if ratio := got.Seconds() / want.Seconds(); !ok || ratio > latencyRatio || ratio < 1/latencyRatio {
				t.Fatalf("quantile %v of %d: got %v, want about %v", q, len(all), got, want)
			}
		}
	}
	for d, want := range map[time.Duration]int{
		-time.Second: 0, 0: 0, time.Millisecond: 0, 1100 * time.Microsecond: 1, 1000 * time.Hour: latencyBuckets - 1,
	} {
		if got := bucketOf(d); got != want {
			t.Errorf("%v: got bucket %d, want %d", d, got, want)
		}
	}
	if _, ok := (latencies{0, 0}).quantile(0.5); ok {
		t.Error("got a quantile of nothing")
	}
}

func TestWorkDone(t *testing.T) {
	t.Parallel()
	published := int64(5)
	now := time.Now()
	d := workDone{published: func() int64 { return published }}
	first, _, _ := d.take(now)
	d.remove(first, now)
	d.add(Report{Delivered: []time.Time{now.Add(-time.Second), now.Add(-time.Hour)}, DeadLetters: 1}, now)
	d.add(Report{Delivered: []time.Time{now}, Err: errors.New("rolled back")}, now)
	published = 25
	taken, settled, publications := d.take(now.Add(2 * time.Second))
	if taken.settled != 3 || taken.publications != 20 || settled != 1.5 || publications != 10 {
		t.Errorf("got %+v, %v and %v per second, want 3, 20, 1.5 and 10", taken, settled, publications)
	}
	// It is not registered, and more happens meanwhile.
	d.add(Report{Delivered: []time.Time{now}}, now)
	again, _, _ := d.take(now.Add(3 * time.Second))
	d.remove(again, now.Add(3*time.Second))
	left, _, _ := d.take(now.Add(4 * time.Second))
	if again.settled != 4 || left.settled != 0 || len(left.latency) != 0 {
		t.Errorf("got %+v and then %+v, want 4 and then nothing", again, left)
	}
}

// TestRegistrationsAreEven checks that each worker registers equally often in each period, and at a
// time of its own.
func TestRegistrationsAreEven(t *testing.T) {
	t.Parallel()
	for _, count := range []int{0, 1, 2, 16, 100} {
		for place := range max(count, 1) {
			a := assignment{place: place, count: count, clock: 3 * time.Second}
			now := time.Unix(1_800_000_000, 123)
			now = now.Add(a.untilRegistration(now))
			periods := map[int64]int{}
			for range 20 {
				periods[now.Add(a.clock).Unix()/int64(samplePeriod.Seconds())]++
				// A statement takes a time.
				pause := a.untilRegistration(now.Add(10 * time.Millisecond))
				if pause > registeredFor/2 {
					t.Fatalf("%d of %d: got a pause of %v", place, count, pause)
				}
				now = now.Add(10*time.Millisecond + pause)
			}
			if len(periods) > 11 {
				t.Errorf("%d of %d: got %v, want two registrations in each period", place, count, periods)
			}
		}
	}
}

// TestHistory registers the work of two workers, and reads the history.
func TestHistory(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	commitOne(t, db.Pool)
	now := time.Now()
	for i := range 2 {
		w := NewWorker(db.Pool, scribe{}, Options{Version: "1.2.3", Publications: func() int64 { return 30 }})
		w.observe(Report{Delivered: []time.Time{now.Add(-time.Second), now.Add(-time.Minute)}, DeadLetters: i})
		_, p, err := w.register(t.Context(), uuid.New(), "name")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.measureBacklog(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		_, p, err = w.register(t.Context(), uuid.New(), "name")
		if err != nil || p.unmeasured {
			t.Errorf("got %+v, %v, want a measured sample", p, err)
		}
	}
	// The present period is not part of the history yet.
	_, err := db.Pool.Exec(t.Context(), `UPDATE fanfare.samples SET began_at = began_at - interval '10 s'`)
	if err != nil {
		t.Fatal(err)
	}
	b := NewBacklog(db.Pool)
	h, err := b.History(t.Context(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	settled, publications, pending := 0.0, 0.0, int64(0)
	for _, p := range h.Points {
		seconds := h.Step.Seconds()
		if len(h.Points) == 1 {
			settled, publications = p.SettledPerSecond, p.PublicationsPerSecond
			seconds = 5 / settled
		}
		settled, publications = settled*seconds, publications*seconds
		if p.Pending != nil {
			pending = *p.Pending
		}
		if p.P50 == nil || p.P99 == nil || *p.P50 > 2*time.Second || *p.P99 < 30*time.Second {
			t.Errorf("got the latencies %v and %v, want about 1 s and 60 s", p.P50, p.P99)
		}
		if p.DeadLetters == nil || p.OldestAge == nil || *p.OldestAge <= 0 {
			t.Errorf("got %+v, want a measured backlog", p)
		}
	}
	if len(h.Points) == 1 && (math.Abs(settled-5) > 0.01 || math.Abs(publications-60) > 0.1) || pending != 1 {
		t.Errorf("got %v settled, %v published and %d pending, want 5, 60 and 1", settled, publications, pending)
	}
	workers, err := b.Workers(t.Context())
	if err != nil || len(workers) != 4 || workers[0].Version != "1.2.3" || len(workers[0].Lanes) != Lanes/4 {
		t.Errorf("got %+v, %v, want four workers with a quarter of the lanes each", workers, err)
	}
}

// TestSamplesAreBounded simulates two days of registrations.
func TestSamplesAreBounded(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	_, err := db.Pool.Exec(t.Context(), `
		INSERT INTO fanfare.samples (place, began_at, settled, publications, latency, pending)
		SELECT n, to_timestamp(floor(extract(epoch FROM now()) / 10) * 10 - 86400), 7, 7, '{1,2,3}', 9
		FROM generate_series(0, 8639) AS n`)
	if err != nil {
		t.Fatal(err)
	}
	w := NewWorker(db.Pool, scribe{}, Options{})
	w.observe(Report{Delivered: []time.Time{time.Now()}})
	_, p, err := w.register(t.Context(), uuid.New(), "name")
	if err != nil || !p.unmeasured {
		t.Fatalf("got %+v, %v, want an unmeasured sample", p, err)
	}
	waittest.Query(t, db.Pool, "the old sample is overwritten", `
		SELECT count(*) = 8640 AND count(*) FILTER (WHERE settled = 1 AND pending IS NULL) = 1 FROM fanfare.samples`)
}

// TestHistoryOf summarizes random samples, and checks that the points add up to them.
func TestHistoryOf(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(9, 10))
	for range 300 {
		length := time.Duration(1+random.IntN(1440)) * time.Minute
		until := time.Unix(1_800_000_000+10*random.Int64N(1e6), 0)
		var samples []sample
		var want, most int64
		for at := until.Add(-length); at.Before(until); at = at.Add(samplePeriod) {
			if random.IntN(3) == 0 {
				continue
			}
			s := sample{beganAt: at, settled: random.Int64N(1000)}
			if n := random.Int64N(1000); n > 500 {
				s.pending, most = &n, max(most, n)
			}
			want, samples = want+s.settled, append(samples, s)
		}
		h := historyOf(samples, until, length)
		if len(h.Points) > MaxPoints {
			t.Fatalf("%v: got %d points, want at most %d", length, len(h.Points), MaxPoints)
		}
		got, gotMost := 0.0, int64(0)
		for i, p := range h.Points {
			end := p.BeganAt.Truncate(h.Step).Add(h.Step)
			if end.After(until) {
				end = until
			}
			got += p.SettledPerSecond * end.Sub(p.BeganAt).Seconds()
			if p.Pending != nil {
				gotMost = max(gotMost, *p.Pending)
			}
			if i > 0 && !p.BeganAt.After(h.Points[i-1].BeganAt) {
				t.Fatalf("point %d begins at %v, the one before at %v", i, p.BeganAt, h.Points[i-1].BeganAt)
			}
		}
		if math.Abs(got-float64(want)) > 0.01 || gotMost != most {
			t.Fatalf("%v: got %v settled and at most %d pending, want %d and %d", length, got, gotMost, want, most)
		}
	}
}

// TestWorkerMeasuresItself runs a worker until a sample has its deliveries and the backlog.
func TestWorkerMeasuresItself(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	if _, err := db.Pool.Exec(t.Context(), scribedTable); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	w := NewWorker(db.Pool, scribe{}, Options{Claimers: 1})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = w.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	waitDelivered(t, db, commitOne(t, db.Pool))
	waittest.Query(t, db.Pool, "the sample", `
		SELECT coalesce(sum(settled), 0) = 1 AND coalesce(sum(cardinality(latency)), 0) > 0
		   AND count(*) FILTER (WHERE pending IS NOT NULL AND oldest_age IS NOT NULL) > 0
		FROM fanfare.samples`)
}
