package inbox

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/watchers"
)

// TestDelivered reads one activity's notifications of several principals.
func TestDelivered(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	a := &activity.Activity{ID: uuid.New(), TenantID: uuid.New()}
	ann, ben, cay, group := uuid.New(), uuid.New(), uuid.New(), uuid.New()
	_, err := db.Pool.Exec(t.Context(), `
		INSERT INTO fanfare.notifications (tenant_id, principal_id, activity_id, reasons, group_id, read_at,
			resource_id, visibility, party)
		SELECT v.*, $1, 'r', false
		FROM (
			VALUES ($1::uuid, $2::uuid, $3::uuid, 5, $5::uuid, now()), ($1, $4, $3, 2, NULL, NULL),
			       ($1, $2, $4, 1, NULL, NULL), ($2, $6, $3, 1, NULL, NULL)
		) AS v`, a.TenantID, ann, a.ID, ben, group, cay)
	if err != nil {
		t.Fatal(err)
	}
	found := map[uuid.UUID]Delivered{}
	batch := &pgx.Batch{}
	QueueDelivered(batch, a, []uuid.UUID{ann, ben, cay}, found)
	if err := db.Pool.SendBatch(t.Context(), batch).Close(); err != nil {
		t.Fatal(err)
	}
	x, y := found[ann], found[ben]
	if len(found) != 2 || x.Reasons != watchers.Subscribed|watchers.Delegator || x.GroupID != group ||
		x.ReadAt == nil || x.At.IsZero() ||
		y.Reasons != watchers.Owner || y.GroupID != uuid.Nil || y.ReadAt != nil || y.SeenAt != nil {
		t.Errorf("got %+v, want those of two principals", found)
	}
}
