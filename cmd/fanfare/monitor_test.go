package main

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

// TestMonitor runs a part through good and bad times, on a clock that jumps.
func TestMonitor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.DebugLevel)
		var wrong atomic.Value
		var checks atomic.Int64
		m := newMonitor(zap.New(core), part{"heart", func(context.Context, bool) []string {
			checks.Add(1)
			return wrong.Load().([]string)
		}})
		said := func() []string {
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
		expect("before the first check", m.Wrong()["heart"], []string{"It has not been checked yet."})

		wrong.Store([]string{"It stands still."})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- m.Run(ctx) }()
		expect("at once", said(), []string{"It stands still."})
		expect("at once", m.Wrong()["heart"], []string{"It stands still."})

		time.Sleep(sayAgain - time.Second)
		expect("while it stays so", said(), nil)
		time.Sleep(time.Second)
		expect("after a minute", said(), []string{"It stands still."})

		wrong.Store([]string{"It flutters."})
		time.Sleep(checkWhenIll)
		expect("when it changes", said(), []string{"It flutters."})

		wrong.Store([]string(nil))
		time.Sleep(checkWhenIll)
		expect("when it is mended", said(), []string{"all is well again"})
		if got := m.Wrong(); len(got) > 0 {
			t.Errorf("when it is mended: got %v, want nothing", got)
		}

		checks.Store(0)
		time.Sleep(10 * checkWhenWell)
		synctest.Wait()
		if got := checks.Load(); got != 10 {
			t.Errorf("while all is well: got %d checks in ten times %v, want 10", got, checkWhenWell)
		}
		expect("while all is well", said(), nil)

		cancel()
		if err := <-ended; err != nil {
			t.Errorf("got %v, want nil", err)
		}
	})
}

func TestMonitorTakesNoAlarmAtAHiccup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.WarnLevel)
		checks := 0
		m := newMonitor(zap.New(core), part{"heart", func(context.Context, bool) []string {
			if checks++; checks == 2 {
				return []string{"It skipped a beat."}
			}
			return nil
		}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := m.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if logs.Len() > 0 || checks < 3 {
			t.Errorf("got %d complaints after %d checks, want none", logs.Len(), checks)
		}
	})
}
