package taxonomy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// List reads the actions of the applied taxonomy, and adds the built-in actions that it lacks. They
// are in the order of their names. It reads neither templates nor schemas, and so costs little of
// what Load does.
func List(ctx context.Context, db pg.Querier) ([]Action, error) {
	rows, err := db.Query(ctx, `
		SELECT t.action, t.description, t.category, t.severity, t.visibility, coalesce(t.notify, ''), t.icon
		FROM fanfare.taxonomy AS t`)
	if err != nil {
		return nil, fmt.Errorf("list the actions: %w", err)
	}
	known := map[string]bool{}
	actions, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (a Action, err error) {
		err = row.Scan(&a.Name, &a.Description, &a.Category, &a.Severity, &a.Visibility, &a.Notify, &a.Icon)
		known[a.Name] = true
		return a, err
	})
	if err != nil {
		return nil, fmt.Errorf("list the actions: %w", err)
	}
	for _, e := range builtins().byName {
		if !known[e.Name] {
			actions = append(actions, e.Action.clone())
		}
	}
	slices.SortFunc(actions, func(a, b Action) int { return strings.Compare(a.Name, b.Name) })
	return actions, nil
}
