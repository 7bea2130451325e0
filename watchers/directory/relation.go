package directory

import (
	"context"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// AccessToActivity returns the principal's access to the activity of a query, by the rule of which
// Allowed decides. A principal that the directory marks inactive has none.
func AccessToActivity(
	ctx context.Context,
	db pg.Querier,
	principal activity.Principal,
	q AccessQuery,
) (Access, error) {
	t, active, err := readTree(ctx, db, principal, []start{{resource: q.ResourceID, parent: q.ParentID, scope: true}})
	if err != nil || !active {
		return Access{}, err
	}
	access, _ := t.access(principal, q.ResourceID, q.OwnerID, q.ParentID)
	access.Party = q.partyAccess(principal).Party
	return access, nil
}

// Chain returns a resource and its ancestors, the nearest first, for a principal of whom HasRole is
// true; nil for others.
func Chain(
	ctx context.Context,
	db pg.Querier,
	principal activity.Principal,
	resource uuid.UUID,
) ([]uuid.UUID, error) {
	s, err := look(ctx, db, Reader{Principal: principal}, []uuid.UUID{resource})
	if err != nil || !s.sees(resource) {
		return nil, err
	}
	return append([]uuid.UUID{resource}, s.ancestors(resource)...), nil
}

// AccessToEach returns for each resource what AccessTo returns for one. It runs one statement.
func AccessToEach(
	ctx context.Context,
	db pg.Querier,
	principal activity.Principal,
	resources []uuid.UUID,
) ([]Access, error) {
	list := make([]Access, len(resources))
	if len(resources) == 0 {
		return list, nil
	}
	starts := make([]start, len(resources))
	for i, id := range resources {
		starts[i].resource = id
	}
	t, active, err := readTree(ctx, db, principal, starts)
	if err != nil || !active {
		return list, err
	}
	for i, id := range resources {
		if access, exists := t.access(principal, id, uuid.Nil, uuid.Nil); exists {
			list[i] = Access{Manager: access.Manager, OnChain: access.OnChain}
		}
	}
	return list, nil
}
