package outbox_test

import (
	"context"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/besteffort"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
)

// TestBestEffortIntoPostgres records a batch with an envelope that only the database rejects, and a
// batch that the database fails to record.
func TestBestEffortIntoPostgres(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, sql := range []string{
		`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'on purpose'
			USING ERRCODE = 'integrity_constraint_violation'; END $$`,
		`CREATE TRIGGER fail BEFORE INSERT ON fanfare.outbox FOR EACH ROW
			WHEN (NEW.resource_id = '00000000-0000-4000-8000-000000000007') EXECUTE FUNCTION fail()`,
		`UPDATE fanfare.settings SET max_payload_bytes = 20`,
	} {
		if _, err := db.Pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	var heard sync.Map
	recorder := outbox.Recorder{Hooks: activity.Hooks{After: []activity.AfterAppend{
		func(_ context.Context, r activity.ActivityRecorded) { heard.Store(r.RecordID, r.ActorID) },
	}}}
	best := besteffort.New(outbox.NewLog(db.Pool, recorder), besteffort.Options{})
	for n := range 10 {
		e := anEnvelope()
		e.ActorPrincipalID = uuid.Nil
		switch n {
		case 3:
			e.Payload = map[string]string{"title": "longer than it may be"}
		case 6:
			e.ResourceID = uuid.MustParse("00000000-0000-4000-8000-000000000007")
		}
		best.Record(t.Context(), e)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel() // from the first, so that it ends when it has flushed
	if err := best.Run(stopped); err != nil {
		t.Fatal(err)
	}
	want := besteffort.Stats{Recorded: 8, Dropped: besteffort.Drops{Invalid: 1, Failed: 1}}
	if got := best.Stats(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := countWritten(t, db.Pool); got != (written{8, 8, 8}) {
		t.Errorf("got %+v written, want 8 of each", got)
	}
	calls := 0
	heard.Range(func(_, actor any) bool {
		calls++
		if actor != activity.System {
			t.Errorf("got actor %s, want the system", actor)
		}
		return true
	})
	if calls != 8 {
		t.Errorf("the hook after ran for %d, want 8", calls)
	}
}
