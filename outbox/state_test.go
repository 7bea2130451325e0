package outbox_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
)

// TestState follows one activity through the tables of pending activities.
func TestState(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	tenant, resource, last := uuid.New(), uuid.New(), uuid.New()
	var a activity.Activity
	err := pgx.BeginFunc(t.Context(), db.Pool, func(tx pgx.Tx) error {
		recorded, err := outbox.Record(t.Context(), tx, envelope(tenant, resource, "signal.one"))
		a = recorded.Activity
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	state := func(of activity.Activity) (s outbox.State) {
		t.Helper()
		batch := &pgx.Batch{}
		outbox.QueueState(batch, &of, &s)
		if err := db.Pool.SendBatch(t.Context(), batch).Close(); err != nil {
			t.Fatal(err)
		}
		return s
	}
	const columns = ` (activity_id, lane, seq, tenant_id, resource_id, recorded_at`
	for _, step := range []struct {
		sql  string
		want outbox.State
	}{
		{"SELECT $1::uuid, $2::uuid", outbox.State{Pending: true}},
		{
			`WITH x AS (DELETE FROM fanfare.outbox WHERE activity_id = $1 AND tenant_id <> $2 RETURNING *)
			INSERT INTO fanfare.parked` + columns + `)
			SELECT activity_id, lane, seq, tenant_id, resource_id, recorded_at FROM x`,
			outbox.State{Pending: true},
		},
		{
			`WITH x AS (DELETE FROM fanfare.parked WHERE activity_id = $1 RETURNING *)
			INSERT INTO fanfare.fan_out_jobs` + columns + `, last_principal_id)
			SELECT activity_id, lane, seq, tenant_id, resource_id, recorded_at, $2 FROM x`,
			outbox.State{Job: true, LastPrincipalID: last},
		},
		{
			`WITH x AS (DELETE FROM fanfare.fan_out_jobs WHERE activity_id = $1 AND last_principal_id = $2 RETURNING *)
			INSERT INTO fanfare.dead_letters` + columns + `, attempts, error)
			SELECT activity_id, lane, seq, tenant_id, resource_id, recorded_at, 3, '' FROM x`,
			outbox.State{Dead: true},
		},
		{`DELETE FROM fanfare.dead_letters WHERE activity_id = $1 AND tenant_id <> $2`, outbox.State{}},
	} {
		if _, err := db.Pool.Exec(t.Context(), step.sql, a.ID, last); err != nil {
			t.Fatal(err)
		}
		if got := state(a); got != step.want {
			t.Errorf("%s: got %+v, want %+v", step.sql, got, step.want)
		}
		foreign := a
		foreign.TenantID = uuid.New()
		if got := state(foreign); got != (outbox.State{}) {
			t.Errorf("%s, of another tenant: got %+v, want none", step.sql, got)
		}
	}
	// A lane of ten thousand pending activities, which ended a minute before the activity.
	_, err = db.Pool.Exec(t.Context(), `
		INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at)
		SELECT fanfare.lane_of($1, $2), gen_random_uuid(), $1, $2, $3 FROM generate_series(1, 10000)`,
		tenant, resource, a.RecordedAt.Add(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if got := state(a); !got.Pending {
		t.Errorf("behind a full lane: got %+v, want pending", got)
	}
	a.RecordedAt = a.RecordedAt.Add(-2 * time.Minute)
	if got := state(a); got.Pending {
		t.Errorf("before a full lane: got %+v, want none", got)
	}
}
