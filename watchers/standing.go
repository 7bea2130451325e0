package watchers

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// readTreeStatement reads the part of the tree above some resources, each of it once, and what one
// principal is there. As in resolve, every step is a LATERAL one, and a LIMIT keeps it so: the cost
// is some index probes for each resource of that part, whatever the statistics say. The arrays are
// hidden behind a SELECT so that their length does not raise the estimate to where JIT begins,
// which would take longer than the reading. What is under a resource is asked of the principal's
// roles upwards, once, and only when it matters.
//
// An inactive principal gets no row, any other at least one.
const readTreeStatement = `
WITH RECURSIVE node AS (
    SELECT u.id, r.id IS NOT NULL AS stands, r.owner_id, r.parent_id,
           CASE WHEN r.id IS NULL THEN u.parent_id ELSE r.parent_id END AS up, 0 AS level, u.scope AS scope, false AS wide
    FROM unnest((SELECT $3::uuid[]), (SELECT $4::uuid[]), (SELECT $5::boolean[])) AS u(id, parent_id, scope)
    LEFT JOIN LATERAL (
        SELECT r.id, r.owner_principal_id AS owner_id, r.parent_id FROM fanfare.resources AS r
        WHERE r.tenant_id = $1 AND r.id = u.id LIMIT 1
    ) AS r ON true
    UNION
    SELECT n.up, r.id IS NOT NULL, r.owner_id, r.parent_id, r.parent_id, n.level + 1, false, n.scope
    FROM node AS n
    LEFT JOIN LATERAL (
        SELECT r.id, r.owner_principal_id AS owner_id, r.parent_id FROM fanfare.resources AS r
        WHERE r.tenant_id = $1 AND r.id = n.up LIMIT 1
    ) AS r ON true
    WHERE n.up IS NOT NULL AND n.level < $6
), held AS MATERIALIZED (
    SELECT b.scope_resource_id AS id, bool_or(b.role_name IN ('owner', 'delegator')) AS delegator FROM fanfare.role_bindings AS b
    WHERE b.tenant_id = $1 AND b.principal_id = $2 AND b.revoked_at IS NULL
    GROUP BY b.scope_resource_id
), above AS (
    SELECT b.scope_resource_id AS id FROM fanfare.role_bindings AS b
    WHERE b.tenant_id = $1 AND b.principal_id = $2 AND b.revoked_at IS NULL
    UNION
    SELECT r.parent_id
    FROM above AS a
    CROSS JOIN LATERAL (
        SELECT r.parent_id FROM fanfare.resources AS r WHERE r.tenant_id = $1 AND r.id = a.id LIMIT 1
    ) AS r
    WHERE r.parent_id IS NOT NULL
)
SELECT n.id, coalesce(n.stands, false), n.owner_id, n.parent_id, held.id IS NOT NULL, coalesce(held.delegator, false),
       CASE WHEN n.wide THEN n.id IN (SELECT a.id FROM above AS a) ELSE false END
FROM (
    SELECT WHERE NOT EXISTS (SELECT FROM fanfare.principals AS p WHERE p.tenant_id = $1 AND p.id = $2 AND NOT p.active)
) AS active
LEFT JOIN (
    SELECT id, stands, owner_id, parent_id, bool_or(wide) AS wide FROM node GROUP BY id, stands, owner_id, parent_id
) AS n ON true
LEFT JOIN held ON held.id = n.id`

// place is a resource, and what the principal is there.
type place struct {
	stands    bool // the directory holds it; if not, it has neither owner nor parent, and yet there may be roles on it
	owner     uuid.UUID
	parent    uuid.UUID
	role      bool // some active role
	delegator bool // one of those that delegators have
	above     bool // it is, or is above, what the principal has a role on; found out only if asked for
}

// tree is the part of the directory above some resources.
type tree map[uuid.UUID]place

// seed is where the reading of a tree begins.
type seed struct {
	resource, parent uuid.UUID // the parent stands in when the directory does not hold the resource
	scope            bool      // place.above is asked for, of the resource's parent
}

// readTree reads the tree above the seeds. active is false of a principal that the directory marks
// inactive; one that it does not know is active.
func readTree(
	ctx context.Context,
	db pg.Querier,
	tenant, principal uuid.UUID,
	seeds []seed,
) (t tree, active bool, err error) {
	resources, parents, scopes := make(
		[][16]byte,
		len(seeds),
	), make(
		[]zeronull.UUID,
		len(seeds),
	), make(
		[]bool,
		len(seeds),
	)
	for i, s := range seeds {
		resources[i], parents[i], scopes[i] = s.resource, zeronull.UUID(s.parent), s.scope
	}
	rows, err := db.Query(ctx, readTreeStatement, tenant, principal, resources, parents, scopes, MaxDepth)
	if err != nil {
		return nil, false, fmt.Errorf("read the directory: %w", err)
	}
	t = make(tree, 2*len(seeds))
	var id zeronull.UUID
	var p place
	_, err = pgx.ForEachRow(
		rows,
		[]any{&id, &p.stands, (*zeronull.UUID)(&p.owner), (*zeronull.UUID)(&p.parent), &p.role, &p.delegator, &p.above},
		func() error {
			active = true
			t[uuid.UUID(id)] = p
			return nil
		},
	)
	if err != nil {
		return nil, false, fmt.Errorf("read the directory: %w", err)
	}
	return t, active, nil
}

// standing is what a principal is to a resource.
type standing struct {
	exists  bool // the directory holds the resource
	keeper  bool // its owner, or a delegator there or above
	onChain bool // holds a role there or above
	inScope bool // holds one there, above, or under its parent
}

// standing finds out what the principal is to a resource. The owner and the parent given stand in
// when the directory does not hold it.
func (t tree) standing(principal, resource, owner, parent uuid.UUID) standing {
	at := t[resource]
	s := standing{exists: at.stands}
	if at.stands {
		owner, parent = at.owner, at.parent
	}
	s.keeper = owner == principal
	s.inScope = t[parent].above && parent != uuid.Nil
	for level := 0; ; level++ {
		s.onChain = s.onChain || at.role
		s.keeper = s.keeper || at.delegator
		if parent == uuid.Nil || level == MaxDepth {
			break
		}
		at = t[parent]
		parent = at.parent
	}
	s.inScope = s.inScope || s.onChain
	return s
}
