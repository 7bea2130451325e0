package inbox

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/watchers"
)

// TestWriteKeepsWhatExists writes notifications of which one exists, as a replay does.
func TestWriteKeepsWhatExists(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	tenant, first, second := uuid.New(), uuid.New(), uuid.New()
	principals := []uuid.UUID{uuid.New(), uuid.New(), uuid.New()}
	write := func(reasons watchers.Reasons, activityID uuid.UUID, principals ...uuid.UUID) {
		t.Helper()
		var rows Rows
		for _, id := range principals {
			rows.Add(&activity.Activity{
				ID: activityID, TenantID: tenant, ResourceID: tenant, Visibility: activity.ResourceWide,
			}, id, reasons, uuid.Nil)
		}
		if err := pgx.BeginFunc(t.Context(), db.Pool, func(tx pgx.Tx) error {
			if err := rows.Write(t.Context(), tx); err != nil {
				return err
			}
			_, err := tx.Exec(t.Context(), `SELECT 1`) // the transaction can go on
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	write(watchers.Subscribed, first, principals[1])
	if _, err := db.Pool.Exec(t.Context(), `UPDATE fanfare.notifications SET read_at = now()`); err != nil {
		t.Fatal(err)
	}
	write(watchers.Owner, first, principals...)
	write(watchers.Owner, second, principals...)
	var owners, read int
	if err := db.Pool.QueryRow(t.Context(), `
		SELECT count(*) FILTER (WHERE reasons = 2), count(*) FILTER (WHERE read_at IS NOT NULL AND reasons = 1)
		FROM fanfare.notifications WHERE tenant_id = $1`, tenant).Scan(&owners, &read); err != nil {
		t.Fatal(err)
	}
	if owners != 5 || read != 1 {
		t.Errorf("got %d new notifications and %d of before, want 5 and 1", owners, read)
	}
}
