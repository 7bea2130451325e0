// Package oracle decides independently of production code who must receive an activity. It is
// written from the documented behaviour, keeps a tenant's directory, subscriptions, levels and
// preferences in maps, and decides about one activity and one principal at a time.
//
// It shares no code with the packages that decide in production, on purpose: a rule that both used
// could be wrong in both. The only import beyond the standard library is the UUID type.
//
// Fanfare resolves recipients when it delivers an activity, at a moment that an observer cannot
// know exactly. Expect therefore evaluates every state that the tenant was in between the
// activity's commit and its removal from the outbox.
package oracle

import "github.com/google/uuid"

// Tenant is a model of everything that decides about one tenant's activities. NewTenant makes one;
// the zero value is not usable. It is not safe for concurrent use.
type Tenant struct {
	Resources map[uuid.UUID]Resource
	Inactive  map[uuid.UUID]bool // principals that the directory marks as inactive
	Kind      map[uuid.UUID]bool // principals whose kind is group; one with members is a group as well

	Preferences map[uuid.UUID]Preference
	Defaults    Preference // of the tenant; MutedActors is not used

	// Notify is what the taxonomy says of an action: default, optional or mandatory. It may be nil.
	Notify        map[string]string
	members       map[uuid.UUID]map[uuid.UUID]bool   // by group, by principal
	groups        map[uuid.UUID]map[uuid.UUID]bool   // by principal, by group
	levels        map[uuid.UUID]map[uuid.UUID]*Level // by principal, by resource
	roles         map[uuid.UUID]map[uuid.UUID]Roles  // by resource, by principal
	holdings      map[uuid.UUID]map[uuid.UUID]bool   // by principal: the resources on which they hold a role
	subscriptions map[uuid.UUID]map[uuid.UUID]Scopes // by resource, by principal
}

// Resource is a node of the tree. A parent or an owner that does not exist is uuid.Nil.
type Resource struct{ Parent, Owner uuid.UUID }

// Preference selects the activities that a principal receives. A field that is zero or nil is not
// set, so that the tenant's default applies, or else the installation's.
type Preference struct {
	Mode         string
	Patterns     []string
	Muted        *bool
	MutedActors  []uuid.UUID
	MutedActions []string // patterns
}

// Level is a principal's choice for a resource or for the tree below it.
type Level struct {
	Name     string // all, custom, participating or ignore
	Below    bool   // the scope is descendants: it applies to everything under the resource, too
	Patterns []string
}

// Roles is a set of roles on one resource.
type Roles uint8

// The roles. OwnerRole and Delegator make a principal a delegator of the resource.
const (
	Viewer Roles = 1 << iota
	Editor
	OwnerRole
	Delegator
)

// Scopes is a set of subscriptions to one resource.
type Scopes uint8

// The scopes of a subscription.
const (
	ScopeResource    Scopes = 1 << iota // the resource itself
	ScopeDescendants                    // the resource and all resources below it
)

// NewTenant returns an empty tenant.
func NewTenant() *Tenant {
	return &Tenant{
		Resources:     map[uuid.UUID]Resource{},
		Inactive:      map[uuid.UUID]bool{},
		Kind:          map[uuid.UUID]bool{},
		Preferences:   map[uuid.UUID]Preference{},
		members:       map[uuid.UUID]map[uuid.UUID]bool{},
		groups:        map[uuid.UUID]map[uuid.UUID]bool{},
		levels:        map[uuid.UUID]map[uuid.UUID]*Level{},
		roles:         map[uuid.UUID]map[uuid.UUID]Roles{},
		holdings:      map[uuid.UUID]map[uuid.UUID]bool{},
		subscriptions: map[uuid.UUID]map[uuid.UUID]Scopes{},
	}
}

// Roles returns the roles that a principal or a group holds on a resource itself.
func (t *Tenant) Roles(principal, resource uuid.UUID) Roles { return t.roles[resource][principal] }

// SetRoles replaces the roles that a principal or a group holds on a resource; 0 revokes them.
func (t *Tenant) SetRoles(principal, resource uuid.UUID, r Roles) {
	set(t.roles, resource, principal, r)
	set(t.holdings, principal, resource, r != 0)
}

// Subscriptions returns the scopes in which a principal or a group subscribes to a resource.
func (t *Tenant) Subscriptions(principal, resource uuid.UUID) Scopes {
	return t.subscriptions[resource][principal]
}

// SetSubscriptions replaces the subscriptions of a principal or a group to a resource; 0 removes
// them.
func (t *Tenant) SetSubscriptions(principal, resource uuid.UUID, s Scopes) {
	set(t.subscriptions, resource, principal, s)
}

// SetMember adds a principal to a group, or removes it. A group may be a member of a group.
func (t *Tenant) SetMember(group, principal uuid.UUID, is bool) {
	set(t.members, group, principal, is)
	set(t.groups, principal, group, is)
}

// IsMember reports whether a principal is a member of a group itself.
func (t *Tenant) IsMember(group, principal uuid.UUID) bool { return t.members[group][principal] }

// HasLevel reports whether a principal has a level for a resource itself.
func (t *Tenant) HasLevel(principal, resource uuid.UUID) bool {
	return t.levels[principal][resource] != nil
}

// SetLevel replaces a principal's level for a resource; nil removes it.
func (t *Tenant) SetLevel(principal, resource uuid.UUID, l *Level) {
	set(t.levels, principal, resource, l)
}

// EachRole calls f for each principal and resource with roles, in no order.
func (t *Tenant) EachRole(f func(principal, resource uuid.UUID, r Roles)) { each(t.roles, f) }

// EachSubscription calls f for each principal and resource with subscriptions, in no order.
func (t *Tenant) EachSubscription(f func(principal, resource uuid.UUID, s Scopes)) {
	each(t.subscriptions, f)
}

// EachMember calls f for each member of each group, in no order.
func (t *Tenant) EachMember(f func(group, principal uuid.UUID)) {
	each(t.groups, func(group, principal uuid.UUID, _ bool) { f(group, principal) })
}

// EachLevel calls f for each principal and resource with a level, in no order.
func (t *Tenant) EachLevel(f func(resource, principal uuid.UUID, l *Level)) { each(t.levels, f) }

// each calls f for each value with its second and its first key.
func each[V any](in map[uuid.UUID]map[uuid.UUID]V, f func(second, first uuid.UUID, value V)) {
	for first, values := range in {
		for second, value := range values {
			f(second, first, value)
		}
	}
}

// set stores a value under two keys; the zero value removes it.
func set[V comparable](in map[uuid.UUID]map[uuid.UUID]V, first, second uuid.UUID, value V) {
	var zero V
	switch {
	case value == zero:
		delete(in[first], second)
		if len(in[first]) == 0 {
			delete(in, first)
		}
	case in[first] == nil:
		in[first] = map[uuid.UUID]V{second: value}
	default:
		in[first][second] = value
	}
}
