package churn

import (
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance/oracle"
	"github.com/fanfarehq/fanfare/internal/acceptance/seed"
)

// Rows returns the rows of the world's present state.
func (w *World) Rows() *seed.Rows {
	rows := &seed.Rows{}
	for _, t := range w.Tenants {
		principal := func(id uuid.UUID) activity.Principal {
			return activity.Principal{TenantID: t.ID, PrincipalID: id}
		}
		for _, id := range t.People {
			if !t.unknown[id] {
				p := seed.Principal{Principal: principal(id), Inactive: t.Model.Inactive[id]}
				rows.Principals = append(rows.Principals, p)
			}
		}
		for id, r := range t.Model.Resources {
			rows.Resources = append(rows.Resources, seed.Resource{
				TenantID: t.ID, ID: id, ParentID: r.Parent, OwnerID: r.Owner, Type: "signal",
			})
		}
		t.Model.EachRole(func(id, resource uuid.UUID, r oracle.Roles) {
			for _, name := range roleNames(r) {
				rows.Roles = append(rows.Roles, seed.Role{Principal: principal(id), ResourceID: resource, Name: name})
			}
		})
		t.Model.EachSubscription(func(id, resource uuid.UUID, s oracle.Scopes) {
			for _, scope := range scopeNames(s) {
				sub := seed.Subscription{Principal: principal(id), ResourceID: resource, Scope: scope}
				rows.Subscriptions = append(rows.Subscriptions, sub)
			}
		})
		t.Model.EachMember(func(group, id uuid.UUID) {
			rows.Memberships = append(rows.Memberships, seed.Membership{Principal: principal(id), GroupID: group})
		})
		for id, p := range t.Model.Preferences {
			rows.Preferences = append(rows.Preferences, seed.Preference{
				Principal: principal(id), Mode: p.Mode, Patterns: p.Patterns, Muted: p.Muted,
				MutedActions: p.MutedActions, MutedActors: p.MutedActors,
			})
		}
	}
	return rows
}

func nullableText(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func nullable(id uuid.UUID) any {
	if id == uuid.Nil {
		return nil
	}
	return id
}

func roleNames(r oracle.Roles) (names []string) {
	for i, name := range []string{"viewer", "editor", "owner", "delegator"} {
		if r&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

func scopeNames(s oracle.Scopes) (names []string) {
	for i, name := range []string{"resource", "descendants"} {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}
