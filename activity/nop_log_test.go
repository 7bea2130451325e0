package activity_test

import (
	"testing"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/logtest"
)

func TestNopLog(t *testing.T) {
	t.Parallel()
	logtest.Run(
		t,
		logtest.Subject{
			Open: func(_ testing.TB, hooks activity.Hooks) activity.Log { return activity.NopLog{Hooks: hooks} },
		},
	)
}
