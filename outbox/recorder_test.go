package outbox_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
)

// hooked returns a recorder whose hook before vetoes signal.vetoed and sets a message, and whose
// hook after collects the activities.
func hooked(heard *[]uuid.UUID) outbox.Recorder {
	return outbox.Recorder{Hooks: activity.Hooks{
		Before: []activity.BeforeAppend{func(_ context.Context, e *activity.Envelope) error {
			if e.Action == "signal.vetoed" {
				return &activity.VetoError{Reason: "it is Sunday"}
			}
			e.Message = "hooked"
			return nil
		}},
		After: []activity.AfterAppend{
			func(_ context.Context, r activity.ActivityRecorded) { *heard = append(*heard, r.RecordID) },
		},
	}}
}

func wantHeard(t *testing.T, heard []uuid.UUID, want ...uuid.UUID) {
	t.Helper()
	if len(heard) != len(want) || len(want) == 1 && heard[0] != want[0] {
		t.Errorf("the hook after heard of %v, want %v", heard, want)
	}
}

// TestTxActivityWithAnnounces announces an activity once it is committed, and leaves that to the
// caller of a savepoint.
func TestTxActivityWithAnnounces(t *testing.T) {
	t.Parallel()
	handles(t, func(t *testing.T, db *pgtest.DB, handle pg.Beginner, outer pgx.Tx) {
		var heard []uuid.UUID
		recorder := hooked(&heard)
		e := anEnvelope()
		e.CorrelationID = uuid.New()
		_, r, err := outbox.TxActivityWith(
			t.Context(),
			recorder,
			handle,
			e,
			func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (string, error) {
				wantHeard(t, heard)
				e.Message = "what fn says"
				return create("once")(ctx, tx, e)
			},
		)
		if err != nil || r.Message != "hooked" {
			t.Fatalf("got %+v, %v; want the message of the hook", r, err)
		}
		if outer != nil {
			wantHeard(t, heard)
			recorder.Announce(t.Context(), r)
		}
		wantHeard(t, heard, r.ID)
		if _, again, err := outbox.TxActivityWith(t.Context(), recorder, handle, e, create("twice")); err != nil ||
			again.Created {
			t.Fatalf("again: got %+v, %v", again, err)
		}
		wantHeard(t, heard, r.ID)

		e = anEnvelope()
		e.Action = "signal.vetoed"
		veto := (*activity.VetoError)(nil)
		if _, _, err := outbox.TxActivityWith(t.Context(), recorder, handle, e, create("vetoed")); !errors.As(
			err,
			&veto,
		) {
			t.Errorf("a veto: got %v", err)
		}
		if _, _, err := outbox.TxActivityWith(t.Context(), recorder, handle, anEnvelope(), func(context.Context, pgx.Tx,
			*activity.Envelope,
		) (string, error) {
			return "", errors.New("on purpose")
		}); err == nil {
			t.Error("fn fails: got no error")
		}
		wantHeard(t, heard, r.ID)
		wantLeft(t, db, outer, []string{"once"}, written{1, 1, 1})
	})
}

// TestRecorderInTheCallersTransaction checks that Record, RecordMany and Queue prepare their
// envelopes.
func TestRecorderInTheCallersTransaction(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	var heard []uuid.UUID
	recorder := hooked(&heard)
	actor := uuid.New()
	ctx := activity.WithRequestID(activity.WithActor(t.Context(), actor), "r-1")
	e := func(action string) activity.Envelope {
		e := anEnvelope()
		e.Action, e.ActorPrincipalID, e.CorrelationID = action, uuid.Nil, uuid.New()
		return e
	}
	tx := begin(t, db)
	one, err := recorder.Record(ctx, tx, e("signal.created"))
	if err != nil {
		t.Fatal(err)
	}
	many, err := recorder.RecordMany(ctx, tx, []activity.Envelope{e("signal.created"), e("signal.moved")})
	if err != nil {
		t.Fatal(err)
	}
	var batch pgx.Batch
	var queued outbox.Recorded
	if err := recorder.Queue(ctx, &batch, e("signal.created"), &queued); err != nil {
		t.Fatal(err)
	}
	if err := tx.SendBatch(ctx, &batch).Close(); err != nil {
		t.Fatal(err)
	}
	all := append(many, one, queued)
	for _, r := range all {
		if !r.Created || r.Message != "hooked" || r.ActorPrincipalID != actor || r.RequestID != "r-1" {
			t.Errorf("got %+v, want it prepared", r)
		}
	}
	veto := (*activity.VetoError)(nil)
	if _, err := recorder.Record(ctx, tx, e("signal.vetoed")); !errors.As(err, &veto) {
		t.Errorf("Record: got %v, want a veto", err)
	}
	if _, err := recorder.RecordMany(ctx, tx, []activity.Envelope{e("signal.created"), e("signal.vetoed")}); !errors.As(
		err,
		&veto,
	) {
		t.Errorf("RecordMany: got %v, want a veto", err)
	}
	if err := recorder.Queue(ctx, &batch, e("signal.vetoed"), &queued); !errors.As(err, &veto) {
		t.Errorf("Queue: got %v, want a veto", err)
	}
	if _, err := outbox.Record(t.Context(), tx, e("signal.created")); len(refusedFields(err)) != 1 {
		t.Errorf("no actor anywhere: got %v, want it refused", err)
	}
	commit(t, tx)
	wantHeard(t, heard)
	recorder.Announce(ctx, all...)
	wantHeard(t, heard, all[0].ID, all[1].ID, all[2].ID, all[3].ID)
	if got := countWritten(t, db.Pool); got != (written{4, 4, 4}) {
		t.Errorf("got %+v written, want 4 of each", got)
	}
}

// TestLogInTheCallersTransaction rolls back with the caller, and leaves the announcement to the
// caller.
func TestLogInTheCallersTransaction(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	var heard []uuid.UUID
	tx := begin(t, db)
	log := outbox.NewLog(tx, hooked(&heard))
	if _, err := log.Append(t.Context(), anEnvelope(), anEnvelope()); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Append(t.Context(), anEnvelope(), activity.Envelope{}); err == nil {
		t.Error("an empty envelope: got no error")
	}
	if list, _, err := log.List(t.Context(), anEnvelope().TenantID, activity.Filter{}, activity.Page{}); len(
		list,
	) != 2 ||
		err != nil {
		t.Errorf("in the transaction: got %v, %v, want the first two", list, err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantHeard(t, heard)
	if got := countWritten(t, db.Pool); got != (written{}) {
		t.Errorf("got %+v written, want nothing", got)
	}
}
