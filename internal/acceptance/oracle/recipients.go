package oracle

import (
	"slices"
	"strings"

	"github.com/google/uuid"
)

// Activity is a recorded activity. Owner and Parent apply when the directory does not contain the
// resource.
type Activity struct {
	ID, Resource, Actor, Owner, Parent uuid.UUID
	Targets                            []uuid.UUID
	Action, Visibility                 string
}

// Delivery describes how a recipient receives an activity: as an inbox row, and by a push unless
// the recipient has muted an activity that targets them.
type Delivery struct{ Inbox, Push bool }

// mutations are the patterns of the actions that a principal without a preference receives, unless
// the taxonomy says otherwise of an action.
var mutations = []string{"*.created*", "*.updated*", "*.deleted*", "transfer.*", "promotion.*"}

// Recipients returns the recipients of an activity that is delivered in the tenant's present state.
func (t *Tenant) Recipients(a Activity) map[uuid.UUID]Delivery {
	owner, parent := a.Owner, a.Parent
	if r, exists := t.Resources[a.Resource]; exists {
		owner, parent = r.Owner, r.Parent
	}
	chain := t.chain(a.Resource, parent)
	recipients := map[uuid.UUID]Delivery{}
	for principal := range t.candidates(a, owner, chain) {
		switch {
		case principal == a.Actor, principal == uuid.Nil, t.Inactive[principal]:
		case slices.Contains(a.Targets, principal):
			recipients[principal] = Delivery{Inbox: true, Push: !t.Preferences[principal].Muted}
		case principal != owner && !t.delegates(principal, chain) && !t.permits(a.Visibility, principal, parent, chain):
		case t.Preferences[principal].accepts(a.Action, t.Notify[a.Action]):
			recipients[principal] = Delivery{Inbox: true, Push: true}
		}
	}
	return recipients
}

// candidates returns the subscribers, the owner, the delegators and the targets.
func (t *Tenant) candidates(a Activity, owner uuid.UUID, chain []uuid.UUID) map[uuid.UUID]bool {
	found := map[uuid.UUID]bool{owner: true}
	for _, target := range a.Targets {
		found[target] = true
	}
	for level, resource := range chain {
		for principal, s := range t.subscriptions[resource] {
			if level == 0 || s&ScopeDescendants != 0 {
				found[principal] = true
			}
		}
		for principal := range t.roles[resource] {
			if t.delegates(principal, chain) {
				found[principal] = true
			}
		}
	}
	return found
}

// chain returns the resource and its ancestors. A cycle ends it.
func (t *Tenant) chain(resource, parent uuid.UUID) []uuid.UUID {
	chain := []uuid.UUID{resource}
	for parent != uuid.Nil && !slices.Contains(chain, parent) {
		chain = append(chain, parent)
		parent = t.Resources[parent].Parent
	}
	return chain
}

// delegates reports whether a principal holds the role owner or delegator on the resource or an
// ancestor.
func (t *Tenant) delegates(principal uuid.UUID, chain []uuid.UUID) bool {
	return slices.ContainsFunc(chain, func(resource uuid.UUID) bool {
		return t.roles[resource][principal]&(OwnerRole|Delegator) != 0
	})
}

// permits reports whether the visibility permits a subscriber to receive the activity.
func (t *Tenant) permits(visibility string, principal, parent uuid.UUID, chain []uuid.UUID) bool {
	onChain := slices.ContainsFunc(chain, func(resource uuid.UUID) bool { return t.roles[resource][principal] != 0 })
	switch visibility {
	case "tenant":
		return true
	case "scope":
		return onChain || parent != uuid.Nil && t.holdsRoleBelow(principal, parent)
	case "resource":
		return onChain
	default: // private
		return false
	}
}

// holdsRoleBelow reports whether a principal holds a role on a resource or on a descendant of it.
func (t *Tenant) holdsRoleBelow(principal, resource uuid.UUID) bool {
	for held := range t.holdings[principal] {
		if slices.Contains(t.chain(held, t.Resources[held].Parent), resource) {
			return true
		}
	}
	return false
}

// accepts reports whether the preference selects an action that does not target its principal.
// notify is what the taxonomy says of the action.
func (p Preference) accepts(action, notify string) bool {
	matches := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool { return fnmatch(pattern, action) })
	}
	switch {
	case p.Muted:
		return false
	case p.Mode == "all", notify == "mandatory":
		return true
	case p.Mode == "custom":
		return matches(p.Patterns)
	default:
		return notify == "default" || notify != "optional" && matches(mutations)
	}
}

// fnmatch is Python's fnmatch.fnmatchcase for patterns of ASCII characters, *, ? and sets without
// ranges.
func fnmatch(pattern, text string) bool {
	for pattern != "" {
		switch pattern[0] {
		case '*':
			for i := range len(text) + 1 {
				if fnmatch(pattern[1:], text[i:]) {
					return true
				}
			}
			return false
		case '[':
			end := strings.IndexByte(pattern, ']')
			if text == "" || end < 0 {
				return false
			}
			members, negated := strings.CutPrefix(pattern[1:end], "!")
			if strings.IndexByte(members, text[0]) >= 0 == negated {
				return false
			}
			pattern, text = pattern[end+1:], text[1:]
			continue
		case '?':
			if text == "" {
				return false
			}
		default:
			if text == "" || text[0] != pattern[0] {
				return false
			}
		}
		pattern, text = pattern[1:], text[1:]
	}
	return text == ""
}
