package directory

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// Access is the relation of a principal to an activity and its resource, as far as it decides who
// may see the activity.
type Access struct {
	Party   bool // is the actor or a target of the activity
	Manager bool // owns the resource, or holds the role owner or delegator on it or on an ancestor
	OnChain bool // holds a role on the resource or on an ancestor
	InScope bool // holds a role on the resource, on an ancestor, or below the resource's parent
}

// Allowed reports whether a principal with this access may see an activity of this visibility. It
// is the one rule of permission: a party and a manager may see every activity; any other principal
// may see one that is visible to the tenant, to the scope if the principal is in scope, or to the
// resource if the principal holds a role on the chain.
func Allowed(v activity.Visibility, a Access) bool {
	if a.Party || a.Manager {
		return true
	}
	switch v {
	case activity.TenantVisible:
		return true
	case activity.ScopeWide:
		return a.OnChain || a.InScope
	case activity.ResourceWide:
		return a.OnChain
	default:
		return false
	}
}

// DependsOnRoles reports whether Allowed depends on OnChain and on InScope for a principal that is
// neither a party nor a manager.
func DependsOnRoles(v activity.Visibility) (onChain, inScope bool) {
	if Allowed(v, Access{}) {
		return false, false
	}
	return Allowed(v, Access{OnChain: true}), Allowed(v, Access{InScope: true})
}

// AccessQuery asks whether a principal may see an activity. OwnerID and ParentID are used if the
// directory does not contain the resource; uuid.Nil is none.
type AccessQuery struct {
	ResourceID, OwnerID, ParentID, ActorID uuid.UUID
	TargetIDs                              []uuid.UUID
	Visibility                             activity.Visibility
}

// AccessQueryFor returns the query about an activity.
func AccessQueryFor(a *activity.Activity) AccessQuery {
	return AccessQuery{
		ResourceID: a.ResourceID,
		OwnerID:    a.OwnerID,
		ParentID:   a.ParentID,
		ActorID:    a.ActorPrincipalID,
		TargetIDs:  a.TargetPrincipalIDs,
		Visibility: a.Visibility,
	}
}

// CanView reports for each query whether the principal may see the activity now, by the rule of
// Allowed. A principal that the directory marks inactive may see nothing; one that it does not
// contain is active.
//
// CanView runs one statement, whose cost grows with the number of distinct resources.
func CanView(ctx context.Context, db pg.Querier, principal activity.Principal, queries []AccessQuery) ([]bool, error) {
	return NewViewer(principal).CanView(ctx, db, queries)
}

// allow sets for each query whether the principal, which is active, may see the activity.
func (t tree) allow(principal activity.Principal, queries []AccessQuery, allowed []bool) {
	type subject struct{ resource, owner, parent uuid.UUID }
	known := map[subject]Access{}
	for i, q := range queries {
		access := q.partyAccess(principal)
		if !Allowed(q.Visibility, access) {
			key := subject{q.ResourceID, q.OwnerID, q.ParentID}
			var found bool
			if access, found = known[key]; !found {
				access, _ = t.access(principal, q.ResourceID, q.OwnerID, q.ParentID)
				known[key] = access
			}
		}
		allowed[i] = Allowed(q.Visibility, access)
	}
}

// partyAccess returns the access that does not depend on the tree.
func (q *AccessQuery) partyAccess(principal activity.Principal) Access {
	return Access{Party: q.ActorID == principal.PrincipalID || slices.Contains(q.TargetIDs, principal.PrincipalID)}
}

// startsOf returns the distinct starts of the queries that the tree decides.
func startsOf(principal activity.Principal, queries []AccessQuery) []start {
	var starts []start
	known := map[start]struct{}{}
	for i := range queries {
		q := &queries[i]
		if Allowed(q.Visibility, q.partyAccess(principal)) {
			continue
		}
		_, inScope := DependsOnRoles(q.Visibility)
		s := start{resource: q.ResourceID, parent: q.ParentID, scope: inScope}
		if _, found := known[s]; !found {
			known[s] = struct{}{}
			starts = append(starts, s)
		}
	}
	return starts
}

// HasRole reports whether the directory contains the resource in the principal's tenant and the
// principal, not marked inactive, owns it or holds a role on it or on an ancestor.
func HasRole(ctx context.Context, db pg.Querier, principal activity.Principal, resource uuid.UUID) (bool, error) {
	with, err := WithRole(ctx, db, principal, []uuid.UUID{resource})
	return err == nil && with[0], err
}

// WithRole reports for each resource what HasRole reports for one. It runs one statement.
func WithRole(
	ctx context.Context,
	db pg.Querier,
	principal activity.Principal,
	resources []uuid.UUID,
) ([]bool, error) {
	all, err := AccessToEach(ctx, db, principal, resources)
	with := make([]bool, len(resources))
	for i, access := range all {
		with[i] = access.Manager || access.OnChain
	}
	return with, err
}

// AccessTo returns the principal's access to a resource that the directory contains in the
// principal's tenant: whether the principal manages it, and whether it holds a role on it or on an
// ancestor. The other fields, the access of a principal that is marked inactive and the access to
// an unknown resource are zero.
func AccessTo(ctx context.Context, db pg.Querier, principal activity.Principal, resource uuid.UUID) (Access, error) {
	all, err := AccessToEach(ctx, db, principal, []uuid.UUID{resource})
	return all[0], err
}

// IsManager reports whether the directory contains the resource in the principal's tenant and the
// principal, not marked inactive, owns it or holds the role owner or delegator on it or on an
// ancestor.
func IsManager(ctx context.Context, db pg.Querier, principal activity.Principal, resource uuid.UUID) (bool, error) {
	access, err := AccessTo(ctx, db, principal, resource)
	return access.Manager, err
}

// IsActive reports whether a principal may use the API: the directory does not mark it inactive.
// One that the directory does not contain is active.
func IsActive(ctx context.Context, db pg.Querier, principal activity.Principal) (bool, error) {
	rows, err := db.Query(ctx, `SELECT fanfare.principal_is_active($1, $2)`, principal.TenantID, principal.PrincipalID)
	if err != nil {
		return false, fmt.Errorf("read the principal: %w", err)
	}
	active, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[bool])
	if err != nil {
		return false, fmt.Errorf("read the principal: %w", err)
	}
	return active, nil
}
