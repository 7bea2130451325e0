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

// MaxNesting is the maximum number of groups between a principal and what it holds through them: a
// group, a group in that group, and so on. A cycle of groups ends before.
const MaxNesting = 8

// selectTree reads the part of the tree above some resources, each resource once, with the roles of
// one principal. An inactive principal gets no row, any other principal at least one.
const selectTree = `
SELECT resource_id, found, owner_id, parent_id, has_role, is_delegator, above_role
FROM fanfare.tree_above($1, $2, $3, $4, $5, $6, $7)`

// node is a resource with the roles that one principal holds, directly or through groups.
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
	rows, err := db.Query(ctx, selectTree, treeArguments(principal, starts)...)
	if err == nil {
		t, active, err = collectTree(rows, len(starts))
	}
	if err != nil {
		return nil, false, fmt.Errorf("read the directory: %w", err)
	}
	return t, active, nil
}

func treeArguments(principal activity.Principal, starts []start) []any {
	resources := make([][16]byte, len(starts))
	parents := make([]zeronull.UUID, len(starts))
	scopes := make([]bool, len(starts))
	for i, s := range starts {
		resources[i], parents[i], scopes[i] = s.resource, zeronull.UUID(s.parent), s.scope
	}
	return []any{
		[16]byte(principal.TenantID), [16]byte(principal.PrincipalID), resources, parents, scopes, MaxDepth, MaxNesting,
	}
}

func collectTree(rows pgx.Rows, starts int) (t tree, active bool, err error) {
	t = make(tree, 2*starts)
	var id zeronull.UUID
	var n node
	_, err = pgx.ForEachRow(rows, []any{
		&id, &n.exists, (*zeronull.UUID)(&n.owner), (*zeronull.UUID)(&n.parent), &n.role, &n.delegator, &n.aboveRole,
	}, func() error {
		active = true
		t[uuid.UUID(id)] = n
		return nil
	})
	return t, active, err
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
