// Package logtest holds every activity.Log to the same behaviour.
package logtest

import (
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/activitytest"
)

// Subject is a kind of log under test.
type Subject struct {
	// Open returns an empty log with hooks. It may be called many times.
	Open func(t testing.TB, hooks activity.Hooks) activity.Log
	// Keeps tells whether what is appended can be found. A log that does not keep is held to what
	// it refuses.
	Keeps bool
	// Short tells whether pages may end before they are full, as they do where the log has looked
	// at much.
	Short bool
}

// Run holds a kind of log to what all of them promise.
func Run(t *testing.T, s Subject) {
	t.Run("refuses", func(t *testing.T) { t.Parallel(); refuses(t, s) })
	t.Run("refuses filters", func(t *testing.T) { t.Parallel(); refusesFilters(t, s) })
	t.Run("hooks before", func(t *testing.T) { t.Parallel(); hooksBefore(t, s) })
	t.Run("hooks after", func(t *testing.T) { t.Parallel(); hooksAfter(t, s) })
	t.Run("the context", func(t *testing.T) { t.Parallel(); fillsFromContext(t, s) })
	t.Run("a context that has ended", func(t *testing.T) { t.Parallel(); contextEnded(t, s) })
	t.Run("unknown and foreign", func(t *testing.T) { t.Parallel(); unknownAndForeign(t, s) })
	if !s.Keeps {
		t.Run("keeps nothing", func(t *testing.T) { t.Parallel(); keepsNothing(t, s) })
		return
	}
	t.Run("what is stored", func(t *testing.T) { t.Parallel(); stored(t, s) })
	t.Run("all or none", func(t *testing.T) { t.Parallel(); allOrNone(t, s) })
	t.Run("what stands", func(t *testing.T) { t.Parallel(); whatStands(t, s) })
	t.Run("filters", func(t *testing.T) { t.Parallel(); filters(t, s) })
	t.Run("pages while more arrives", func(t *testing.T) { t.Parallel(); pages(t, s) })
	t.Run("counts", func(t *testing.T) { t.Parallel(); counts(t, s) })
	t.Run("many at once", func(t *testing.T) { t.Parallel(); manyAtOnce(t, s) })
}

// envelope returns one that will do, about a resource of its own.
func envelope(tenant uuid.UUID) activity.Envelope {
	e := activitytest.NewEnvelope()
	e.TenantID = tenant
	return e
}

// mustAppend appends envelopes and checks that each has an answer.
func mustAppend(t testing.TB, log activity.Log, envelopes ...activity.Envelope) []activity.Recorded {
	t.Helper()
	recorded, err := log.Append(t.Context(), envelopes...)
	if err != nil {
		t.Fatal(err)
	}
	if len(recorded) != len(envelopes) {
		t.Fatalf("got %d answers to %d envelopes", len(recorded), len(envelopes))
	}
	return recorded
}

// all returns the tenant's activities that pass a filter, newest first, by pages of so many.
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
