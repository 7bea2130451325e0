package besteffort_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/besteffort"
	"github.com/fanfarehq/fanfare/activity/memlog"
)

// aboutResource returns an envelope on the nth resource.
func aboutResource(n byte) activity.Envelope {
	return activity.Envelope{
		TenantID: uuid.UUID{
			1,
		}, ActorPrincipalID: uuid.UUID{2}, ResourceID: uuid.UUID{3, 15: n}, CorrelationID: uuid.UUID{4},
		ResourceType: "signal", Action: "signal.created",
	}
}

// appender is an Appender of a function.
type appender func(ctx context.Context, envelopes []activity.Envelope) ([]activity.Recorded, error)

func (a appender) Append(ctx context.Context, envelopes ...activity.Envelope) ([]activity.Recorded, error) {
	return a(ctx, envelopes)
}

// effort is a running Recorder with the log in memory that it records to.
type effort struct {
	*besteffort.Recorder
	log  *memlog.Log
	stop context.CancelFunc // and waits for the end
}

// start runs a recorder; before, which may be nil, can fail an Append. It must be called in a
// synctest bubble.
func start(
	t *testing.T,
	o besteffort.Options,
	before func(ctx context.Context, envelopes []activity.Envelope) error,
) effort {
	log := memlog.New(memlog.Options{})
	best := besteffort.New(
		appender(func(ctx context.Context, envelopes []activity.Envelope) ([]activity.Recorded, error) {
			if before != nil {
				if err := before(ctx, envelopes); err != nil {
					return nil, err
				}
			}
			return log.Append(ctx, envelopes...)
		}),
		o,
	)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := best.Run(ctx); err != nil {
			t.Errorf("Run: got %v", err)
		}
	}()
	return effort{best, log, func() { cancel(); <-ended }}
}

// elapse advances the clock of a synctest bubble and waits until every goroutine is idle.
func elapse(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// wantStats compares the counts and the recorded resources, in their order.
func (e effort) wantStats(t *testing.T, want besteffort.Stats, resources ...byte) {
	t.Helper()
	if diff := cmp.Diff(want, e.Stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
	var got []byte
	for _, a := range e.log.Records() {
		got = append(got, a.ResourceID[15])
	}
	if !slices.Equal(got, resources) {
		t.Errorf("got %v recorded, want %v", got, resources)
	}
}

var errUnavailable = errors.New("the database is unavailable")

func TestRecord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := start(t, besteffort.Options{}, nil)
		defer b.stop()
		actor := uuid.New()
		ctx, cancel := context.WithCancel(activity.WithRequestID(activity.WithActor(t.Context(), actor), "r-1"))
		cancel() // which means nothing
		payload := map[string]int{"n": 1}
		channels := []string{activity.ToUser}
		e := aboutResource(1)
		e.ActorPrincipalID, e.CorrelationID, e.Payload, e.DeliveryChannels = uuid.Nil, uuid.Nil, payload, channels
		begun := time.Now()
		b.Record(ctx, e)
		payload["n"], channels[0] = 2, activity.ToTenant
		b.Record(t.Context(), e)
		synctest.Wait()
		got := b.log.Records()
		if len(got) != 2 {
			t.Fatalf("got %v, want two", got)
		}
		if got[0].ActorPrincipalID != actor || got[0].RequestID != "r-1" || string(got[0].Payload) != `{"n": 1}` ||
			!slices.Equal(got[0].DeliveryChannels, []string{activity.ToUser}) {
			t.Errorf(
				"got %+v, want the actor and the request of the context, payload and channels unchanged",
				got[0],
			)
		}
		if got[1].ActorPrincipalID != activity.System || got[1].RequestID != "" ||
			got[1].CorrelationID == got[0].CorrelationID {
			t.Errorf("without a context's actor: got %+v, want the system's", got[1])
		}
		if !got[0].OccurredAt.Equal(begun) {
			t.Errorf("got occurred_at %s, want %s, when it was handed over", got[0].OccurredAt, begun)
		}
	})
}

// TestDropsOnlyRefusedEnvelopes records batches with envelopes that are refused for every reason.
func TestDropsOnlyRefusedEnvelopes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := start(t, besteffort.Options{}, func(_ context.Context, envelopes []activity.Envelope) error {
			for i, e := range envelopes {
				switch e.ResourceID[15] {
				case 3:
					return fmt.Errorf("envelopes[%d]: %w", i, &activity.VetoError{Reason: "no"})
				case 5:
					return fmt.Errorf("record: %w", &pgconn.PgError{Code: "42501"})
				case 7:
					panic("on purpose")
				}
			}
			return nil
		})
		for n := range byte(10) {
			e := aboutResource(n)
			if n == 1 {
				e.Action = "?"
			}
			b.Record(t.Context(), e)
		}
		e := aboutResource(11)
		for _, e.Payload = range []any{
			func() {},
			make(chan int),
			panicking{},
			json.RawMessage(`{`),
			json.RawMessage(`{"a":"` + string(make([]byte, 1<<20)) + `"}`),
		} {
			b.Record(t.Context(), e)
		}
		b.Record(t.Context(), aboutResource(0)) // again
		b.stop()
		b.wantStats(
			t,
			besteffort.Stats{
				Recorded:   6,
				Duplicates: 1,
				Dropped:    besteffort.Drops{Invalid: 1 + 5, Vetoed: 1, Failed: 2},
			},
			0,
			2,
			4,
			6,
			8,
			9,
		)
	})
}

// panicking is a payload that panics when it is encoded.
type panicking struct{}

func (panicking) MarshalJSON() ([]byte, error) { panic("on purpose") }

// TestOutage keeps the envelopes that fit the queue, in their order.
func TestOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var back atomic.Bool
		var tries atomic.Int64
		b := start(t, besteffort.Options{Queue: 8}, func(context.Context, []activity.Envelope) error {
			if tries.Add(1); !back.Load() {
				return errUnavailable
			}
			return nil
		})
		for n := range byte(10) {
			b.Record(t.Context(), aboutResource(n))
		}
		elapse(5 * time.Minute)
		b.wantStats(t, besteffort.Stats{Waiting: 8, Dropped: besteffort.Drops{Full: 2}})
		if n := tries.Load(); n < 50 || n > 70 {
			t.Errorf("got %d tries in 5 minutes, want one every 5 s or so", n)
		}
		back.Store(true)
		elapse(5 * time.Second)
		b.wantStats(t, besteffort.Stats{Recorded: 8, Dropped: besteffort.Drops{Full: 2}}, 0, 1, 2, 3, 4, 5, 6, 7)
		b.stop()
	})
}

// TestRetryFor drops an envelope that keeps failing with a transient error.
func TestRetryFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := start(
			t,
			besteffort.Options{RetryFor: time.Minute},
			func(_ context.Context, envelopes []activity.Envelope) error {
				if slices.ContainsFunc(envelopes, func(e activity.Envelope) bool { return e.ResourceID[15] == 1 }) {
					return errUnavailable
				}
				return nil
			},
		)
		for n := range byte(4) {
			b.Record(t.Context(), aboutResource(n))
		}
		elapse(50 * time.Second)
		b.wantStats(t, besteffort.Stats{Recorded: 1, Waiting: 3}, 0)
		elapse(time.Minute)
		b.wantStats(t, besteffort.Stats{Recorded: 3, Dropped: besteffort.Drops{Failed: 1}}, 0, 2, 3)
		b.stop()
	})
}

// TestTimeout records once although the first Append succeeds after its timeout.
func TestTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := memlog.New(memlog.Options{})
		tries := 0
		best := besteffort.New(
			appender(func(ctx context.Context, envelopes []activity.Envelope) ([]activity.Recorded, error) {
				if tries++; tries == 1 {
					_, _ = log.Append(ctx, envelopes...)
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return log.Append(ctx, envelopes...)
			}),
			besteffort.Options{Timeout: time.Second},
		)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = best.Run(ctx) })
		e := aboutResource(1)
		e.CorrelationID = uuid.Nil
		best.Record(t.Context(), e)
		elapse(2 * time.Second)
		effort{Recorder: best, log: log}.wantStats(t, besteffort.Stats{Duplicates: 1}, 1)
		cancel()
		running.Wait()
	})
}

func TestStop(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		unavailableFor time.Duration // from the stop on
		want           besteffort.Stats
		last           time.Duration
		kept           []byte
	}{
		"at once": {
			0,
			besteffort.Stats{Recorded: 3, Dropped: besteffort.Drops{Stopped: 1}},
			100 * time.Millisecond,
			[]byte{0, 1, 2},
		},
		"within the grace": {
			2 * time.Second,
			besteffort.Stats{Recorded: 3, Dropped: besteffort.Drops{Stopped: 1}},
			2200 * time.Millisecond,
			[]byte{0, 1, 2},
		},
		"not in time": {time.Hour, besteffort.Stats{Dropped: besteffort.Drops{Stopped: 4}}, 3 * time.Second, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				until := time.Now().Add(30*time.Second + tt.unavailableFor)
				b := start(
					t,
					besteffort.Options{Grace: 3 * time.Second},
					func(context.Context, []activity.Envelope) error {
						if time.Now().Before(until) {
							return errUnavailable
						}
						return nil
					},
				)
				for n := range byte(3) {
					b.Record(t.Context(), aboutResource(n))
				}
				elapse(30 * time.Second)
				begun := time.Now()
				b.stop()
				if took := time.Since(begun); took > tt.last {
					t.Errorf("the stop took %s, want at most %s", took, tt.last)
				}
				b.Record(t.Context(), aboutResource(3))
				b.wantStats(t, tt.want, tt.kept...)
			})
		})
	}
}

// TestStopDuringAppend ends with the grace although an Append does not return.
func TestStopDuringAppend(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := start(
			t,
			besteffort.Options{Grace: time.Second, Timeout: time.Minute},
			func(ctx context.Context, _ []activity.Envelope) error {
				<-ctx.Done()
				return ctx.Err()
			},
		)
		b.Record(t.Context(), aboutResource(1))
		synctest.Wait()
		begun := time.Now()
		b.stop()
		if took := time.Since(begun); took != time.Second {
			t.Errorf("the stop took %s, want the grace", took)
		}
		b.wantStats(t, besteffort.Stats{Dropped: besteffort.Drops{Stopped: 1}})
	})
}

func TestQueueBytes(t *testing.T) {
	t.Parallel()
	best := besteffort.New(memlog.New(memlog.Options{}), besteffort.Options{QueueBytes: 1000})
	e := aboutResource(1)
	e.Message = string(make([]byte, 300))
	for range 4 {
		best.Record(t.Context(), e)
	}
	if got := best.Stats(); got.Waiting != 3 || got.Dropped.Full != 1 {
		t.Errorf("got %+v, want three of 300 bytes to wait and one dropped", got)
	}
}

// TestReport reports the first drop immediately, then at the interval, and every drop in total.
func TestReport(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type report struct {
			At      time.Duration
			Dropped besteffort.Drops
			Said    bool
		}
		var got []report
		begun := time.Now()
		b := start(t, besteffort.Options{Report: func(dropped besteffort.Drops, last error) {
			got = append(got, report{time.Since(begun), dropped, last != nil})
		}}, nil)
		bad := aboutResource(1)
		bad.Action = "?"
		unencodable := aboutResource(1)
		unencodable.Payload = func() {}
		for range 5 {
			b.Record(t.Context(), bad)
			b.Record(t.Context(), unencodable)
			synctest.Wait()
			elapse(4 * time.Second)
		}
		elapse(time.Hour)
		b.Record(t.Context(), unencodable)
		synctest.Wait()
		b.Record(t.Context(), bad)
		b.stop()
		var total besteffort.Drops
		for i, r := range got {
			total.Invalid += r.Dropped.Invalid
			if i > 0 && i < len(got)-1 && r.At-got[i-1].At < 10*time.Second {
				t.Errorf("got reports at %s and %s", got[i-1].At, r.At)
			}
		}
		for _, r := range got {
			if !r.Said {
				t.Errorf("got a report at %s without an error, want the last error", r.At)
			}
		}
		if total.Invalid != 12 || len(got) < 4 || got[0].At != 0 || got[len(got)-1].At != time.Hour+20*time.Second {
			t.Errorf("got %+v, want 12 invalid envelopes reported: immediately, every 10 s, and at the end", got)
		}
	})
}

// TestConcurrentRecord hands envelopes over from many goroutines while Run ends: each one has one
// outcome.
func TestConcurrentRecord(t *testing.T) {
	t.Parallel()
	log := memlog.New(memlog.Options{})
	best := besteffort.New(log, besteffort.Options{Queue: 50, Batch: 7})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan struct{})
	go func() { defer close(ended); _ = best.Run(ctx) }()
	var g sync.WaitGroup
	for range 8 {
		g.Go(func() {
			for n := range 500 {
				e := aboutResource(byte(n))
				e.CorrelationID = uuid.Nil
				best.Record(ctx, e)
				if n == 400 {
					cancel()
				}
			}
		})
	}
	g.Wait()
	<-ended
	s := best.Stats()
	if s.Recorded+s.Dropped.Full+s.Dropped.Stopped != 8*500 || s.Waiting != 0 || int(s.Recorded) != len(log.Records()) {
		t.Errorf("got %+v with %d in the log, want one outcome for each of 4,000", s, len(log.Records()))
	}
}
