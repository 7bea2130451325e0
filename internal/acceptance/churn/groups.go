package churn

import (
	"math/rand/v2"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/acceptance/oracle"
)

// addGroups adds a group for every 40 people, with ten members each, and roles and subscriptions of
// the groups. Each third group is a member of the one before it. A twin shares half of the ids.
func (t *Tenant) addGroups(random *rand.Rand, twin *Tenant) {
	for i := range (len(t.People) + 39) / 40 {
		id := newID(random)
		if twin != nil && i%2 == 0 && i < len(twin.Groups) {
			id = twin.Groups[i]
		}
		if i%3 == 2 {
			t.Model.SetMember(t.Groups[i-1], id, true)
		}
		t.Groups = append(t.Groups, id)
		for range 10 {
			t.Model.SetMember(id, pick(random, t.People), true)
		}
		t.Model.SetRoles(id, pick(random, t.Folders), randomRole(random))
		t.Model.SetSubscriptions(id, t.busy(random), oracle.ScopeResource)
		t.Model.SetSubscriptions(id, pick(random, t.Folders), oracle.ScopeDescendants)
	}
}

// holder returns a person or, less often, a group.
func (t *Tenant) holder(random *rand.Rand) uuid.UUID {
	if random.IntN(6) == 0 {
		return pick(random, t.Groups)
	}
	return t.person(random)
}

// changeMember adds a principal to a group or removes it. Groups may form a cycle for some time.
func (t *Tenant) changeMember(random *rand.Rand) Change {
	group, member := pick(random, t.Groups), t.person(random)
	if random.IntN(8) == 0 {
		member = pick(random, t.Groups)
	}
	if random.IntN(2) == 0 { // remove one that the group has
		var members []uuid.UUID
		t.Model.EachMember(func(of, principal uuid.UUID) {
			if of == group {
				members = append(members, principal)
			}
		})
		if len(members) > 0 {
			member = pickID(random, members)
		}
	}
	is := t.Model.IsMember(group, member)
	sql := `INSERT INTO fanfare.memberships (tenant_id, group_id, principal_id) VALUES ($1, $2, $3)`
	if is {
		sql = `DELETE FROM fanfare.memberships WHERE tenant_id = $1 AND group_id = $2 AND principal_id = $3`
	}
	return Change{
		"members", sql,
		[]any{t.ID, group, member},
		func(t *oracle.Tenant) { t.SetMember(group, member, !is) },
	}
}

// changeLevel sets a level of a principal, or removes it.
func (t *Tenant) changeLevel(random *rand.Rand) Change {
	principal, resource := t.person(random), t.resource(random)
	if t.Model.HasLevel(principal, resource) && random.IntN(2) == 0 {
		return Change{
			"levels", `
			DELETE FROM fanfare.watch_levels WHERE tenant_id = $1 AND principal_id = $2 AND resource_id = $3`,
			[]any{t.ID, principal, resource},
			func(t *oracle.Tenant) { t.SetLevel(principal, resource, nil) },
		}
	}
	level, scope := randomLevel(random), "resource"
	if level.Below {
		scope = "descendants"
	}
	return Change{
		"levels", `
		INSERT INTO fanfare.watch_levels (tenant_id, principal_id, resource_id, level, scope, patterns)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (tenant_id, principal_id, resource_id)
		DO UPDATE SET level = $4, scope = $5, patterns = $6, updated_at = now()`,
		[]any{t.ID, principal, resource, level.Name, scope, level.Patterns},
		func(t *oracle.Tenant) { t.SetLevel(principal, resource, level) },
	}
}

func randomLevel(random *rand.Rand) *oracle.Level {
	l := &oracle.Level{
		Name:     pick(random, []string{"all", "all", "custom", "participating", "ignore"}),
		Below:    random.IntN(2) == 0,
		Patterns: []string{},
	}
	for range random.IntN(4) {
		l.Patterns = append(l.Patterns, pick(random, patterns))
	}
	return l
}

// changeDefaults replaces the preferences of the tenant.
func (t *Tenant) changeDefaults(random *rand.Rand) Change {
	p := randomPreference(random)
	p.MutedActors = nil
	return Change{
		"defaults", `
		INSERT INTO fanfare.tenant_preferences (tenant_id, filter_mode, custom_actions, muted, muted_actions)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (tenant_id) DO UPDATE
		SET filter_mode = $2, custom_actions = $3, muted = $4, muted_actions = $5, updated_at = now()`,
		[]any{t.ID, nullableText(p.Mode), p.Patterns, p.Muted, p.MutedActions},
		func(t *oracle.Tenant) { t.Defaults = p },
	}
}
