package archive

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// directory contains the rows of all tables but the log and the inboxes.
type directory struct {
	principals, resources, roles, subscriptions, preferences [][]any
}

func (a *Archive) directory() *directory {
	d := &directory{}
	for _, t := range a.Tenants {
		a.addTree(d, t)
		a.addPeople(d, t)
	}
	return d
}

func (a *Archive) addTree(d *directory, t *Tenant) {
	d.resources = append(d.resources, []any{t.root, t.ID, nil, nil, "workspace", "Root"})
	for i, f := range t.folders {
		d.resources = append(d.resources, []any{f.id, t.ID, t.root, nil, "folder", fmt.Sprintf("Folder %d", i+1)})
		for k, p := range f.projects {
			d.resources = append(d.resources, []any{p, t.ID, f.id, nil, "project", fmt.Sprintf("Project %d", k+1)})
		}
	}
	for _, r := range t.resources {
		d.resources = append(d.resources, []any{r.id, t.ID, r.project, nullable(r.owner), "signal", r.name})
	}
}

func (a *Archive) addPeople(d *directory, t *Tenant) {
	for i, id := range t.people {
		active := a.random.IntN(50) > 0
		if !active {
			t.inactive[id] = true
		}
		d.principals = append(d.principals, []any{id, t.ID, "user", fmt.Sprintf("Person %d", i+1), active})
		a.addRoles(d, t, i)
		a.addSubscriptions(d, t, i)
		switch a.random.IntN(4) {
		case 0: // no row: mutations
		case 1:
			d.preferences = append(d.preferences, []any{t.ID, id, "mutations", []string{}, a.random.IntN(10) == 0})
		case 2:
			d.preferences = append(d.preferences, []any{t.ID, id, "all", []string{}, false})
		case 3:
			d.preferences = append(
				d.preferences,
				[]any{t.ID, id, "custom", []string{"transfer.*", "signal.*", "comment.created"}, false},
			)
		}
	}
}

func (a *Archive) addRoles(d *directory, t *Tenant, i int) {
	id := t.people[i]
	home := t.folders[i%folders]
	if i%20 == 0 {
		d.roles = append(d.roles, []any{t.ID, id, t.root, "viewer"})
		return
	}
	role := "editor"
	if i/folders%20 == 1 {
		role = "delegator"
	}
	d.roles = append(d.roles, []any{t.ID, id, home.id, role})
	for range 2 {
		d.roles = append(d.roles, []any{t.ID, id, pick(a.random, pick(a.random, t.folders).projects), "viewer"})
	}
}

// addSubscriptions subscribes a principal to fifteen resources and two projects of their folder,
// and to three other resources.
func (a *Archive) addSubscriptions(d *directory, t *Tenant, i int) {
	id := t.people[i]
	home := t.folders[i%folders]
	known := map[uuid.UUID]bool{}
	add := func(resource uuid.UUID, scope string) bool {
		if known[resource] {
			return false
		}
		known[resource] = true
		d.subscriptions = append(d.subscriptions, []any{a.timedID(a.began), t.ID, id, resource, scope})
		return true
	}
	watch := func(r *resource) {
		if add(r.id, "resource") {
			r.watchers = append(r.watchers, id)
		}
	}
	for range min(15, len(home.held)) {
		watch(pick(a.random, home.held))
	}
	for range 3 {
		watch(t.busy(a.random))
	}
	for range 2 {
		add(pick(a.random, home.projects), "descendants")
	}
}

func (d *directory) copy(ctx context.Context, pool *pgxpool.Pool) error {
	for _, table := range []struct {
		name    string
		columns []string
		rows    [][]any
	}{
		{"principals", []string{"id", "tenant_id", "kind", "display_name", "active"}, d.principals},
		{"resources", []string{"id", "tenant_id", "parent_id", "owner_principal_id", "type", "name"}, d.resources},
		{"role_bindings", []string{"tenant_id", "principal_id", "scope_resource_id", "role_name"}, d.roles},
		{"subscriptions", []string{"id", "tenant_id", "principal_id", "resource_id", "scope"}, d.subscriptions},
		{"preferences", []string{"tenant_id", "principal_id", "filter_mode", "custom_actions", "muted"}, d.preferences},
	} {
		name := pgx.Identifier{"fanfare", table.name}
		if _, err := pool.CopyFrom(ctx, name, table.columns, pgx.CopyFromRows(table.rows)); err != nil {
			return fmt.Errorf("load %s: %w", table.name, err)
		}
	}
	return nil
}

func nullable(id uuid.UUID) any {
	if id == uuid.Nil {
		return nil
	}
	return id
}
