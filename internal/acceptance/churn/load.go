package churn

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/internal/acceptance/oracle"
)

// Load writes the world as it is.
func (w *World) Load(ctx context.Context, pool *pgxpool.Pool) error {
	var principals, resources, roles, subscriptions, preferences [][]any
	for _, t := range w.Tenants {
		for _, id := range t.People {
			if !t.unknown[id] {
				principals = append(principals, []any{id, t.ID, !t.Model.Inactive[id]})
			}
		}
		for id, r := range t.Model.Resources {
			resources = append(resources, []any{id, t.ID, optional(r.Parent), optional(r.Owner), "signal"})
		}
		t.Model.EachRole(func(principal, resource uuid.UUID, r oracle.Roles) {
			for _, role := range roleNames(r) {
				roles = append(roles, []any{t.ID, principal, resource, role})
			}
		})
		t.Model.EachSubscription(func(principal, resource uuid.UUID, s oracle.Subscribed) {
			for _, scope := range scopeNames(s) {
				subscriptions = append(subscriptions, []any{t.ID, principal, resource, scope})
			}
		})
		for id, p := range t.Model.Preferences {
			preferences = append(preferences, []any{t.ID, id, p.Mode, patternsOf(p), p.Muted})
		}
	}
	for _, table := range []struct {
		name    string
		columns []string
		rows    [][]any
	}{
		{"principals", []string{"id", "tenant_id", "active"}, principals},
		{"resources", []string{"id", "tenant_id", "parent_id", "owner_principal_id", "type"}, resources},
		{"role_bindings", []string{"tenant_id", "principal_id", "scope_resource_id", "role_name"}, roles},
		{"subscriptions", []string{"tenant_id", "principal_id", "resource_id", "scope"}, subscriptions},
		{"preferences", []string{"tenant_id", "principal_id", "filter_mode", "custom_actions", "muted"}, preferences},
	} {
		if _, err := pool.CopyFrom(ctx, pgx.Identifier{"fanfare", table.name}, table.columns, pgx.CopyFromRows(table.rows)); err != nil {
			return fmt.Errorf("load %s: %w", table.name, err)
		}
		if _, err := pool.Exec(ctx, "VACUUM (ANALYZE) fanfare."+table.name); err != nil {
			return err
		}
	}
	return nil
}

func optional(id uuid.UUID) any {
	if id == uuid.Nil {
		return nil
	}
	return id
}

func patternsOf(p oracle.Preference) []string { return append([]string{}, p.Patterns...) }

func roleNames(r oracle.Roles) (names []string) {
	for i, name := range []string{"viewer", "editor", "owner", "delegator"} {
		if r&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

func scopeNames(s oracle.Subscribed) (names []string) {
	for i, name := range []string{"resource", "descendants"} {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}
