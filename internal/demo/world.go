package demo

import (
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/preferences"
)

// tenant is one customer of the sample application.
type tenant struct {
	name   string
	id     uuid.UUID
	tree   []node // parents before their children
	people []person
}

// node is a resource. Both tenants have grown theirs from one template: same names, same ids.
type node struct {
	name, kind string
	parent     string // "" at the top
	owner      string // a person's full name, or ""
}

func (n node) id() uuid.UUID { return resourceID(n.name) }

// person is a principal.
type person struct {
	name     string
	kind     string // user, agent or service
	inactive bool
	deaf     bool // has no socket
	screen   bool // stands in an office and shows channels that it holds tokens for
	roles    []role
	watches  []subscription
	wants    *preferences.Preference // nil has never said
}

func (p person) id() uuid.UUID { return principalID(p.name) }

type role struct {
	name, on string
	revoked  bool
}

type subscription struct {
	on, scope string
	revoked   bool
}

// Ids come from names, so that they are the same in every run. They do not depend on the tenant:
// only the tenant's own id keeps two tenants apart.
func resourceID(name string) uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("demo/resource/"+name))
}

func principalID(name string) uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("demo/principal/"+name))
}

func tenantID(name string) uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("demo/tenant/"+name))
}

// The names that scenes use.
const (
	aurora   = "Aurora Capital"
	borealis = "Borealis Labs"

	momentum = "Momentum 12"
	carry    = "Carry 3"
	reversal = "Reversal 5"
	prices   = "US Prices"
	equities = "Equities"
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
	scout  = "Scout"
	ledger = "ledger-sync"
	screen = "Wall screen"
)

func newWorld() []tenant {
	all := &preferences.Preference{Mode: preferences.ModeAll}
	return []tenant{
		{
			name: aurora, id: tenantID(aurora), tree: newTree(ines),
			people: []person{
				{name: ada, kind: "user", wants: all, roles: []role{{name: "owner", on: research}}},
				{name: ines, kind: "user", roles: []role{{name: "member", on: equities}}},
				{
					name: bruno, kind: "user", roles: []role{{name: "member", on: equities}},
					watches: []subscription{{on: equities, scope: "descendants"}},
				},
				{
					name: chen, kind: "user", wants: custom("run.*", "promotion.*"), roles: []role{{name: "viewer", on: equities}},
					watches: []subscription{{on: momentum, scope: "resource"}},
				},
				{
					name: scout, kind: "agent", wants: custom("resource.*", "signal.*"), roles: []role{{name: "member", on: equities}},
					watches: []subscription{{on: equities, scope: "descendants"}},
				},
				{
					name: eva, kind: "user", wants: &preferences.Preference{Mode: preferences.ModeAll, Muted: true},
					roles: []role{{name: "delegator", on: equities}},
				},
				{
					name: dilan, kind: "user", wants: all, roles: []role{{name: "viewer", on: momentum, revoked: true}},
					watches: []subscription{{on: momentum, scope: "resource"}},
				},
				{
					name: hana, kind: "user", wants: all, roles: []role{{name: "viewer", on: prices}},
					watches: []subscription{{on: momentum, scope: "resource"}},
				},
				{
					name: farid, kind: "user", wants: all, roles: []role{{name: "viewer", on: research}},
					watches: []subscription{{on: equities, scope: "descendants", revoked: true}},
				},
				{
					name: gus, kind: "user", inactive: true, wants: all, roles: []role{{name: "member", on: equities}},
					watches: []subscription{{on: equities, scope: "descendants"}},
				},
				{name: ledger, kind: "service", deaf: true, roles: []role{{name: "member", on: research}}},
				{name: screen, kind: "service", screen: true, roles: []role{{name: "viewer", on: research}}},
			},
		},
		{
			name: borealis, id: tenantID(borealis), tree: newTree(bruno),
			people: []person{
				{name: ada, kind: "user", wants: all, roles: []role{{name: "owner", on: research}}},
				{
					name: bruno, kind: "user", roles: []role{{name: "member", on: equities}},
					watches: []subscription{{on: equities, scope: "descendants"}},
				},
				{
					name: noor, kind: "user", wants: all, roles: []role{{name: "viewer", on: equities}},
					watches: []subscription{{on: momentum, scope: "resource"}},
				},
			},
		},
	}
}

func newTree(owner string) []node {
	return []node{
		{name: research, kind: "workspace"},
		{name: equities, kind: "folder", parent: research},
		{name: momentum, kind: "signal", parent: equities, owner: owner},
		{name: reversal, kind: "signal", parent: equities, owner: owner},
		{name: prices, kind: "dataset", parent: equities, owner: owner},
		{name: "Nightly Build", kind: "pipeline", parent: equities},
		{name: "Lookback Sweep", kind: "experiment", parent: equities, owner: owner},
		{name: "Rates", kind: "folder", parent: research},
		{name: carry, kind: "signal", parent: "Rates", owner: owner},
		{name: "Global Macro", kind: "portfolio", parent: research},
	}
}

func custom(patterns ...string) *preferences.Preference {
	return &preferences.Preference{Mode: preferences.ModeCustom, CustomActions: patterns}
}
