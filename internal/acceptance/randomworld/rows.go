package randomworld

import (
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance/oracle"
	"github.com/fanfarehq/fanfare/internal/acceptance/seed"
)

// Rows returns the rows of worlds, with some revoked ones besides.
func Rows(worlds ...*World) *seed.Rows {
	rows := &seed.Rows{}
	for _, w := range worlds {
		w.addRows(rows)
	}
	return rows
}

func (w *World) addRows(rows *seed.Rows) {
	principal := func(id uuid.UUID) activity.Principal {
		return activity.Principal{TenantID: w.ID, PrincipalID: id}
	}
	for _, id := range append(append([]uuid.UUID{}, w.People...), w.Groups...) {
		if w.unknown[id] {
			continue
		}
		p := seed.Principal{Principal: principal(id), Inactive: w.Model.Inactive[id]}
		if w.Model.Kind[id] {
			p.Kind = "group"
		}
		rows.Principals = append(rows.Principals, p)
	}
	for id, r := range w.Model.Resources {
		rows.Resources = append(rows.Resources, seed.Resource{
			TenantID: w.ID, ID: id, ParentID: r.Parent, OwnerID: r.Owner, Type: "signal",
		})
	}
	w.Model.EachMember(func(group, id uuid.UUID) {
		rows.Memberships = append(rows.Memberships, seed.Membership{Principal: principal(id), GroupID: group})
	})
	w.Model.EachRole(func(id, resource uuid.UUID, r oracle.Roles) {
		for i, name := range []string{"viewer", "editor", "owner", "delegator"} {
			if r&(1<<i) != 0 {
				rows.Roles = append(rows.Roles, seed.Role{Principal: principal(id), ResourceID: resource, Name: name})
			}
		}
	})
	w.Model.EachSubscription(func(id, resource uuid.UUID, s oracle.Scopes) {
		for i, scope := range []string{"resource", "descendants"} {
			if s&(1<<i) != 0 {
				rows.Subscriptions = append(rows.Subscriptions, seed.Subscription{
					Principal: principal(id), ResourceID: resource, Scope: scope,
				})
			}
		}
	})
	w.addChoices(rows, principal)
	for range 5 {
		rows.Roles = append(rows.Roles, seed.Role{
			Principal: principal(w.holder()), ResourceID: w.resource(), Name: "owner", Revoked: true,
		})
		rows.Subscriptions = append(rows.Subscriptions, seed.Subscription{
			Principal: principal(w.holder()), ResourceID: w.resource(), Scope: "descendants", Revoked: true,
		})
	}
}

// addChoices adds levels, preferences and the tenant's defaults.
func (w *World) addChoices(rows *seed.Rows, principal func(uuid.UUID) activity.Principal) {
	w.Model.EachLevel(func(resource, id uuid.UUID, l *oracle.Level) {
		scope := "resource"
		if l.Below {
			scope = "descendants"
		}
		rows.Levels = append(rows.Levels, seed.Level{
			Principal: principal(id), ResourceID: resource, Level: l.Name, Scope: scope, Patterns: l.Patterns,
		})
	})
	for id, p := range w.Model.Preferences {
		rows.Preferences = append(rows.Preferences, seed.Preference{
			Principal: principal(id), Mode: p.Mode, Patterns: p.Patterns, Muted: p.Muted,
			MutedActions: p.MutedActions, MutedActors: p.MutedActors,
		})
	}
	if p := w.Model.Defaults; p.Mode != "" || p.Patterns != nil || p.Muted != nil || p.MutedActions != nil {
		rows.Defaults = append(rows.Defaults, seed.Default{
			TenantID: w.ID, Mode: p.Mode, Patterns: p.Patterns, Muted: p.Muted, MutedActions: p.MutedActions,
		})
	}
}
