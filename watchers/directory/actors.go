package directory

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// Actor is a principal as the directory describes it. The zero value is a principal that the
// directory does not contain.
type Actor struct {
	Kind, DisplayName string
}

// The maximum lengths of what is read from the directory, in characters. Longer texts are cut.
const (
	MaxNameRunes = 500 // of a display name
	MaxKindRunes = 100 // of a kind, and of the type of a resource
)

// selectActors reads one row of each principal, of which a view may have several.
const selectActors = `
SELECT tenant_id, principal_id, kind, display_name FROM fanfare.principal_entries($1, $2)`

// NameActors returns the entries of principals in the directory, in one statement. The result lacks
// the principals that the directory does not contain.
func NameActors(
	ctx context.Context,
	db pg.Querier,
	principals []activity.Principal,
) (map[activity.Principal]Actor, error) {
	named := make(map[activity.Principal]Actor, len(principals))
	tenants, ids := actorArguments(principals)
	rows, err := db.Query(ctx, selectActors, tenants, ids)
	if err == nil {
		err = readActors(rows, named)
	}
	if err != nil {
		return nil, fmt.Errorf("name actors: %w", err)
	}
	return named, nil
}

// QueueActors queues the statement of NameActors. Its entries are added to named when the results
// of the batch are read.
func QueueActors(b *pgx.Batch, principals []activity.Principal, named map[activity.Principal]Actor) {
	tenants, ids := actorArguments(principals)
	b.Queue(selectActors, tenants, ids).Query(func(rows pgx.Rows) error { return readActors(rows, named) })
}

// ActorsOf returns a query for the entries of the actors of activities, with the columns tenant_id,
// principal_id, kind and display_name. activities is an SQL relation with the columns tenant_id and
// actor_principal_id.
func ActorsOf(activities string) string {
	return `
    SELECT e.*
    FROM (
        SELECT array_agg(d.tenant_id) AS tenants, array_agg(d.actor_principal_id) AS actors
        FROM (SELECT DISTINCT a.tenant_id, a.actor_principal_id FROM ` + activities + ` AS a) AS d
    ) AS s
    CROSS JOIN LATERAL fanfare.principal_entries(s.tenants, s.actors) AS e`
}

func actorArguments(principals []activity.Principal) (tenants, ids [][16]byte) {
	tenants, ids = make([][16]byte, len(principals)), make([][16]byte, len(principals))
	for i, p := range principals {
		tenants[i], ids[i] = p.TenantID, p.PrincipalID
	}
	return tenants, ids
}

func readActors(rows pgx.Rows, named map[activity.Principal]Actor) error {
	var p activity.Principal
	var a Actor
	fields := []any{(*[16]byte)(&p.TenantID), (*[16]byte)(&p.PrincipalID), &a.Kind, &a.DisplayName}
	_, err := pgx.ForEachRow(rows, fields, func() error {
		named[p] = a
		return nil
	})
	return err
}
