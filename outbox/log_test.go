package outbox_test

import (
	"testing"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/logtest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
)

func TestLog(t *testing.T) {
	t.Parallel()
	logtest.Run(t, logtest.Subject{Keeps: true, Open: func(t testing.TB, hooks activity.Hooks) activity.Log {
		return outbox.NewLog(pgtest.New(t).Pool, outbox.Recorder{Hooks: hooks})
	}})
}
