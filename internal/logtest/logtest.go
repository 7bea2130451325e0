// Package logtest is the conformance suite of activity.Log.
package logtest

import (
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/activitytest"
)

// Subject is an implementation of activity.Log.
type Subject struct {
	// Open returns a new, empty log with hooks.
	Open func(t testing.TB, hooks activity.Hooks) activity.Log
	// Keeps reports whether the log keeps activities. Of a log that does not, only the refusals are
	// tested.
	Keeps bool
	// Short reports whether pages may end at the scan budget.
	Short bool
}

// Run runs the suite.
func Run(t *testing.T, s Subject) {
	t.Run("refuses", func(t *testing.T) { t.Parallel(); refuses(t, s) })
	t.Run("refuses filters", func(t *testing.T) { t.Parallel(); refusesFilters(t, s) })
	t.Run("hooks before", func(t *testing.T) { t.Parallel(); hooksBefore(t, s) })
	t.Run("hooks after", func(t *testing.T) { t.Parallel(); hooksAfter(t, s) })
	t.Run("the context", func(t *testing.T) { t.Parallel(); fillsFromContext(t, s) })
	t.Run("a context that has ended", func(t *testing.T) { t.Parallel(); contextEnded(t, s) })
	t.Run("unknown ids and other tenants", func(t *testing.T) { t.Parallel(); unknownAndForeign(t, s) })
	if !s.Keeps {
		t.Run("keeps nothing", func(t *testing.T) { t.Parallel(); keepsNothing(t, s) })
		return
	}
	t.Run("stored values", func(t *testing.T) { t.Parallel(); stored(t, s) })
	t.Run("all or none", func(t *testing.T) { t.Parallel(); allOrNone(t, s) })
	t.Run("duplicates", func(t *testing.T) { t.Parallel(); duplicates(t, s) })
	t.Run("filters", func(t *testing.T) { t.Parallel(); filters(t, s) })
	t.Run("pages during appends", func(t *testing.T) { t.Parallel(); pages(t, s) })
	t.Run("counts", func(t *testing.T) { t.Parallel(); counts(t, s) })
	t.Run("concurrent appends", func(t *testing.T) { t.Parallel(); concurrentAppends(t, s) })
}

// envelope returns a valid envelope on a new resource.
func envelope(tenant uuid.UUID) activity.Envelope {
	e := activitytest.NewEnvelope()
	e.TenantID = tenant
	return e
}

// mustAppend appends envelopes and returns one activity for each.
func mustAppend(t testing.TB, log activity.Log, envelopes ...activity.Envelope) []activity.Recorded {
	t.Helper()
	recorded, err := log.Append(t.Context(), envelopes...)
	if err != nil {
		t.Fatal(err)
	}
	if len(recorded) != len(envelopes) {
		t.Fatalf("got %d activities for %d envelopes", len(recorded), len(envelopes))
	}
	return recorded
}

// all returns the tenant's activities that pass a filter, newest first, read in pages of limit.
func all(t testing.TB, log activity.Log, tenant uuid.UUID, f activity.Filter, limit int) (found []activity.Activity) {
	t.Helper()
	for page := (activity.Page{Limit: limit}); ; {
		list, next, err := log.List(t.Context(), tenant, f, page)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, list...)
		if next == uuid.Nil {
			return found
		}
		page.Before = next
	}
}

func ids(list []activity.Activity) []uuid.UUID {
	of := make([]uuid.UUID, len(list))
	for i := range list {
		of[i] = list[i].ID
	}
	return of
}
