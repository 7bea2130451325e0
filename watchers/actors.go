package watchers

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// NameActors looks principals up in the directory, in one statement. Those that it does not know
// are missing from the answer.
func NameActors(ctx context.Context, db pg.Querier, principals []Principal) (map[Principal]Actor, error) {
	tenants, ids := make([][16]byte, len(principals)), make([][16]byte, len(principals))
	for i, p := range principals {
		tenants[i], ids[i] = p.TenantID, p.PrincipalID
	}
	named := make(map[Principal]Actor, len(principals))
	rows, err := db.Query(ctx, nameActors, tenants, ids)
	if err == nil {
		err = readActors(rows, named)
	}
	if err != nil {
		return nil, fmt.Errorf("name actors: %w", err)
	}
	return named, nil
}

func readActors(rows pgx.Rows, into map[Principal]Actor) error {
	var p Principal
	var a Actor
	_, err := pgx.ForEachRow(
		rows,
		[]any{(*[16]byte)(&p.TenantID), (*[16]byte)(&p.PrincipalID), &a.Kind, &a.DisplayName},
		func() error {
			into[p] = a
			return nil
		},
	)
	return err
}
