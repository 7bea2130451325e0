package outbox_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/outbox"
)

// bury records activities and makes dead letters of them, in order.
func bury(t testing.TB, db *pgtest.DB, envelopes ...activity.Envelope) []outbox.Recorded {
	t.Helper()
	tx := begin(t, db)
	recorded, err := outbox.RecordMany(t.Context(), tx, envelopes)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range recorded {
		_, err := tx.Exec(t.Context(), `
			WITH gone AS (DELETE FROM fanfare.outbox WHERE activity_id = $1 RETURNING *)
			INSERT INTO fanfare.dead_letters (
			    activity_id, lane, seq, tenant_id, resource_id, recorded_at, died_at, attempts, channels, error)
			SELECT activity_id, lane, seq, tenant_id, resource_id, recorded_at,
			       '2026-01-01Z'::timestamptz + make_interval(mins => $2), 10, '{user:#x}',
			       'payload too large'
			FROM gone`, r.ID, i)
		if err != nil {
			t.Fatal(err)
		}
	}
	commit(t, tx)
	return recorded
}

func of(tenant uuid.UUID) activity.Envelope {
	e := anEnvelope()
	e.TenantID = tenant
	return e
}

func TestBacklogStatus(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	b := outbox.NewBacklog(db.Pool)
	ours, theirs := uuid.New(), uuid.New()
	got, err := b.Status(t.Context(), uuid.Nil)
	if diff := cmp.Diff(outbox.Status{}, got); diff != "" || err != nil {
		t.Errorf("of nothing: %v (-want +got):\n%s", err, diff)
	}
	bury(t, db, of(ours), of(theirs), of(theirs))
	tx := begin(t, db)
	oldest := mustRecord(t, tx, of(ours))
	mustRecord(t, tx, of(ours))
	oldestOfTheirs := mustRecord(t, tx, of(theirs))
	_, err = tx.Exec(t.Context(), `
		INSERT INTO fanfare.parked (lane, seq, activity_id, tenant_id, resource_id, recorded_at, attempts) VALUES
			(1, 1001, gen_random_uuid(), $1, gen_random_uuid(), now(), 3),
			(1, 1002, gen_random_uuid(), $1, gen_random_uuid(), now(), 0)`, ours)
	if err == nil {
		_, err = tx.Exec(
			t.Context(),
			`INSERT INTO fanfare.fan_out_jobs (activity_id, lane, seq, tenant_id, resource_id, recorded_at)
			VALUES (gen_random_uuid(), 1, 1003, $1, gen_random_uuid(), now())`,
			theirs,
		)
	}
	if err != nil {
		t.Fatal(err)
	}
	commit(t, tx)
	for name, tc := range map[string]struct {
		tenant uuid.UUID
		want   outbox.Status
	}{
		"every tenant's": {uuid.Nil, outbox.Status{
			Pending: 3, OldestAt: &oldest.RecordedAt, Parked: 2, Failing: 1,
			FanOutJobs: 1, DeadLetters: 3,
		}},
		"ours": {ours, outbox.Status{
			Pending: 2, OldestAt: &oldest.RecordedAt, Parked: 2, Failing: 1,
			DeadLetters: 1,
		}},
		"theirs": {theirs, outbox.Status{
			Pending: 1, OldestAt: &oldestOfTheirs.RecordedAt, FanOutJobs: 1,
			DeadLetters: 2,
		}},
		"another tenant's": {uuid.New(), outbox.Status{}},
	} {
		got, err := b.Status(t.Context(), tc.tenant)
		if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	b := outbox.NewBacklog(db.Pool)
	ours, theirs := uuid.New(), uuid.New()
	dead := bury(t, db, of(ours), of(theirs), of(ours))
	letter := func(i int) outbox.DeadLetter {
		r := dead[i]
		return outbox.DeadLetter{
			ActivityID: r.ID, TenantID: r.TenantID, ResourceID: r.ResourceID, Action: r.Action,
			RecordedAt: r.RecordedAt,
			DiedAt: time.Date(
				2026,
				1,
				1,
				0,
				i,
				0,
				0,
				time.UTC,
			), Attempts: 10, Channels: []string{"user:#x"}, Error: "payload too large", ResourceType: r.ResourceType,
		}
	}
	for name, tc := range map[string]struct {
		tenant uuid.UUID
		limit  int
		want   []outbox.DeadLetter
	}{
		"every tenant's":   {uuid.Nil, 10, []outbox.DeadLetter{letter(2), letter(1), letter(0)}},
		"the newest":       {uuid.Nil, 1, []outbox.DeadLetter{letter(2)}},
		"ours":             {ours, 10, []outbox.DeadLetter{letter(2), letter(0)}},
		"theirs":           {theirs, 10, []outbox.DeadLetter{letter(1)}},
		"another tenant's": {uuid.New(), 10, []outbox.DeadLetter{}},
		"limit 0":          {uuid.Nil, 0, []outbox.DeadLetter{}},
	} {
		got, err := b.DeadLetters(t.Context(), tc.tenant, outbox.DeadQuery{Limit: tc.limit})
		if diff := cmp.Diff(tc.want, got, cmp.Comparer(time.Time.Equal)); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

// TestDeadLetterOutlivesItsActivity lists a dead letter whose activity was purged.
func TestDeadLetterOutlivesItsActivity(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	_, err := db.Pool.Exec(
		t.Context(),
		`INSERT INTO fanfare.dead_letters (activity_id, lane, seq, tenant_id, resource_id, recorded_at, attempts, error)
		VALUES (gen_random_uuid(), 1, 1, gen_random_uuid(), gen_random_uuid(), now(), 1, '')`,
	)
	if err != nil {
		t.Fatal(err)
	}
	got, err := outbox.NewBacklog(db.Pool).DeadLetters(t.Context(), uuid.Nil, outbox.DeadQuery{Limit: 10})
	if err != nil || len(got) != 1 || got[0].Action != "" || got[0].Channels != nil {
		t.Errorf("got %+v, %v; want one without an action", got, err)
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	ours, theirs := uuid.New(), uuid.New()
	// The dead letters are 0 ours, 1 theirs, 2 ours; a nil id selects all.
	for name, tc := range map[string]struct {
		tenant uuid.UUID
		of     int // index of the dead letter; below zero: all
		want   []int
	}{
		"everything":            {uuid.Nil, -1, []int{0, 1, 2}},
		"all of ours":           {ours, -1, []int{0, 2}},
		"one":                   {uuid.Nil, 1, []int{1}},
		"one of ours":           {ours, 2, []int{2}},
		"one of theirs":         {ours, 1, nil},
		"all of another tenant": {uuid.New(), -1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.New(t)
			b := outbox.NewBacklog(db.Pool)
			dead := bury(t, db, of(ours), of(theirs), of(ours))
			ahead := record(t, db.Pool, of(ours))
			id := uuid.Nil
			if tc.of >= 0 {
				id = dead[tc.of].ID
			}
			replayed, err := b.Replay(t.Context(), tc.tenant, id)
			wantError := tc.of >= 0 && len(tc.want) == 0
			if wantError != errors.Is(err, activity.ErrNotFound) || !wantError && err != nil {
				t.Errorf("error: got %v, want ErrNotFound: %t", err, wantError)
			}
			if int(replayed) != len(tc.want) {
				t.Errorf("replayed: got %d, want %d", replayed, len(tc.want))
			}
			want := []uuid.UUID{ahead}
			for _, i := range tc.want {
				want = append(want, dead[i].ID)
			}
			if diff := cmp.Diff(want, collect[uuid.UUID](t, db, `SELECT activity_id FROM fanfare.outbox
				ORDER BY seq`)); diff != "" {
				t.Errorf("the outbox (-want +got):\n%s", diff)
			}
			if got := count(t, db.Pool, "fanfare.dead_letters"); got != len(dead)-len(tc.want) {
				t.Errorf("dead letters left: got %d, want %d", got, len(dead)-len(tc.want))
			}
			wrong := count(t, db.Pool, `fanfare.outbox AS o JOIN fanfare.activities AS a ON a.id = o.activity_id
				WHERE (o.lane, o.tenant_id, o.resource_id, o.recorded_at)
				    <> (fanfare.lane_of(a.tenant_id, a.resource_id), a.tenant_id, a.resource_id, a.recorded_at)`)
			if wrong != 0 {
				t.Errorf("rows that differ from their activity: got %d, want 0", wrong)
			}
		})
	}
}

func TestReplayOfNoDeadLetter(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	b := outbox.NewBacklog(db.Pool)
	pending := record(t, db.Pool, anEnvelope())
	for name, id := range map[string]uuid.UUID{"unknown": uuid.New(), "pending": pending} {
		if n, err := b.Replay(t.Context(), uuid.Nil, id); !errors.Is(err, activity.ErrNotFound) || n != 0 {
			t.Errorf("%s: got %d, %v; want ErrNotFound", name, n, err)
		}
	}
	if got := count(t, db.Pool, "fanfare.outbox"); got != 1 {
		t.Errorf("the outbox: got %d rows, want 1", got)
	}
}

func TestPark(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	b := outbox.NewBacklog(db.Pool)
	e := of(uuid.New())
	first := record(t, db.Pool, e)
	e.Action = "signal.updated"
	second := record(t, db.Pool, e)
	other := record(t, db.Pool, of(e.TenantID))

	for name, tc := range map[string]struct{ tenant, id uuid.UUID }{
		"unknown":          {uuid.Nil, uuid.New()},
		"another tenant's": {uuid.New(), first},
	} {
		if err := b.Park(t.Context(), tc.tenant, tc.id, time.Hour, "why"); !errors.Is(err, activity.ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", name, err)
		}
	}
	if got := count(t, db.Pool, "fanfare.parked"); got != 0 {
		t.Fatalf("parked: got %d, want 0", got)
	}

	if err := b.Park(t.Context(), e.TenantID, first, time.Hour, "the client is down"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]uuid.UUID{second, other}, collect[uuid.UUID](t, db, `SELECT activity_id FROM fanfare.outbox
		ORDER BY seq`)); diff != "" {
		t.Errorf("the outbox (-want +got):\n%s", diff)
	}
	if got := count(t, db.Pool, `fanfare.parked WHERE attempts = 0 AND error = 'the client is down' AND channels IS NULL
		AND retry_at BETWEEN now() + interval '59 minutes' AND now() + interval '61 minutes'`); got != 1 {
		t.Errorf("parked for an hour: got %d, want 1", got)
	}

	// A blocked activity cannot be parked on its own.
	if err := b.Park(t.Context(), uuid.Nil, second, time.Hour, ""); !errors.Is(err, outbox.ErrBlocked) {
		t.Errorf("one behind it: got %v, want ErrBlocked", err)
	}

	// Parking it again changes the time and the reason.
	if err := b.Park(t.Context(), uuid.Nil, first, 2*time.Hour, "still down"); err != nil {
		t.Fatal(err)
	}
	if got := count(t, db.Pool, `fanfare.parked WHERE error = 'still down'
		AND retry_at > now() + interval '119 minutes'`); got != 1 {
		t.Errorf("parked for two hours: got %d, want 1", got)
	}

	// The blocked activity waits; an activity of another resource is delivered.
	h := &ledger{}
	if _, err := db.Pool.Exec(t.Context(), ledgerTable); err != nil {
		t.Fatal(err)
	}
	run(t, db.Pool, h, outbox.Options{})
	waittest.Query(t, db.Pool, "the outbox is empty", `SELECT NOT EXISTS (SELECT FROM fanfare.outbox)`)
	if diff := cmp.Diff([]uuid.UUID{other}, collect[uuid.UUID](t, db, `SELECT activity_id FROM ledger`)); diff != "" {
		t.Errorf("delivered meanwhile (-want +got):\n%s", diff)
	}
	if err := b.Park(t.Context(), uuid.Nil, other, time.Hour, ""); !errors.Is(err, activity.ErrNotFound) {
		t.Errorf("one that is delivered: got %v, want ErrNotFound", err)
	}
	// The parked activity becomes due.
	if err := b.Park(t.Context(), uuid.Nil, first, 0, "up again"); err != nil {
		t.Fatal(err)
	}
	waittest.Query(t, db.Pool, "both are delivered", `SELECT count(*) = 3 FROM ledger`)
	if diff := cmp.Diff([]uuid.UUID{other, first, second}, collect[uuid.UUID](t, db, `SELECT activity_id FROM ledger
		ORDER BY n`)); diff != "" {
		t.Errorf("delivered (-want +got):\n%s", diff)
	}
}
