package directory

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// ResourceTypes returns the types of resources of a tenant, each of at most MaxKindRunes, in one
// statement. The result lacks the resources that the directory does not contain or that have no
// type.
func ResourceTypes(
	ctx context.Context,
	db pg.Querier,
	tenant uuid.UUID,
	resources []uuid.UUID,
) (map[uuid.UUID]string, error) {
	ids := make([][16]byte, len(resources))
	for i, id := range resources {
		ids[i] = id
	}
	rows, err := db.Query(ctx, `SELECT resource_id, resource_type FROM fanfare.resource_types($1, $2)`, tenant, ids)
	if err != nil {
		return nil, fmt.Errorf("read resource types: %w", err)
	}
	types := make(map[uuid.UUID]string, len(resources))
	var id [16]byte
	var name string
	_, err = pgx.ForEachRow(rows, []any{&id, &name}, func() error {
		types[id] = name
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read resource types: %w", err)
	}
	return types, nil
}
