package stage

// The company of a world. Keys name principals and resources in tests; they are unique among both.

// person is a principal.
type person struct {
	key, name, kind string
	inactive        bool
	groups          []string // keys of the groups in which the person is a member
	roles           []grant
	follows         []follow
	levels          []level
	preference      *preference // nil has none stored
}

type grant struct {
	role, on string
	revoked  bool
}

type follow struct{ on, scope string }

type level struct {
	on, level, scope string
	patterns         []string
}

type preference struct {
	mode     string
	patterns []string
	muted    []string // keys of the muted actors
}

const (
	onlyThis  = "resource"
	withBelow = "descendants"
)

// people are the principals that tests name. Ada operates the company's workspace, Grace works in
// it, Noor sees one project, and Zoe sees nothing.
var people = []person{
	{
		key: "ada", name: "Ada Okafor", kind: "user", preference: &preference{mode: "all"},
		roles:   []grant{{role: "owner", on: "halden"}},
		follows: []follow{{"halden", withBelow}},
	},
	{
		key: "grace", name: "Grace Lindqvist", kind: "user", groups: []string{"platform"},
		roles:   []grant{{role: "member", on: "atlas"}, {role: "viewer", on: "mercury"}},
		follows: []follow{{"atlas", withBelow}, {"mercury-docs", withBelow}, {"fleet-eu", onlyThis}},
		levels: []level{
			{on: "atlas-ci", level: "custom", scope: withBelow, patterns: []string{"job.failed", "job.completed"}},
			{on: "atlas-drafts", level: "ignore", scope: withBelow},
		},
		preference: &preference{mode: "all", muted: []string{"courier"}},
	},
	{
		key: "linus", name: "Linus Brandt", kind: "user", groups: []string{"platform"},
		roles:   []grant{{role: "member", on: "atlas"}},
		follows: []follow{{"atlas-board", withBelow}},
	},
	{
		key: "mei", name: "Mei Tanaka", kind: "user", groups: []string{"design"},
		roles:      []grant{{role: "delegator", on: "mercury"}},
		follows:    []follow{{"mercury", withBelow}},
		preference: &preference{mode: "custom", patterns: []string{"comment.*", "file.*", "resource.*"}},
	},
	{
		key: "omar", name: "Omar Haddad", kind: "user",
		roles:   []grant{{role: "viewer", on: "halden"}},
		follows: []follow{{"billing", withBelow}},
		levels:  []level{{on: "atlas", level: "participating", scope: withBelow}},
	},
	{
		key: "noor", name: "نور الدين", kind: "user",
		roles:   []grant{{role: "viewer", on: "fleet"}},
		follows: []follow{{"fleet", withBelow}},
	},
	{
		key: "priya", name: "Priya Raghunathan-Venkatasubramanian", kind: "user",
		groups: []string{"platform", "design"},
		roles:  []grant{{role: "viewer", on: "atlas"}, {role: "member", on: "fleet", revoked: true}},
	},
	{key: "zoe", name: "Zoe", kind: "user"},
	{key: "former", name: "Gus Former", kind: "user", inactive: true, roles: []grant{{role: "member", on: "halden"}}},
	{
		key: "scout", name: "Scout", kind: "agent",
		roles:   []grant{{role: "member", on: "atlas"}},
		follows: []follow{{"atlas-ci", withBelow}},
	},
	{key: "courier", name: "courier-bot", kind: "agent", roles: []grant{{role: "member", on: "halden"}}},
	{key: "ledger", name: "ledger-sync", kind: "service", roles: []grant{{role: "member", on: "billing"}}},
	{key: "ci", name: "ci-runner", kind: "service", roles: []grant{{role: "member", on: "halden"}}},
	{
		key: "platform", name: "Platform team", kind: "group",
		roles:   []grant{{role: "viewer", on: "fleet"}},
		follows: []follow{{"atlas-runbooks", withBelow}},
	},
	{key: "design", name: "Design team", kind: "group", roles: []grant{{role: "viewer", on: "mercury"}}},
}

// node is a resource.
type node struct {
	key, parent string // a parent before its children; "" is none
	kind, name  string
	owner       string
}

// tree are the resources, up to four levels deep.
var tree = []node{
	{key: "halden", kind: "workspace", name: "Halden Robotics", owner: "ada"},
	{key: "all-hands", parent: "halden", kind: "channel", name: "All hands"},

	{key: "atlas", parent: "halden", kind: "project", name: "Atlas arm", owner: "linus"},
	{key: "atlas-board", parent: "atlas", kind: "board", name: "Sprint 42"},
	{key: "atlas-grip", parent: "atlas-board", kind: "task", name: "Reduce grip latency below 8 ms", owner: "grace"},
	{key: "atlas-calibrate", parent: "atlas-board", kind: "task", name: "Calibrate the wrist sensor", owner: "linus"},
	{key: "atlas-estop", parent: "atlas-board", kind: "task", name: "Stop ignores the second press", owner: "grace"},
	{key: "atlas-docs", parent: "atlas", kind: "folder", name: "Documents"},
	{key: "atlas-spec", parent: "atlas-docs", kind: "document", name: "Motion planner specification", owner: "mei"},
	{key: "atlas-runbooks", parent: "atlas-docs", kind: "folder", name: "Runbooks"},
	{key: "atlas-drafts", parent: "atlas-docs", kind: "folder", name: "Drafts"},
	{key: "atlas-idea", parent: "atlas-drafts", kind: "document", name: "Idea: two-finger gripper"},
	{key: "atlas-ci", parent: "atlas", kind: "pipeline", name: "atlas-firmware"},
	{key: "atlas-nightly", parent: "atlas-ci", kind: "job", name: "nightly"},
	{key: "atlas-release", parent: "atlas-ci", kind: "job", name: "release"},

	{key: "mercury", parent: "halden", kind: "project", name: "Mercury console", owner: "mei"},
	{key: "mercury-board", parent: "mercury", kind: "board", name: "Launch checklist"},
	{key: "mercury-copy", parent: "mercury-board", kind: "task", name: "Write the onboarding texts", owner: "priya"},
	{key: "mercury-dark", parent: "mercury-board", kind: "task", name: "Dark theme: contrast of charts", owner: "mei"},
	{key: "mercury-docs", parent: "mercury", kind: "folder", name: "Design"},
	{key: "mercury-brand", parent: "mercury-docs", kind: "document", name: "Brand guide 2026"},
	{key: "mercury-icons", parent: "mercury-docs", kind: "document", name: "Icon set"},
	{key: "mercury-ci", parent: "mercury", kind: "pipeline", name: "mercury-web"},

	{key: "fleet", parent: "halden", kind: "project", name: "Fleet operations", owner: "noor"},
	{key: "fleet-eu", parent: "fleet", kind: "site", name: "Rotterdam"},
	{key: "fleet-eu-1", parent: "fleet-eu", kind: "device", name: "arm-rtm-01"},
	{key: "fleet-eu-2", parent: "fleet-eu", kind: "device", name: "arm-rtm-02"},
	{key: "fleet-eu-3", parent: "fleet-eu", kind: "device", name: "arm-rtm-03"},
	{key: "fleet-us", parent: "fleet", kind: "site", name: "Savannah"},
	{key: "fleet-us-1", parent: "fleet-us", kind: "device", name: "arm-sav-01"},
	{key: "fleet-us-2", parent: "fleet-us", kind: "device", name: "arm-sav-02"},
	{key: "fleet-jp", parent: "fleet", kind: "site", name: "横浜"},
	{key: "fleet-jp-1", parent: "fleet-jp", kind: "device", name: "arm-yok-01"},

	{key: "billing", parent: "halden", kind: "account", name: "Billing", owner: "omar"},
	{key: "invoices", parent: "billing", kind: "folder", name: "Invoices 2026"},
	{key: "invoice-117", parent: "invoices", kind: "invoice", name: "INV-2026-0117"},
	{key: "invoice-118", parent: "invoices", kind: "invoice", name: "INV-2026-0118"},

	// Activities of these fail, so that those of other resources are not blocked.
	{key: "webhook", parent: "halden", kind: "integration", name: "Webhook to the warehouse"},
	{key: "mirror", parent: "halden", kind: "integration", name: "Mirror to the data lake"},
	{key: "bridge", parent: "halden", kind: "integration", name: "Bridge to the plant network"},
}

// Names of the crowd, who follow the channel of all hands.
var (
	firstNames = []string{"Aiko", "Ben", "Carla", "Dmitri", "Elif", "Femi", "Greta", "Hugo", "Imani", "Jonas"}
	lastNames  = []string{"Abara", "Bianchi", "Castro", "Dubois", "Eriksen", "Fischer", "Garcia", "Hoang"}
)
