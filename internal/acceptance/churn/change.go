package churn

import (
	"math/rand/v2"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/acceptance/oracle"
)

// Change is a transaction of one statement, which affects one row.
type Change struct {
	Kind  string // one of Kinds
	SQL   string
	Args  []any
	Apply func(t *oracle.Tenant) // makes the same change to a model
}

// Kinds returns the kinds of changes.
func Kinds() []string {
	return []string{
		"roles", "subscriptions", "preferences", "tree", "directory", "active", "owners", "members", "levels",
		"defaults",
	}
}

// Next returns a random change, which mostly concerns the busiest signals, and applies it to the
// tenant's model. It is not safe for concurrent use.
func (t *Tenant) Next(random *rand.Rand) Change {
	for {
		if c := t.propose(random); c.SQL != "" {
			c.Apply(t.Model)
			return c
		}
	}
}

// propose returns a change that is not applied to the model, or the zero Change if the kind that it
// selected cannot change anything.
func (t *Tenant) propose(random *rand.Rand) Change {
	switch n := random.IntN(100); {
	case n < 20:
		return t.changeRole(random)
	case n < 36:
		return t.changeSubscription(random)
	case n < 50:
		return t.changePreference(random)
	case n < 60:
		return t.changeMember(random)
	case n < 67:
		return t.changeLevel(random)
	case n < 68:
		return t.changeDefaults(random)
	case n < 80:
		return t.move(random)
	case n < 85:
		return t.removeOrRestore(random)
	case n < 93:
		return t.changeActive(random)
	default:
		return t.changeOwner(random)
	}
}

// person returns a random principal, mostly one who watches a busy signal.
func (t *Tenant) person(random *rand.Rand) uuid.UUID {
	if random.IntN(4) > 0 {
		for signal, tries := t.busy(random), 0; tries < 50; tries++ {
			if id := pick(random, t.People); t.Model.Subscriptions(id, signal) != 0 ||
				t.Model.Resources[signal].Owner == id {
				return id
			}
		}
	}
	return pick(random, t.People)
}

// resource returns a busy signal, its folder, or the root.
func (t *Tenant) resource(random *rand.Rand) uuid.UUID {
	signal := t.busy(random)
	switch n := random.IntN(10); {
	case n == 0:
		return t.Root
	case n < 6 && t.Model.Resources[signal].Parent != uuid.Nil:
		return t.Model.Resources[signal].Parent
	default:
		return signal
	}
}

func (t *Tenant) changeRole(random *rand.Rand) Change {
	principal, resource, role := t.holder(random), t.resource(random), randomRole(random)
	if random.IntN(2) == 0 { // revoke one that the principal has
		var held []uuid.UUID
		t.Model.EachRole(func(holder, on uuid.UUID, _ oracle.Roles) {
			if holder == principal {
				held = append(held, on)
			}
		})
		if len(held) > 0 {
			resource = pickID(random, held)
			r := t.Model.Roles(principal, resource)
			role = r & -r
		}
	}
	had := t.Model.Roles(principal, resource)
	args := []any{t.ID, principal, resource, roleNames(role)[0]}
	if had&role != 0 {
		return Change{
			"roles", `
			UPDATE fanfare.role_bindings SET revoked_at = now()
			WHERE tenant_id = $1 AND principal_id = $2 AND scope_resource_id = $3 AND role_name = $4
			    AND revoked_at IS NULL`, args,
			func(t *oracle.Tenant) { t.SetRoles(principal, resource, had&^role) },
		}
	}
	return Change{
		"roles", `
		INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
		VALUES ($1, $2, $3, $4)`, args,
		func(t *oracle.Tenant) { t.SetRoles(principal, resource, had|role) },
	}
}

func (t *Tenant) changeSubscription(random *rand.Rand) Change {
	principal, resource, scope := t.holder(random), t.busy(random), oracle.ScopeResource
	if random.IntN(4) == 0 {
		resource, scope = t.resource(random), oracle.ScopeDescendants
	}
	if random.IntN(2) == 0 { // revoke one that the principal has
		var held []uuid.UUID
		t.Model.EachSubscription(func(subscriber, to uuid.UUID, _ oracle.Scopes) {
			if subscriber == principal {
				held = append(held, to)
			}
		})
		if len(held) > 0 {
			resource = pickID(random, held)
			s := t.Model.Subscriptions(principal, resource)
			scope = s & -s
		}
	}
	had := t.Model.Subscriptions(principal, resource)
	args := []any{t.ID, principal, resource, scopeNames(scope)[0]}
	if had&scope != 0 {
		return Change{
			"subscriptions", `
			UPDATE fanfare.subscriptions SET revoked_at = now()
			WHERE tenant_id = $1 AND principal_id = $2 AND resource_id = $3 AND scope = $4
			    AND revoked_at IS NULL`, args,
			func(t *oracle.Tenant) { t.SetSubscriptions(principal, resource, had&^scope) },
		}
	}
	return Change{
		"subscriptions", `
		INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id, scope)
		VALUES ($1, $2, $3, $4)`, args,
		func(t *oracle.Tenant) { t.SetSubscriptions(principal, resource, had|scope) },
	}
}

func (t *Tenant) changePreference(random *rand.Rand) Change {
	principal, p := t.person(random), randomPreference(random)
	if random.IntN(4) == 0 {
		p.MutedActors = []uuid.UUID{pick(random, t.People), pick(random, t.People)}
	}
	return Change{
		"preferences", `
		INSERT INTO fanfare.preferences (
			tenant_id, principal_id, filter_mode, custom_actions, muted, muted_actions, muted_actors
		)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (tenant_id, principal_id) DO UPDATE
		SET filter_mode = $3, custom_actions = $4, muted = $5, muted_actions = $6, muted_actors = $7,
		    updated_at = now()`,
		[]any{
			t.ID, principal, nullableText(p.Mode), p.Patterns, p.Muted, p.MutedActions,
			append([]uuid.UUID{}, p.MutedActors...),
		},
		func(t *oracle.Tenant) { t.Preferences[principal] = p },
	}
}

// move gives a signal, or sometimes a folder, another parent. Folders may form a cycle for some
// time.
func (t *Tenant) move(random *rand.Rand) Change {
	id, to := t.busy(random), pick(random, t.Folders)
	if random.IntN(6) == 0 {
		id = pick(random, t.Folders)
		if random.IntN(2) == 0 {
			to = t.Root
		}
	}
	r, exists := t.Model.Resources[id]
	if !exists || id == to {
		return Change{}
	}
	r.Parent = to
	return Change{
		"tree", `UPDATE fanfare.resources SET parent_id = $3 WHERE tenant_id = $1 AND id = $2`,
		[]any{t.ID, id, to},
		func(t *oracle.Tenant) { t.Resources[id] = r },
	}
}

// removeOrRestore removes a signal from the directory or restores one.
func (t *Tenant) removeOrRestore(random *rand.Rand) Change {
	if len(t.removed) > 3 || len(t.removed) > 0 && random.IntN(2) == 0 {
		restored := t.removed[0]
		t.removed = t.removed[1:]
		return Change{
			"directory", `
			INSERT INTO fanfare.resources (tenant_id, id, parent_id, owner_principal_id, type)
			VALUES ($1, $2, $3, $4, 'signal')`,
			[]any{t.ID, restored.id, nullable(restored.was.Parent), nullable(restored.was.Owner)},
			func(t *oracle.Tenant) { t.Resources[restored.id] = restored.was },
		}
	}
	id := t.busy(random)
	was, exists := t.Model.Resources[id]
	if !exists {
		return Change{}
	}
	t.removed = append(t.removed, removal{id, was})
	return Change{
		"directory", `DELETE FROM fanfare.resources WHERE tenant_id = $1 AND id = $2`,
		[]any{t.ID, id},
		func(t *oracle.Tenant) { delete(t.Resources, id) },
	}
}

func (t *Tenant) changeActive(random *rand.Rand) Change {
	principal := t.person(random)
	inactive := !t.Model.Inactive[principal]
	if t.unknown[principal] || inactive && len(t.Model.Inactive) > len(t.People)/10 {
		return Change{}
	}
	return Change{
		"active", `UPDATE fanfare.principals SET active = $3 WHERE tenant_id = $1 AND id = $2`,
		[]any{t.ID, principal, !inactive},
		func(t *oracle.Tenant) {
			if inactive {
				t.Inactive[principal] = true
			} else {
				delete(t.Inactive, principal)
			}
		},
	}
}

func (t *Tenant) changeOwner(random *rand.Rand) Change {
	id, owner := t.busy(random), pick(random, t.People)
	if random.IntN(4) == 0 {
		owner = uuid.Nil
	}
	r, exists := t.Model.Resources[id]
	if !exists || r.Owner == owner {
		return Change{}
	}
	r.Owner = owner
	return Change{
		"owners", `UPDATE fanfare.resources SET owner_principal_id = $3 WHERE tenant_id = $1 AND id = $2`,
		[]any{t.ID, id, nullable(owner)},
		func(t *oracle.Tenant) { t.Resources[id] = r },
	}
}
