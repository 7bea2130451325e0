package watchers

import (
	"strings"

	"github.com/google/uuid"
)

// Reasons is a set of reasons for telling somebody, as it is stored with a notification.
type Reasons int16

// The reasons.
const (
	Subscribed Reasons = 1 << iota // has subscribed to the resource, or to an ancestor with its descendants
	Owner                          // owns the resource
	Delegator                      // holds the role owner or delegator on the resource or an ancestor
	Target                         // is the one addressed
)

// Has reports whether r holds any of the others.
func (r Reasons) Has(others Reasons) bool { return r&others != 0 }

// Names lists the reasons in their order.
func (r Reasons) Names() []string {
	names := []string{}
	for i, name := range []string{"subscribed", "owner", "delegator", "target"} {
		if r.Has(1 << i) {
			names = append(names, name)
		}
	}
	return names
}

func (r Reasons) String() string { return strings.Join(r.Names(), ", ") }

// Candidate is somebody who could be told.
type Candidate struct {
	PrincipalID uuid.UUID
	Reasons     Reasons
	Inactive    bool // the directory marks them so; one it does not know is not inactive
	OnChain     bool // holds an active role on the resource or an ancestor; found out for Subscribed only, and if asked for
	InScope     bool // holds one there or under the resource's parent; found out for Subscribed only, and if asked for

	// What they want to hear of, as stored; zero without a row.
	FilterMode    string
	CustomActions []string
	Muted         bool
}

// Subject is a resource whose watchers are sought. OwnerID and ParentID stand in when the directory
// does not hold the resource any more; uuid.Nil is none.
type Subject struct {
	TenantID, ResourceID, OwnerID, ParentID uuid.UUID
}

// Actor is who did something, as the directory knows them.
type Actor struct {
	Kind, DisplayName string
}

// Principal names somebody.
type Principal struct {
	TenantID, PrincipalID uuid.UUID
}
