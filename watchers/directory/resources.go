package directory

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// Resource is a resource of the directory as one principal sees it.
type Resource struct {
	ID          uuid.UUID
	ParentID    uuid.UUID // uuid.Nil without a parent that the principal may see
	Type, Name  string
	Owner       bool     // whether the principal owns it
	Roles       []string // the principal's roles on it, directly or through groups; sorted, 20 at most
	HasChildren bool     // whether there are children that the principal may see
}

// Reader is a principal that reads the directory.
type Reader struct {
	activity.Principal
	All bool // whether it may see every resource of the tenant
}

// sight is a part of the tree, as far as a reader may see it. The rule is that of HasRole.
type sight struct {
	Reader
	tree tree
}

// look reads the part of the tree above some resources.
func look(ctx context.Context, db pg.Querier, r Reader, resources []uuid.UUID) (sight, error) {
	if len(resources) == 0 {
		return sight{r, nil}, nil
	}
	starts := make([]start, len(resources))
	for i, id := range resources {
		starts[i].resource = id
	}
	t, active, err := readTree(ctx, db, r.Principal, starts)
	if !active {
		t = nil // it sees nothing
	}
	return sight{r, t}, err
}

// sees reports whether the reader may see a resource of the part.
func (s sight) sees(id uuid.UUID) bool {
	n := s.tree[id]
	return n.exists && (s.All || n.owner == s.PrincipalID || s.holdsAbove(id))
}

// seesBelow reports whether the reader may see everything below a resource of the part.
func (s sight) seesBelow(id uuid.UUID) bool { return s.All || s.holdsAbove(id) }

// holdsAbove reports whether the reader holds a role on a resource of the part or above it.
func (s sight) holdsAbove(id uuid.UUID) bool {
	return s.tree[id].role || slices.ContainsFunc(s.ancestors(id), func(a uuid.UUID) bool { return s.tree[a].role })
}

// ancestors returns the ancestors of a resource of the part, the nearest first, each once and
// without the resource itself.
func (s sight) ancestors(id uuid.UUID) (list []uuid.UUID) {
	for at := s.tree[id].parent; at != uuid.Nil && at != id && len(list) < MaxDepth; at = s.tree[at].parent {
		if slices.Contains(list, at) {
			break
		}
		list = append(list, at)
	}
	return list
}

// parent returns the parent of a resource of the part, uuid.Nil if the reader may not see it. The
// reader may see the parent of a resource in a cycle only by what it holds on others of the cycle.
func (s sight) parent(id uuid.UUID) uuid.UUID {
	above := s.ancestors(id)
	if len(above) == 0 || !s.tree[above[0]].exists {
		return uuid.Nil
	}
	holds := func(a uuid.UUID) bool { return s.tree[a].role }
	if s.All || s.tree[above[0]].owner == s.PrincipalID || slices.ContainsFunc(above, holds) {
		return above[0]
	}
	return uuid.Nil
}

// describe returns resources of the part that the reader may see, in the given order.
func (s sight) describe(ctx context.Context, db pg.Querier, resources []uuid.UUID) ([]Resource, error) {
	list := make([]Resource, 0, len(resources))
	if len(resources) == 0 {
		return list, nil
	}
	below := make([]bool, len(resources))
	for i, id := range resources {
		below[i] = s.seesBelow(id)
	}
	rows, err := db.Query(ctx, `
		SELECT resource_id, resource_type, resource_name, is_owner, roles, has_children
		FROM fanfare.resource_rows($1, $2, $3, $4, $5)`,
		s.TenantID, s.PrincipalID, pg.UUIDs(resources), below, MaxNesting)
	if err != nil {
		return nil, fmt.Errorf("describe resources: %w", err)
	}
	var r Resource
	_, err = pgx.ForEachRow(rows, []any{
		(*zeronull.UUID)(&r.ID), &r.Type, &r.Name, &r.Owner, &r.Roles, &r.HasChildren,
	}, func() error {
		r.ParentID = s.parent(r.ID)
		list = append(list, r)
		r = Resource{}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("describe resources: %w", err)
	}
	return list, nil
}

// GetResource returns a resource and its ancestors, the nearest last, without those that the reader
// may not see. The error is activity.ErrNotFound if the reader may not see the resource.
func GetResource(ctx context.Context, db pg.Querier, r Reader, id uuid.UUID) (Resource, []Resource, error) {
	s, err := look(ctx, db, r, []uuid.UUID{id})
	if err != nil {
		return Resource{}, nil, err
	}
	if !s.sees(id) {
		return Resource{}, nil, fmt.Errorf("resource %s: %w", id, activity.ErrNotFound)
	}
	chain := slices.DeleteFunc(s.ancestors(id), func(a uuid.UUID) bool { return !s.sees(a) })
	slices.Reverse(chain)
	list, err := s.describe(ctx, db, append(chain, id))
	if err != nil {
		return Resource{}, nil, err
	}
	if len(list) == 0 || list[len(list)-1].ID != id { // it was removed meanwhile
		return Resource{}, nil, fmt.Errorf("resource %s: %w", id, activity.ErrNotFound)
	}
	return list[len(list)-1], list[:len(list)-1], nil
}

// NameResources returns the names of resources of a tenant. The result lacks those that the
// directory does not contain.
func NameResources(
	ctx context.Context, db pg.Querier, tenant uuid.UUID, resources []uuid.UUID,
) (map[uuid.UUID]string, error) {
	everything := sight{Reader: Reader{Principal: activity.Principal{TenantID: tenant}, All: true}}
	list, err := everything.describe(ctx, db, resources)
	names := make(map[uuid.UUID]string, len(list))
	for _, r := range list {
		names[r.ID] = r.Name
	}
	return names, err
}
