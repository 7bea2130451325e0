package memlog_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/memlog"
	"github.com/fanfarehq/fanfare/internal/logtest"
)

func TestLog(t *testing.T) {
	t.Parallel()
	logtest.Run(t, logtest.Subject{
		Keeps: true,
		Open: func(_ testing.TB, hooks activity.Hooks) activity.Log {
			return memlog.New(memlog.Options{Hooks: hooks})
		},
	})
}

// TestScanBudget has pages that end at the budget.
func TestScanBudget(t *testing.T) {
	t.Parallel()
	logtest.Run(
		t,
		logtest.Subject{
			Keeps: true,
			Short: true,
			Open: func(_ testing.TB, hooks activity.Hooks) activity.Log {
				return memlog.New(memlog.Options{Hooks: hooks, ScanBudget: 2})
			},
		},
	)
}

// aboutResource returns an envelope on the nth resource.
func aboutResource(n byte) activity.Envelope {
	return activity.Envelope{
		TenantID:         uuid.UUID{1},
		ActorPrincipalID: uuid.UUID{2},
		ResourceID:       uuid.UUID{3, 15: n},
		CorrelationID:    uuid.UUID{4},
		ResourceType:     "signal",
		Action:           "signal.created",
	}
}

func TestMaxActivities(t *testing.T) {
	t.Parallel()
	log := memlog.New(memlog.Options{MaxActivities: 3})
	for n := range byte(5) {
		if _, err := log.Append(t.Context(), aboutResource(n)); err != nil {
			t.Fatal(err)
		}
	}
	var kept []byte
	for _, a := range log.Records() {
		kept = append(kept, a.ResourceID[15])
	}
	if string(kept) != "\x02\x03\x04" {
		t.Errorf("got %v kept, want the newest three, oldest first", kept)
	}
	recorded, err := log.Append(t.Context(), aboutResource(4), aboutResource(0))
	if err != nil || recorded[0].Created || !recorded[1].Created {
		t.Errorf(
			"got %+v, %v; want the kept activity to exist and the removed one to be created again",
			recorded,
			err,
		)
	}
}

// TestClock stops the clock and then sets it back: ids ascend nevertheless.
func TestClock(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 6789, time.UTC)
	now := at
	log := memlog.New(memlog.Options{Clock: func() time.Time { return now }})
	var last uuid.UUID
	for n := range 1000 {
		e := aboutResource(0)
		e.CorrelationID = uuid.Nil
		recorded, err := log.Append(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		r := recorded[0]
		if !r.RecordedAt.Equal(at.Truncate(time.Microsecond)) || !r.OccurredAt.Equal(r.RecordedAt) ||
			r.CorrelationID != r.ID {
			t.Fatalf("got %+v, want the time of the clock", r)
		}
		if r.ID.String() <= last.String() || r.ID.Version() != 7 || r.ID.Variant() != uuid.RFC4122 {
			t.Fatalf("got id %s after %s", r.ID, last)
		}
		if sec, nsec := r.ID.Time().UnixTime(); !time.Unix(sec, nsec).Equal(at.Truncate(time.Millisecond)) {
			t.Fatalf("got an id of %s", time.Unix(sec, nsec))
		}
		last = r.ID
		if n == 500 {
			now = at.Add(-time.Hour)
		}
	}
}

func TestEachLogHasItsOwnHashKey(t *testing.T) {
	t.Parallel()
	var hashes [2]string
	for i := range hashes {
		e := aboutResource(0)
		e.IP = "192.0.2.7"
		recorded, err := memlog.New(memlog.Options{}).Append(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		hashes[i] = string(recorded[0].IPHash)
	}
	if hashes[0] == hashes[1] {
		t.Error("got the same hash of an address from two logs, want a key for each")
	}
}
