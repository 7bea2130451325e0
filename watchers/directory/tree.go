package directory

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// MaxDepth is the maximum number of ancestors of a resource that count. A cycle in the tree ends
// the chain of ancestors before.
const MaxDepth = 128

// selectTree reads the part of the tree above some resources, each resource once, with the roles of
// one principal. Every step is LATERAL and has a LIMIT, which rules out plans that scan a table:
// the cost is some index probes for each resource of that part, whatever the statistics say. The
// arrays are parameters of a scalar subquery, so that their length does not raise the estimated
// cost to the threshold of JIT compilation, which would take longer than the statement. Whether the
// principal holds a role below a resource is decided upwards from the principal's roles, once, and
// only for starts that ask for it.
//
// An inactive principal gets no row, any other principal at least one.
const selectTree = `
WITH RECURSIVE node AS (
    SELECT u.id, r.found IS NOT NULL AS found, r.owner_id, r.parent_id,
           CASE WHEN r.found THEN r.parent_id ELSE u.parent_id END AS up,
           0 AS level, u.scope AS scope, false AS scoped
    FROM unnest((SELECT $3::uuid[]), (SELECT $4::uuid[]), (SELECT $5::boolean[])) AS u(id, parent_id, scope)
    LEFT JOIN LATERAL (
        SELECT true AS found, r.owner_principal_id::uuid AS owner_id, r.parent_id::uuid FROM fanfare.resources AS r
        WHERE r.tenant_id = $1 AND r.id = u.id LIMIT 1
    ) AS r ON true
    UNION
    SELECT n.up, r.found IS NOT NULL, r.owner_id, r.parent_id, r.parent_id, n.level + 1, false, n.scope
    FROM node AS n
    LEFT JOIN LATERAL (
        SELECT true AS found, r.owner_principal_id::uuid AS owner_id, r.parent_id::uuid FROM fanfare.resources AS r
        WHERE r.tenant_id = $1 AND r.id = n.up LIMIT 1
    ) AS r ON true
    WHERE n.up IS NOT NULL AND n.level < $6
), held AS MATERIALIZED (
    SELECT b.scope_resource_id::uuid AS id, bool_or(b.role_name::text IN ('owner', 'delegator')) AS delegator
    FROM fanfare.role_bindings AS b
    WHERE b.tenant_id = $1 AND b.principal_id = $2 AND b.revoked_at IS NULL
    GROUP BY b.scope_resource_id
), above AS (
    SELECT b.scope_resource_id::uuid AS id FROM fanfare.role_bindings AS b
    WHERE b.tenant_id = $1 AND b.principal_id = $2 AND b.revoked_at IS NULL
    UNION
    SELECT r.parent_id
    FROM above AS a
    CROSS JOIN LATERAL (
        SELECT r.parent_id::uuid FROM fanfare.resources AS r WHERE r.tenant_id = $1 AND r.id = a.id LIMIT 1
    ) AS r
    WHERE r.parent_id IS NOT NULL
)
SELECT n.id, coalesce(n.found, false), n.owner_id, n.parent_id, held.id IS NOT NULL, coalesce(held.delegator, false),
       CASE WHEN n.scoped THEN n.id IN (SELECT a.id FROM above AS a) ELSE false END
FROM (
    SELECT WHERE NOT EXISTS (
        SELECT FROM fanfare.principals AS p WHERE p.tenant_id = $1 AND p.id = $2 AND NOT p.active
    )
) AS active
LEFT JOIN (
    SELECT id, found, owner_id, parent_id, bool_or(scoped) AS scoped FROM node GROUP BY id, found, owner_id, parent_id
) AS n ON true
LEFT JOIN held ON held.id = n.id`

// node is a resource with the roles of one principal.
type node struct {
	exists    bool // the directory contains the resource; if not, it has no owner and no parent, but may have roles
	owner     uuid.UUID
	parent    uuid.UUID
	role      bool // the principal holds a role on it
	delegator bool // the principal holds the role owner or delegator on it
	aboveRole bool // the principal holds a role on it or below it; read only for the parents of scope starts
}

// tree is the part of the directory above some resources.
type tree map[uuid.UUID]node

// start is a resource at which reading begins.
type start struct {
	resource uuid.UUID
	parent   uuid.UUID // used if the directory does not contain the resource
	scope    bool      // read node.aboveRole of the resource's parent
}

// readTree reads the tree above the starts, with the roles of a principal. active is false for a
// principal that the directory marks inactive, and true for one that it does not contain.
func readTree(
	ctx context.Context,
	db pg.Querier,
	principal activity.Principal,
	starts []start,
) (t tree, active bool, err error) {
	resources := make([][16]byte, len(starts))
	parents := make([]zeronull.UUID, len(starts))
	scopes := make([]bool, len(starts))
	for i, s := range starts {
		resources[i], parents[i], scopes[i] = s.resource, zeronull.UUID(s.parent), s.scope
	}
	rows, err := db.Query(ctx, selectTree,
		principal.TenantID, principal.PrincipalID, resources, parents, scopes, MaxDepth)
	if err != nil {
		return nil, false, fmt.Errorf("read the directory: %w", err)
	}
	t = make(tree, 2*len(starts))
	var id zeronull.UUID
	var n node
	_, err = pgx.ForEachRow(rows, []any{
		&id, &n.exists, (*zeronull.UUID)(&n.owner), (*zeronull.UUID)(&n.parent), &n.role, &n.delegator, &n.aboveRole,
	}, func() error {
		active = true
		t[uuid.UUID(id)] = n
		return nil
	})
	if err != nil {
		return nil, false, fmt.Errorf("read the directory: %w", err)
	}
	return t, active, nil
}

// access returns the access of the principal whose roles the tree has to a resource, and whether
// the directory contains the resource. If it does not, the resource's owner and parent are those
// given.
func (t tree) access(principal activity.Principal, resource, owner, parent uuid.UUID) (access Access, exists bool) {
	n := t[resource]
	exists = n.exists
	if exists {
		owner, parent = n.owner, n.parent
	}
	access.Manager = owner == principal.PrincipalID
	access.InScope = parent != uuid.Nil && t[parent].aboveRole
	for level, ancestor := 0, parent; ; level++ {
		access.OnChain = access.OnChain || n.role
		access.Manager = access.Manager || n.delegator
		if ancestor == uuid.Nil || level == MaxDepth {
			break
		}
		n = t[ancestor]
		ancestor = n.parent
	}
	access.InScope = access.InScope || access.OnChain
	return access, exists
}
