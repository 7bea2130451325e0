// Package oracle says who must hear of an activity, written anew from the documented behaviour and
// sharing no code with what it judges: it keeps a tenant's directory, subscriptions and preferences
// in maps and asks one question after the other.
//
// Since permission counts at the moment of sending, which an observer cannot know to the
// microsecond, a Timeline judges every state that the tenant was in between an activity's commit
// and its removal from the outbox.
package oracle

import "github.com/google/uuid"

// Tenant is all that decides about one tenant's activities. Its zero value is not usable; NewTenant
// makes one.
type Tenant struct {
	Resources     map[uuid.UUID]Resource
	Inactive      map[uuid.UUID]bool // whom the directory marks so; whom it does not know is not among them
	Preferences   map[uuid.UUID]Preference
	roles         map[uuid.UUID]map[uuid.UUID]Roles      // by resource, by principal
	holdings      map[uuid.UUID]map[uuid.UUID]bool       // by principal: the resources on which they have a role
	subscriptions map[uuid.UUID]map[uuid.UUID]Subscribed // by resource, by principal
}

// Resource is a node of the tree; uuid.Nil is none.
type Resource struct{ Parent, Owner uuid.UUID }

// Preference is what somebody wants to hear; the zero value is that of somebody who never said.
type Preference struct {
	Mode     string
	Patterns []string
	Muted    bool
}

// Roles is a set of roles on one resource.
type Roles uint8

// The roles. The last two make a delegator.
const (
	Viewer Roles = 1 << iota
	Editor
	OwnerRole
	Delegator
)

// Subscribed is a set of subscriptions to one resource.
type Subscribed uint8

// The scopes of a subscription.
const (
	Here  Subscribed = 1 << iota // that resource only
	Below                        // that resource and everything under it
)

// NewTenant returns one with nobody and nothing in it.
func NewTenant() *Tenant {
	return &Tenant{
		Resources: map[uuid.UUID]Resource{}, Inactive: map[uuid.UUID]bool{}, Preferences: map[uuid.UUID]Preference{},
		roles: map[uuid.UUID]map[uuid.UUID]Roles{}, holdings: map[uuid.UUID]map[uuid.UUID]bool{},
		subscriptions: map[uuid.UUID]map[uuid.UUID]Subscribed{},
	}
}

// Roles returns those that somebody has on a resource itself.
func (t *Tenant) Roles(principal, resource uuid.UUID) Roles { return t.roles[resource][principal] }

// SetRoles replaces them; 0 takes all away.
func (t *Tenant) SetRoles(principal, resource uuid.UUID, r Roles) {
	set(t.roles, resource, principal, r)
	set(t.holdings, principal, resource, r != 0)
}

// Subscription returns somebody's to a resource.
func (t *Tenant) Subscription(principal, resource uuid.UUID) Subscribed {
	return t.subscriptions[resource][principal]
}

// Subscribe replaces it; 0 takes it away.
func (t *Tenant) Subscribe(principal, resource uuid.UUID, s Subscribed) {
	set(t.subscriptions, resource, principal, s)
}

// EachRole calls f for everybody with roles on a resource.
func (t *Tenant) EachRole(f func(principal, resource uuid.UUID, r Roles)) {
	for resource, holders := range t.roles {
		for principal, r := range holders {
			f(principal, resource, r)
		}
	}
}

// EachSubscription calls f for everybody who has subscribed to a resource.
func (t *Tenant) EachSubscription(f func(principal, resource uuid.UUID, s Subscribed)) {
	for resource, subscribers := range t.subscriptions {
		for principal, s := range subscribers {
			f(principal, resource, s)
		}
	}
}

// set stores a value below two keys; the zero value removes it.
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
