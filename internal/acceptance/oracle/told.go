package oracle

import (
	"slices"
	"strings"

	"github.com/google/uuid"
)

// Activity is what was recorded. Owner and Parent stand in when the directory does not hold the
// resource any more.
type Activity struct {
	ID, Resource, Actor, Target, Owner, Parent uuid.UUID
	Action, Visibility                         string
}

// Told is how somebody hears of an activity: Inbox, and Push besides unless they have muted what
// addresses them.
type Told struct{ Inbox, Push bool }

// mutations are the actions that somebody who asked for nothing hears of.
var mutations = []string{"resource.created", "resource.updated", "resource.deleted", "transfer.", "promotion."}

// Told returns everybody who must hear of an activity, if it is sent while the tenant is as it is
// now.
func (t *Tenant) Told(a Activity) map[uuid.UUID]Told {
	owner, parent := a.Owner, a.Parent
	if r, stands := t.Resources[a.Resource]; stands {
		owner, parent = r.Owner, r.Parent
	}
	chain := t.chain(a.Resource, parent)
	told := map[uuid.UUID]Told{}
	for principal := range t.candidates(a, owner, chain) {
		switch {
		case principal == a.Actor, principal == uuid.Nil, t.Inactive[principal]:
		case principal == a.Target:
			told[principal] = Told{Inbox: true, Push: !t.Preferences[principal].Muted}
		case principal != owner && !t.delegates(principal, chain) && !t.permits(a.Visibility, principal, parent, chain):
		case t.Preferences[principal].wants(a.Action):
			told[principal] = Told{Inbox: true, Push: true}
		}
	}
	return told
}

// candidates are the subscribers, the owner, the delegators and the target.
func (t *Tenant) candidates(a Activity, owner uuid.UUID, chain []uuid.UUID) map[uuid.UUID]bool {
	found := map[uuid.UUID]bool{owner: true, a.Target: true}
	for level, resource := range chain {
		for principal, s := range t.subscriptions[resource] {
			if level == 0 || s&Below != 0 {
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

// chain is the resource and its ancestors. A cycle ends it.
func (t *Tenant) chain(resource, parent uuid.UUID) []uuid.UUID {
	chain := []uuid.UUID{resource}
	for parent != uuid.Nil && !slices.Contains(chain, parent) {
		chain = append(chain, parent)
		parent = t.Resources[parent].Parent
	}
	return chain
}

// delegates reports whether somebody has the role owner or delegator on the resource or an
// ancestor.
func (t *Tenant) delegates(principal uuid.UUID, chain []uuid.UUID) bool {
	return slices.ContainsFunc(
		chain,
		func(at uuid.UUID) bool { return t.roles[at][principal]&(OwnerRole|Delegator) != 0 },
	)
}

// permits reports whether somebody who has subscribed may see it.
func (t *Tenant) permits(visibility string, principal, parent uuid.UUID, chain []uuid.UUID) bool {
	onChain := slices.ContainsFunc(chain, func(at uuid.UUID) bool { return t.roles[at][principal] != 0 })
	switch visibility {
	case "tenant":
		return true
	case "scope":
		return onChain || parent != uuid.Nil && t.holdsUnder(principal, parent)
	case "resource":
		return onChain
	default: // private
		return false
	}
}

// holdsUnder reports whether somebody has a role on a resource or on anything under it.
func (t *Tenant) holdsUnder(principal, resource uuid.UUID) bool {
	for held := range t.holdings[principal] {
		if slices.Contains(t.chain(held, t.Resources[held].Parent), resource) {
			return true
		}
	}
	return false
}

// wants reports whether somebody who is not addressed hears of an action.
func (p Preference) wants(action string) bool {
	switch {
	case p.Muted:
		return false
	case p.Mode == "all":
		return true
	case p.Mode == "custom":
		return slices.ContainsFunc(p.Patterns, func(pattern string) bool { return fnmatch(pattern, action) })
	default:
		return slices.ContainsFunc(mutations, func(prefix string) bool { return strings.HasPrefix(action, prefix) })
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
			members, without := strings.CutPrefix(pattern[1:end], "!")
			if strings.IndexByte(members, text[0]) >= 0 == without {
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
