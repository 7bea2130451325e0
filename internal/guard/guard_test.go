package guard_test

import (
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/fanfarehq/fanfare/internal/guard"
)

func TestPanicsAreLoggedOnceAMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		core, logged := observer.New(zap.ErrorLevel)
		g := guard.Guard{Log: zap.New(core), Name: "observer"}
		called := 0
		for range 3 {
			g.Call(func() { called++; panic("nil map") })
		}
		if called != 3 || logged.FilterMessage("observer panicked").Len() != 1 {
			t.Errorf("got %d calls and the log %v, want 3 and one message", called, logged.All())
		}
		time.Sleep(time.Minute)
		g.Call(func() { panic("nil map") })
		if got := logged.Len(); got != 2 {
			t.Errorf("a minute later: got %d messages, want 2", got)
		}
	})
}

func TestWithoutALogger(t *testing.T) {
	t.Parallel()
	var g guard.Guard
	returned := false
	g.Call(func() { panic("nil map") })
	g.Call(func() { returned = true })
	if !returned {
		t.Error("the function after the panic was not called")
	}
}
