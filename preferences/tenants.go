package preferences

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// QueueTenants queues a statement that reads the preferences of tenants. Those of the tenants that
// have set some are added to found when the results of the batch are read.
func QueueTenants(b *pgx.Batch, tenants []uuid.UUID, found map[uuid.UUID]Fields) {
	ids := make([][16]byte, len(tenants))
	for i, id := range tenants {
		ids[i] = id
	}
	b.Queue(`
		SELECT t.tenant_id, t.filter_mode, t.custom_actions, t.muted, t.muted_actions
		FROM fanfare.tenant_preferences AS t
		WHERE t.tenant_id = ANY ($1)`, ids).Query(func(rows pgx.Rows) error {
		var id [16]byte
		var f Fields
		_, err := pgx.ForEachRow(rows, append([]any{&id}, f.targets()...), func() error {
			found[id] = f
			f = Fields{}
			return nil
		})
		return err
	})
}
