package watchers

import (
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// Reasons is the set of reasons why a principal is a candidate, as stored with a notification.
type Reasons int16

// The reasons.
const (
	Subscribed Reasons = 1 << iota // is subscribed to the resource, or to an ancestor with its descendants
	Owner                          // owns the resource
	Delegator                      // holds the role owner or delegator on the resource or on an ancestor
	Target                         // is a target of the activity

	heir // a subscription has the scope descendants; only in what is read
)

// Has reports whether r contains any of the other reasons.
func (r Reasons) Has(others Reasons) bool { return r&others != 0 }

// reasonNames returns the names of the reasons, in the order of the constants.
func reasonNames() []string { return []string{"subscribed", "owner", "delegator", "target"} }

// ParseReason returns the reason with a name, and whether there is one.
func ParseReason(name string) (Reasons, bool) {
	i := slices.Index(reasonNames(), name)
	if i < 0 {
		return 0, false
	}
	return 1 << i, true
}

// Names returns the names of the reasons, in the order of the constants.
func (r Reasons) Names() []string {
	names := []string{}
	for i, name := range reasonNames() {
		if r.Has(1 << i) {
			names = append(names, name)
		}
	}
	return names
}

// String returns the names, separated by commas.
func (r Reasons) String() string { return strings.Join(r.Names(), ", ") }

// Candidate is a principal that an activity concerns. Whether it becomes a recipient depends on its
// access and on what it wants to hear.
type Candidate struct {
	PrincipalID uuid.UUID
	Reasons     Reasons // held directly, or through a group
	Heir        bool    // a subscription has the scope subscriptions.ScopeDescendants
	IsGroup     bool    // has members, or the kind group; its members are candidates
	Inactive    bool    // the directory marks the principal inactive; one that it does not contain is active

	// Groups through which a reason holds; uuid.Nil if it holds directly, or does not hold.
	SubscribedThrough, DelegatorThrough uuid.UUID

	// Access by roles: OnChain and InScope, and only for a subscriber and as far as the
	// visibilities of the query require. Manager and Party are false; Reasons contains them.
	Access directory.Access

	// The level that the principal has set nearest to the resource, and for which resource; "" and
	// uuid.Nil without one.
	Level           preferences.Level
	LevelResourceID uuid.UUID
	LevelPatterns   []string // of LevelCustom

	Own         preferences.Fields // the preference that the principal has set
	MutedActors []uuid.UUID        // the actors of whose activities the principal is not notified
}
