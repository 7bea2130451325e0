// Package waittest waits in tests for conditions of other goroutines and processes.
package waittest

import (
	"fmt"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// timeout is long enough for a loaded machine. A test that passes does not wait for it.
const timeout = 30 * time.Second

// Until returns when the condition is true. If that takes too long, it fails the test with a
// message that names the condition and contains the details.
func Until(t testing.TB, what string, condition func() bool, details ...fmt.Stringer) {
	t.Helper()
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline.C:
			t.Fatalf("%s: not true after %v\n%v", what, timeout, details)
		case <-tick.C:
		}
	}
}

// Query returns when a query of one boolean returns true. If that takes too long, or the query
// fails, it fails the test.
func Query(t testing.TB, db pg.RowQuerier, what, query string, args ...any) {
	t.Helper()
	Until(t, what, func() bool {
		var is bool
		if err := db.QueryRow(t.Context(), query, args...).Scan(&is); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return is
	})
}
