package oracle

import (
	"slices"

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
// the recipient has muted.
type Delivery struct{ Inbox, Push bool }

// Verdict is what becomes of one activity for one principal.
type Verdict struct {
	Delivery
	Rule    Rule
	Reasons Reasons // for which the principal is notified; those of a candidate if the principal is not notified

	// Through contains the groups of the reasons that hold through groups only. One of them is the
	// notification's group; none if it is empty.
	Through map[uuid.UUID]bool
}

// Rule is the rule that decides, as section 7 of the contract numbers them.
type Rule string

// The rules.
const (
	NotConcerned Rule = "not concerned" // neither a subscriber nor owner, delegator or target; or a group
	IsActor      Rule = "1 actor"
	IsInactive   Rule = "1 inactive"
	MayNotSee    Rule = "1 may not see"
	Mandatory    Rule = "2 mandatory"
	IsTarget     Rule = "2 target"
	MutedActor   Rule = "3 muted actor"
	MutedAction  Rule = "3 muted action"
	ByLevel      Rule = "4 level"
	ByPreference Rule = "5 or 6 preference"
)

// Reasons is a set of reasons, with the values of a notification's reasons.
type Reasons int16

// The reasons.
const (
	Subscribed Reasons = 1 << iota
	Owner
	Delegate
	Target
)

// mutations are the patterns of the actions that a principal without a preference receives, unless
// the taxonomy says otherwise of an action.
var mutations = []string{"*.created*", "*.updated*", "*.deleted*", "transfer.*", "promotion.*"}

// Recipients returns the recipients of an activity that is delivered in the tenant's present state.
func (t *Tenant) Recipients(a Activity) map[uuid.UUID]Delivery {
	recipients := map[uuid.UUID]Delivery{}
	at := t.placeOf(a)
	for principal := range t.candidates(a, at) {
		if v := t.decide(a, at, principal); v.Inbox {
			recipients[principal] = v.Delivery
		}
	}
	return recipients
}

// Decide returns what becomes of an activity for a principal in the tenant's
// present state.
func (t *Tenant) Decide(a Activity, principal uuid.UUID) Verdict {
	return t.decide(a, t.placeOf(a), principal)
}

// place is where an activity's resource is in the tree.
type place struct {
	owner, parent uuid.UUID
	chain         []uuid.UUID // the resource and its ancestors
}

func (t *Tenant) placeOf(a Activity) place {
	at := place{owner: a.Owner, parent: a.Parent}
	if r, exists := t.Resources[a.Resource]; exists {
		at.owner, at.parent = r.Owner, r.Parent
	}
	at.chain = t.chain(a.Resource, at.parent)
	return at
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

// candidates returns who may be concerned: more than the candidates, in doubt.
func (t *Tenant) candidates(a Activity, at place) map[uuid.UUID]bool {
	found := map[uuid.UUID]bool{at.owner: true}
	for _, target := range a.Targets {
		found[target] = true
	}
	add := func(id uuid.UUID) {
		for principal := range t.everybody(id) {
			found[principal] = true
		}
	}
	for i, resource := range at.chain {
		for id, s := range t.subscriptions[resource] {
			if i == 0 || s&ScopeDescendants != 0 {
				add(id)
			}
		}
		for id, r := range t.roles[resource] {
			if r&(OwnerRole|Delegator) != 0 {
				add(id)
			}
		}
	}
	return found
}

func (t *Tenant) decide(a Activity, at place, principal uuid.UUID) Verdict {
	if principal == uuid.Nil || t.isGroup(principal) {
		return Verdict{Rule: NotConcerned}
	}
	holders := t.holders(principal)
	via := t.reasons(a, at, principal, holders)
	v := Verdict{Reasons: via.reasons()}
	switch {
	case v.Reasons == 0:
		v.Rule = NotConcerned
		return v
	case principal == a.Actor:
		v.Rule = IsActor
		return v
	case t.Inactive[principal]:
		v.Rule = IsInactive
		return v
	}
	if !t.permits(a.Visibility, at, holders) {
		delete(via, Subscribed)
	}
	if len(via) == 0 {
		v.Rule = MayNotSee
		return v
	}
	v.Reasons, v.Through = via.reasons(), via.through(principal)
	muted := t.muted(principal)
	v.Inbox, v.Rule = t.wants(a, at, principal, v.Reasons, muted)
	v.Push = v.Inbox && !muted
	return v
}

// wants reports whether a principal who may see an activity is notified of it, and by which rule.
func (t *Tenant) wants(a Activity, at place, principal uuid.UUID, r Reasons, muted bool) (bool, Rule) {
	notify := t.Notify[a.Action]
	switch {
	case notify == "mandatory":
		return true, Mandatory
	case r&Target != 0:
		return true, IsTarget
	case slices.Contains(t.Preferences[principal].MutedActors, a.Actor):
		return false, MutedActor
	case t.mutes(principal, a.Action):
		return false, MutedAction
	}
	if l := t.level(principal, at.chain); l != nil {
		switch l.Name {
		case "ignore":
			return false, ByLevel
		case "participating":
			return r&(Owner|Delegate) != 0, ByLevel
		case "custom":
			return matches(l.Patterns, a.Action), ByLevel
		case "all":
			return true, ByLevel
		}
	}
	return !muted && t.selects(principal, a.Action, notify), ByPreference
}

// grounds are the reasons of a candidate, each with the principal itself or the groups through
// which it holds.
type grounds map[Reasons]map[uuid.UUID]bool

func (t *Tenant) reasons(a Activity, at place, principal uuid.UUID, holders map[uuid.UUID]bool) grounds {
	via := grounds{}
	add := func(r Reasons, holder uuid.UUID) {
		if via[r] == nil {
			via[r] = map[uuid.UUID]bool{}
		}
		via[r][holder] = true
	}
	for i, resource := range at.chain {
		for holder := range holders {
			if s := t.subscriptions[resource][holder]; s&ScopeDescendants != 0 || i == 0 && s != 0 {
				add(Subscribed, holder)
			}
			if t.roles[resource][holder]&(OwnerRole|Delegator) != 0 {
				add(Delegate, holder)
			}
		}
	}
	if principal == at.owner {
		add(Owner, principal)
	}
	if slices.Contains(a.Targets, principal) {
		add(Target, principal)
	}
	return via
}

func (g grounds) reasons() (all Reasons) {
	for r := range g {
		all |= r
	}
	return all
}

func (g grounds) through(principal uuid.UUID) map[uuid.UUID]bool {
	groups := map[uuid.UUID]bool{}
	for _, holders := range g {
		if holders[principal] {
			continue
		}
		for group := range holders {
			groups[group] = true
		}
	}
	return groups
}

// permits reports whether the visibility permits a subscriber to receive the activity.
func (t *Tenant) permits(visibility string, at place, holders map[uuid.UUID]bool) bool {
	onChain := false
	for holder := range holders {
		for _, resource := range at.chain {
			onChain = onChain || t.roles[resource][holder] != 0
		}
	}
	switch visibility {
	case "tenant":
		return true
	case "scope":
		return onChain || at.parent != uuid.Nil && t.holdRoleBelow(holders, at.parent)
	case "resource":
		return onChain
	default: // private
		return false
	}
}

// holdRoleBelow reports whether one of the holders has a role on a resource or on a descendant.
func (t *Tenant) holdRoleBelow(holders map[uuid.UUID]bool, resource uuid.UUID) bool {
	for holder := range holders {
		for held := range t.holdings[holder] {
			if slices.Contains(t.chain(held, t.Resources[held].Parent), resource) {
				return true
			}
		}
	}
	return false
}

// level returns the level that a principal has set nearest to the first resource of a chain, or
// nil.
func (t *Tenant) level(principal uuid.UUID, chain []uuid.UUID) *Level {
	for i, resource := range chain {
		if l := t.levels[principal][resource]; l != nil && (i == 0 || l.Below) {
			return l
		}
	}
	return nil
}

// muted reports whether a principal has muted, or the tenant's default for one who has not chosen.
func (t *Tenant) muted(principal uuid.UUID) bool {
	if own := t.Preferences[principal].Muted; own != nil {
		return *own
	}
	return t.Defaults.Muted != nil && *t.Defaults.Muted
}

// mutes reports whether a principal has muted an action, or the tenant's default for one who has
// not chosen.
func (t *Tenant) mutes(principal uuid.UUID, action string) bool {
	patterns := t.Preferences[principal].MutedActions
	if patterns == nil {
		patterns = t.Defaults.MutedActions
	}
	return matches(patterns, action)
}

// selects reports whether the mode of a principal, or the default one, selects an action. notify is
// what the taxonomy says of the action.
func (t *Tenant) selects(principal uuid.UUID, action, notify string) bool {
	p := t.Preferences[principal]
	if p.Mode == "" {
		p.Mode = t.Defaults.Mode
	}
	if p.Patterns == nil {
		p.Patterns = t.Defaults.Patterns
	}
	switch p.Mode {
	case "all":
		return true
	case "custom":
		return matches(p.Patterns, action)
	default:
		return notify == "default" || notify != "optional" && matches(mutations, action)
	}
}

func matches(patterns []string, action string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return fnmatch(pattern, action) })
}
