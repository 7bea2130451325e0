// Package oracle decides independently of production code who must receive an activity. It is
// written from the documented behaviour, keeps a tenant's directory, subscriptions and preferences
// in maps, and resolves one activity at a time.
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
	Resources   map[uuid.UUID]Resource
	Inactive    map[uuid.UUID]bool // principals that the directory marks as inactive
	Preferences map[uuid.UUID]Preference
	// Notify is what the taxonomy says of an action: default, optional or mandatory. It may be nil.
	Notify        map[string]string
	roles         map[uuid.UUID]map[uuid.UUID]Roles  // by resource, by principal
	holdings      map[uuid.UUID]map[uuid.UUID]bool   // by principal: the resources on which they hold a role
	subscriptions map[uuid.UUID]map[uuid.UUID]Scopes // by resource, by principal
}

// Resource is a node of the tree. A parent or an owner that does not exist is uuid.Nil.
type Resource struct{ Parent, Owner uuid.UUID }

// Preference selects the activities that a principal receives. The zero value is the preference of
// a principal who has stored none.
type Preference struct {
	Mode     string
	Patterns []string
	Muted    bool
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
		Preferences:   map[uuid.UUID]Preference{},
		roles:         map[uuid.UUID]map[uuid.UUID]Roles{},
		holdings:      map[uuid.UUID]map[uuid.UUID]bool{},
		subscriptions: map[uuid.UUID]map[uuid.UUID]Scopes{},
	}
}

// Roles returns the roles that a principal holds on a resource itself.
func (t *Tenant) Roles(principal, resource uuid.UUID) Roles { return t.roles[resource][principal] }

// SetRoles replaces the roles that a principal holds on a resource; 0 revokes them.
func (t *Tenant) SetRoles(principal, resource uuid.UUID, r Roles) {
	set(t.roles, resource, principal, r)
	set(t.holdings, principal, resource, r != 0)
}

// Subscriptions returns the scopes in which a principal subscribes to a resource.
func (t *Tenant) Subscriptions(principal, resource uuid.UUID) Scopes {
	return t.subscriptions[resource][principal]
}

// SetSubscriptions replaces a principal's subscriptions to a resource; 0 removes them.
func (t *Tenant) SetSubscriptions(principal, resource uuid.UUID, s Scopes) {
	set(t.subscriptions, resource, principal, s)
}

// EachRole calls f for each principal and resource with roles, in no order.
func (t *Tenant) EachRole(f func(principal, resource uuid.UUID, r Roles)) {
	for resource, holders := range t.roles {
		for principal, r := range holders {
			f(principal, resource, r)
		}
	}
}

// EachSubscription calls f for each principal and resource with subscriptions, in no order.
func (t *Tenant) EachSubscription(f func(principal, resource uuid.UUID, s Scopes)) {
	for resource, subscribers := range t.subscriptions {
		for principal, s := range subscribers {
			f(principal, resource, s)
		}
	}
}

// set stores a value under two keys; the zero value removes it.
func set[V comparable](in map[uuid.UUID]map[uuid.UUID]V, first, second uuid.UUID, value V) {
	var zero V
	switch {
	case value == zero:
		delete(in[first], second)
	case in[first] == nil:
		in[first] = map[uuid.UUID]V{second: value}
	default:
		in[first][second] = value
	}
}
