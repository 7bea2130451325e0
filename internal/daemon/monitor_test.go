package daemon

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// TestMonitor takes a dependency through an outage, on a synthetic clock.
func TestMonitor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.DebugLevel)
		var problems atomic.Value
		var checks atomic.Int64
		m := newMonitor(zap.New(core), dependency{"server", func(context.Context, bool) []string {
			checks.Add(1)
			return problems.Load().([]string)
		}})
		messages := func() []string {
			synctest.Wait()
			var lines []string
			for _, entry := range logs.TakeAll() {
				lines = append(lines, entry.Message)
			}
			return lines
		}
		expect := func(when string, got, want []string) {
			t.Helper()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		expect("before the first check", m.Problems()["server"], []string{"Not checked yet."})

		problems.Store([]string{"It is down."})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- m.Run(ctx) }()
		expect("immediately", messages(), []string{"It is down."})
		expect("immediately", m.Problems()["server"], []string{"It is down."})

		time.Sleep(repeatInterval - time.Second)
		expect("while the problem persists", messages(), nil)
		time.Sleep(time.Second)
		expect("after a minute", messages(), []string{"It is down."})

		problems.Store([]string{"It is slow."})
		time.Sleep(unhealthyInterval)
		expect("when the problem changes", messages(), []string{"It is slow."})

		problems.Store([]string(nil))
		time.Sleep(unhealthyInterval)
		expect("when the problem is solved", messages(), []string{"dependency is available again"})
		if got := m.Problems(); len(got) > 0 {
			t.Errorf("when the problem is solved: got %v, want nothing", got)
		}

		checks.Store(0)
		time.Sleep(10 * healthyInterval)
		synctest.Wait()
		if got := checks.Load(); got != 10 {
			t.Errorf("while available: got %d checks in ten times %v, want 10", got, healthyInterval)
		}
		expect("while available", messages(), nil)

		cancel()
		if err := <-ended; err != nil {
			t.Errorf("got %v, want nil", err)
		}
	})
}

func TestMonitorIgnoresASingleFailedCheck(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.WarnLevel)
		checks := 0
		m := newMonitor(zap.New(core), dependency{"server", func(context.Context, bool) []string {
			if checks++; checks == 2 {
				return []string{"It failed once."}
			}
			return nil
		}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := m.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if logs.Len() > 0 || checks < 3 {
			t.Errorf("got %d messages after %d checks, want none", logs.Len(), checks)
		}
	})
}
