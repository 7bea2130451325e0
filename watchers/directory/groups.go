package directory

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// GroupsAmong returns those of the principals of a tenant that are groups: that have members, or
// the kind group. It runs one statement.
func GroupsAmong(ctx context.Context, db pg.Querier, tenant uuid.UUID, principals []uuid.UUID) (
	map[uuid.UUID]bool, error,
) {
	ids := make([][16]byte, len(principals))
	for i, id := range principals {
		ids[i] = id
	}
	rows, err := db.Query(ctx, `SELECT group_id FROM fanfare.known_groups($1, $2)`, tenant, ids)
	if err != nil {
		return nil, fmt.Errorf("read the groups: %w", err)
	}
	groups := map[uuid.UUID]bool{}
	var id [16]byte
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error {
		groups[id] = true
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the groups: %w", err)
	}
	return groups, nil
}
