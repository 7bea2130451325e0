package churn

import (
	"math/rand/v2"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/acceptance/oracle"
)

// Change is one transaction of one statement.
type Change struct {
	Kind  string
	SQL   string
	Args  []any
	Apply func(t *oracle.Tenant) // does the same to a model
}

// Kinds are what changes.
func Kinds() []string {
	return []string{"roles", "subscriptions", "preferences", "tree", "directory", "active", "owners"}
}

// Next makes a change up, of what matters to what is busy, and makes it in the tenant's model. It
// is for one goroutine.
func (t *Tenant) Next(random *rand.Rand) Change {
	for {
		if c := t.propose(random); c.SQL != "" {
			c.Apply(t.Model)
			return c
		}
	}
}

// propose returns the zero Change if there is nothing that it could change.
func (t *Tenant) propose(random *rand.Rand) Change {
	switch n := random.IntN(100); {
	case n < 26:
		return t.changeRole(random)
	case n < 48:
		return t.changeSubscription(random)
	case n < 68:
		return t.changePreference(random)
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

// somebody is one of those who watch what is busy, or anybody.
func (t *Tenant) somebody(random *rand.Rand) uuid.UUID {
	if random.IntN(4) > 0 {
		for signal, tries := t.busy(random), 0; tries < 50; tries++ {
			if id := pick(random, t.People); t.Model.Subscription(id, signal) != 0 ||
				t.Model.Resources[signal].Owner == id {
				return id
			}
		}
	}
	return pick(random, t.People)
}

// somewhere is a busy signal, the folder that it is in, or the root.
func (t *Tenant) somewhere(random *rand.Rand) uuid.UUID {
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
	who, where, role := t.somebody(random), t.somewhere(random), someRole(random)
	if random.IntN(2) == 0 { // take away one of those that somebody has
		t.Model.EachRole(func(principal, resource uuid.UUID, r oracle.Roles) {
			if principal == who {
				where, role = resource, r&-r
			}
		})
	}
	had := t.Model.Roles(who, where)
	args := []any{t.ID, who, where, roleNames(role)[0]}
	if had&role != 0 {
		return Change{
			"roles", `UPDATE fanfare.role_bindings SET revoked_at = now()
			WHERE tenant_id = $1 AND principal_id = $2 AND scope_resource_id = $3 AND role_name = $4 AND revoked_at IS NULL`, args,
			func(t *oracle.Tenant) { t.SetRoles(who, where, had&^role) },
		}
	}
	return Change{
		"roles", `INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name) VALUES ($1, $2, $3, $4)`, args,
		func(t *oracle.Tenant) { t.SetRoles(who, where, had|role) },
	}
}

func (t *Tenant) changeSubscription(random *rand.Rand) Change {
	who, where, scope := t.somebody(random), t.busy(random), oracle.Here
	if random.IntN(4) == 0 {
		where, scope = t.somewhere(random), oracle.Below
	}
	if random.IntN(2) == 0 { // take away one of those that somebody has
		t.Model.EachSubscription(func(principal, resource uuid.UUID, s oracle.Subscribed) {
			if principal == who {
				where, scope = resource, s&-s
			}
		})
	}
	had := t.Model.Subscription(who, where)
	args := []any{t.ID, who, where, scopeNames(scope)[0]}
	if had&scope != 0 {
		return Change{
			"subscriptions", `UPDATE fanfare.subscriptions SET revoked_at = now()
			WHERE tenant_id = $1 AND principal_id = $2 AND resource_id = $3 AND scope = $4 AND revoked_at IS NULL`, args,
			func(t *oracle.Tenant) { t.Subscribe(who, where, had&^scope) },
		}
	}
	return Change{
		"subscriptions", `INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id, scope) VALUES ($1, $2, $3, $4)`, args,
		func(t *oracle.Tenant) { t.Subscribe(who, where, had|scope) },
	}
}

func (t *Tenant) changePreference(random *rand.Rand) Change {
	who, p := t.somebody(random), somePreference(random)
	return Change{
		"preferences", `INSERT INTO fanfare.preferences (tenant_id, principal_id, filter_mode, custom_actions, muted) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (tenant_id, principal_id) DO UPDATE SET filter_mode = $3, custom_actions = $4, muted = $5, updated_at = now()`,
		[]any{t.ID, who, p.Mode, patternsOf(p), p.Muted},
		func(t *oracle.Tenant) { t.Preferences[who] = p },
	}
}

// move puts a signal, or at times a folder, somewhere else. Folders may come to stand in a circle
// for a while.
func (t *Tenant) move(random *rand.Rand) Change {
	what, to := t.busy(random), pick(random, t.Folders)
	if random.IntN(6) == 0 {
		what = pick(random, t.Folders)
		if random.IntN(2) == 0 {
			to = t.Root
		}
	}
	r, stands := t.Model.Resources[what]
	if !stands || what == to {
		return Change{}
	}
	r.Parent = to
	return Change{
		"tree", `UPDATE fanfare.resources SET parent_id = $3 WHERE tenant_id = $1 AND id = $2`,
		[]any{t.ID, what, to},
		func(t *oracle.Tenant) { t.Resources[what] = r },
	}
}

// removeOrRestore takes a signal out of the directory, or puts one back.
func (t *Tenant) removeOrRestore(random *rand.Rand) Change {
	if len(t.removed) > 3 || len(t.removed) > 0 && random.IntN(2) == 0 {
		back := t.removed[0]
		t.removed = t.removed[1:]
		return Change{
			"directory", `INSERT INTO fanfare.resources (tenant_id, id, parent_id, owner_principal_id, type) VALUES ($1, $2, $3, $4, 'signal')`,
			[]any{t.ID, back.id, optional(back.was.Parent), optional(back.was.Owner)},
			func(t *oracle.Tenant) { t.Resources[back.id] = back.was },
		}
	}
	gone := t.busy(random)
	was, stands := t.Model.Resources[gone]
	if !stands {
		return Change{}
	}
	t.removed = append(t.removed, removal{gone, was})
	return Change{
		"directory", `DELETE FROM fanfare.resources WHERE tenant_id = $1 AND id = $2`,
		[]any{t.ID, gone},
		func(t *oracle.Tenant) { delete(t.Resources, gone) },
	}
}

func (t *Tenant) changeActive(random *rand.Rand) Change {
	who := t.somebody(random)
	inactive := !t.Model.Inactive[who]
	if t.unknown[who] || inactive && len(t.Model.Inactive) > len(t.People)/10 {
		return Change{}
	}
	return Change{
		"active", `UPDATE fanfare.principals SET active = $3 WHERE tenant_id = $1 AND id = $2`,
		[]any{t.ID, who, !inactive},
		func(t *oracle.Tenant) {
			if inactive {
				t.Inactive[who] = true
			} else {
				delete(t.Inactive, who)
			}
		},
	}
}

func (t *Tenant) changeOwner(random *rand.Rand) Change {
	what, owner := t.busy(random), pick(random, t.People)
	if random.IntN(4) == 0 {
		owner = uuid.Nil
	}
	r, stands := t.Model.Resources[what]
	if !stands || r.Owner == owner {
		return Change{}
	}
	r.Owner = owner
	return Change{
		"owners", `UPDATE fanfare.resources SET owner_principal_id = $3 WHERE tenant_id = $1 AND id = $2`,
		[]any{t.ID, what, optional(owner)},
		func(t *oracle.Tenant) { t.Resources[what] = r },
	}
}
