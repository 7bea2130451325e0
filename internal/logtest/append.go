package logtest

import (
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

func allOrNone(t *testing.T, s Subject) {
	log := s.Open(t, activity.Hooks{})
	tenant := uuid.New()
	envelopes := make([]activity.Envelope, 20)
	for i := range envelopes {
		envelopes[i] = envelope(tenant)
	}
	recorded := mustAppend(t, log, envelopes...)
	for i := range recorded {
		if !recorded[i].Created || recorded[i].ResourceID != envelopes[i].ResourceID {
			t.Fatalf("activity %d: got %+v, want the activity of the envelope with the index", i, recorded[i])
		}
	}
	envelopes[13].Action = "?"
	for i := range envelopes {
		envelopes[i].CorrelationID = uuid.New()
	}
	if _, err := log.Append(t.Context(), envelopes...); !slices.Equal(
		refusedFields(err),
		[]string{"envelopes[13].action"},
	) {
		t.Fatalf("got %v, want one refused", err)
	}
	if found := all(t, log, tenant, activity.Filter{}, 7); len(found) != 20 {
		t.Errorf("got %d activities, want only the first 20", len(found))
	}
	envelopes[13].Action = "signal.created" // the key of none is taken
	for i, r := range mustAppend(t, log, envelopes...) {
		if !r.Created {
			t.Errorf("activity %d: got an existing activity, want a new one", i)
		}
	}
}

func duplicates(t *testing.T, s Subject) {
	log := s.Open(t, activity.Hooks{})
	e := envelope(uuid.New())
	e.CorrelationID = uuid.New()
	recorded := mustAppend(t, log, e, e)
	first := recorded[0]
	other := e
	other.ActorPrincipalID, other.ResourceType, other.Payload = uuid.New(), "other", map[string]int{"n": 1}
	for i, again := range []activity.Recorded{recorded[1], mustAppend(t, log, other)[0]} {
		if diff := cmp.Diff(first.Activity, again.Activity); diff != "" || again.Created {
			t.Errorf("again %d: created %t, activity (-first +again):\n%s", i, again.Created, diff)
		}
	}
	for name, change := range map[string]func(e *activity.Envelope){
		"tenant":      func(e *activity.Envelope) { e.TenantID = uuid.New() },
		"correlation": func(e *activity.Envelope) { e.CorrelationID = uuid.New() },
		"action":      func(e *activity.Envelope) { e.Action = "signal.moved" },
		"resource":    func(e *activity.Envelope) { e.ResourceID = uuid.New() },
	} {
		different := e
		change(&different)
		if r := mustAppend(t, log, different)[0]; !r.Created || r.ID == first.ID {
			t.Errorf("another %s: got the existing activity, want a new one", name)
		}
	}
}

// concurrentAppends appends the same keys from many goroutines.
func concurrentAppends(t *testing.T, s Subject) {
	log := s.Open(t, activity.Hooks{})
	tenant := uuid.New()
	envelopes := make([]activity.Envelope, 10)
	for i := range envelopes {
		envelopes[i] = envelope(tenant)
		envelopes[i].CorrelationID = uuid.New()
	}
	var mu sync.Mutex
	created := map[uuid.UUID]int{}
	var g sync.WaitGroup
	for range 8 {
		g.Go(func() {
			for _, e := range envelopes {
				recorded, err := log.Append(t.Context(), e)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if recorded[0].Created {
					created[e.ResourceID]++
				}
				mu.Unlock()
				if _, err := log.Get(t.Context(), tenant, recorded[0].ID); err != nil {
					t.Error(err)
				}
			}
		})
	}
	g.Wait()
	for _, e := range envelopes {
		if created[e.ResourceID] != 1 {
			t.Errorf("got one key created %d times", created[e.ResourceID])
		}
	}
	found := all(t, log, tenant, activity.Filter{}, 3)
	if len(found) != len(envelopes) {
		t.Errorf("got %d activities, want %d", len(found), len(envelopes))
	}
}
