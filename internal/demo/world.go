package demo

import (
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance/seed"
	"github.com/fanfarehq/fanfare/preferences"
)

// tenant is a customer of the sample application.
type tenant struct {
	name   string
	tree   []node // parents before their children
	people []person
}

// node is a resource.
type node struct {
	name, kind string
	parent     string // "" for the root
	owner      string // a person's full name, or ""
}

// person is a principal.
type person struct {
	name     string
	kind     string // user, agent or service
	inactive bool
	offline  bool     // has no client
	screen   bool     // a display in an office, whose client subscribes to shared channels
	groups   []string // in which the person is a member
	roles    []role
	watches  []subscription
	wants    *preferences.Preference // nil has none stored
}

type role struct {
	name, on string
	revoked  bool
}

type subscription struct {
	on, scope string
	revoked   bool
}

// Ids are derived from names, so they are the same in each run. They do not depend on the tenant:
// both tenants contain the same ids, and only the tenant's own id separates them.

func resourceID(name string) uuid.UUID  { return idOf("resource/" + name) }
func principalID(name string) uuid.UUID { return idOf("principal/" + name) }
func tenantID(name string) uuid.UUID    { return idOf("tenant/" + name) }
func idOf(name string) uuid.UUID        { return uuid.NewSHA1(uuid.NameSpaceURL, []byte("demo/"+name)) }

func principalOf(tenant, name string) activity.Principal {
	return activity.Principal{TenantID: tenantID(tenant), PrincipalID: principalID(name)}
}

// The names that scenes use.
const (
	aurora   = "Aurora Capital"
	borealis = "Borealis Labs"

	momentum = "Momentum 12"
	carry    = "Carry 3"
	reversal = "Reversal 5"
	curve    = "Curve 7"
	prices   = "US Prices"
	equities = "Equities"
	rates    = "Rates"
	research = "Research"

	ada    = "Ada Okafor"
	ines   = "Ines Park"
	bruno  = "Bruno Costa"
	chen   = "Chen Wei"
	eva    = "Eva Novak"
	dilan  = "Dilan Kaya"
	hana   = "Hana Sato"
	farid  = "Farid Aziz"
	gus    = "Gus Lindqvist"
	noor   = "Noor Haddad"
	lena   = "Lena Roth"
	desk   = "Macro desk"
	scout  = "Scout"
	ledger = "ledger-sync"
	screen = "Wall screen"
)

func newWorld() []tenant {
	all := &preferences.Preference{Mode: preferences.ModeAll}
	muted := &preferences.Preference{Mode: preferences.ModeAll, Muted: true}
	is := func(name, on string) []role { return []role{{name: name, on: on}} }
	watches := func(on, scope string) []subscription { return []subscription{{on: on, scope: scope}} }
	const resource, descendants = "resource", "descendants"
	return []tenant{
		{name: aurora, tree: newTree(ines), people: []person{
			{name: ada, kind: "user", wants: all, roles: is("owner", research)},
			{name: ines, kind: "user", roles: is("member", equities)},
			{name: bruno, kind: "user", roles: is("member", equities), watches: watches(equities, descendants)},
			{
				name: chen, kind: "user", wants: custom("run.*", "promotion.*"),
				roles: is("viewer", equities), watches: watches(momentum, resource),
			},
			{
				name: scout, kind: "agent", wants: custom("resource.*", "signal.*"),
				roles: is("member", equities), watches: watches(equities, descendants),
			},
			{name: eva, kind: "user", wants: muted, roles: is("delegator", equities)},
			{
				name: dilan, kind: "user", wants: all,
				roles: []role{{name: "viewer", on: momentum, revoked: true}}, watches: watches(momentum, resource),
			},
			{name: hana, kind: "user", wants: all, roles: is("viewer", prices), watches: watches(momentum, resource)},
			{
				name: farid, kind: "user", wants: all, roles: is("viewer", research),
				watches: []subscription{{on: equities, scope: descendants, revoked: true}},
			},
			{
				name: gus, kind: "user", inactive: true, wants: all,
				roles: is("member", equities), watches: watches(equities, descendants),
			},
			{name: lena, kind: "user", wants: all, groups: []string{desk}},
			{name: desk, kind: "group", offline: true, roles: is("viewer", rates), watches: watches(curve, resource)},
			{name: ledger, kind: "service", offline: true, roles: is("member", research)},
			{name: screen, kind: "service", screen: true, roles: is("viewer", research)},
		}},
		{name: borealis, tree: newTree(bruno), people: []person{
			{name: ada, kind: "user", wants: all, roles: is("owner", research)},
			{name: bruno, kind: "user", roles: is("member", equities), watches: watches(equities, descendants)},
			{name: noor, kind: "user", wants: all, roles: is("viewer", equities), watches: watches(momentum, resource)},
		}},
	}
}

// newTree returns the template from which both tenants were created.
func newTree(owner string) []node {
	return []node{
		{name: research, kind: "workspace"},
		{name: equities, kind: "folder", parent: research},
		{name: momentum, kind: "signal", parent: equities, owner: owner},
		{name: reversal, kind: "signal", parent: equities, owner: owner},
		{name: prices, kind: "dataset", parent: equities, owner: owner},
		{name: "Nightly Build", kind: "pipeline", parent: equities},
		{name: "Lookback Sweep", kind: "experiment", parent: equities, owner: owner},
		{name: rates, kind: "folder", parent: research},
		{name: carry, kind: "signal", parent: rates, owner: owner},
		{name: curve, kind: "signal", parent: rates, owner: owner},
		{name: "Global Macro", kind: "portfolio", parent: research},
	}
}

func custom(patterns ...string) *preferences.Preference {
	return &preferences.Preference{Mode: preferences.ModeCustom, CustomActions: patterns}
}

// rowsOf returns the tenants' rows in Fanfare's tables.
func rowsOf(tenants []tenant) *seed.Rows {
	rows := &seed.Rows{}
	optional := func(name string, id func(string) uuid.UUID) uuid.UUID {
		if name == "" {
			return uuid.Nil
		}
		return id(name)
	}
	for _, t := range tenants {
		for _, n := range t.tree {
			rows.Resources = append(rows.Resources, seed.Resource{
				TenantID: tenantID(t.name), ID: resourceID(n.name), Type: n.kind, Name: n.name,
				ParentID: optional(n.parent, resourceID), OwnerID: optional(n.owner, principalID),
			})
		}
		for _, p := range t.people {
			id := principalOf(t.name, p.name)
			principal := seed.Principal{Principal: id, Kind: p.kind, Name: p.name, Inactive: p.inactive}
			rows.Principals = append(rows.Principals, principal)
			for _, group := range p.groups {
				row := seed.Membership{Principal: id, GroupID: principalID(group)}
				rows.Memberships = append(rows.Memberships, row)
			}
			for _, r := range p.roles {
				row := seed.Role{Principal: id, ResourceID: resourceID(r.on), Name: r.name, Revoked: r.revoked}
				rows.Roles = append(rows.Roles, row)
			}
			for _, s := range p.watches {
				rows.Subscriptions = append(rows.Subscriptions, seed.Subscription{
					Principal: id, ResourceID: resourceID(s.on), Scope: s.scope, Revoked: s.revoked,
				})
			}
			if w := p.wants; w != nil {
				row := seed.Preference{
					Principal: id, Mode: string(w.Mode), Patterns: w.CustomActions, Muted: new(w.Muted),
				}
				rows.Preferences = append(rows.Preferences, row)
			}
		}
	}
	return rows
}
