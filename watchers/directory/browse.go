package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// The bounds of one page of a list.
const (
	browseChunk  = 500    // resources whose permission is decided at once
	browseBudget = 2_000  // resources whose permission is decided
	MaxVisited   = 20_000 // resources in a part of the tree that a search compares
	maxScanned   = 50_000 // resources or principals of the tenant that a search compares
)

// ResourceQuery selects a page of resources.
type ResourceQuery struct {
	// ParentID selects the resources directly below another. uuid.Nil selects the highest ones: of
	// a Reader with All those without a parent, of others those whose parent it may not see.
	ParentID uuid.UUID
	// Name selects the resources whose names contain the text, in upper or lower case, at any depth
	// below the parent.
	Name  string
	Limit int       // of the page; at least 1
	After uuid.UUID // only resources with higher ids
}

// ResourcePage is a page of resources in the order of their ids. It may have fewer than the limit,
// even none, and still have a next.
type ResourcePage struct {
	Items    []Resource
	Next     uuid.UUID // After of the next page; uuid.Nil after the last
	Complete bool      // false if a search compared only the nearest MaxVisited resources
}

// ListResources returns a page of the resources that the reader may see. The error is
// activity.ErrNotFound if the reader may not see the parent.
//
// The work for a page is bounded, and depends on nothing that the reader may not see but the number
// of the resources directly below one that the reader owns.
func ListResources(ctx context.Context, db pg.Querier, r Reader, q ResourceQuery) (ResourcePage, error) {
	within := false // whether everything below the parent may be seen
	if q.ParentID != uuid.Nil {
		parent, err := look(ctx, db, r, []uuid.UUID{q.ParentID})
		if err != nil {
			return ResourcePage{}, err
		}
		if !parent.sees(q.ParentID) {
			return ResourcePage{}, fmt.Errorf("resource %s: %w", q.ParentID, activity.ErrNotFound)
		}
		within = parent.seesBelow(q.ParentID)
	}
	switch {
	case q.Name != "" && (within || q.ParentID == uuid.Nil):
		return search(ctx, db, r, q)
	case q.ParentID == uuid.Nil && !r.All:
		return browse(ctx, db, r, q, held(r), func(s sight, id uuid.UUID) bool { return s.parent(id) == uuid.Nil })
	default:
		return browse(ctx, db, r, q, children(r, q.ParentID), func(sight, uuid.UUID) bool { return true })
	}
}

// source reads ids above one in their order, at most limit.
type source func(ctx context.Context, db pg.Querier, after uuid.UUID, limit int) ([]uuid.UUID, error)

func held(r Reader) source {
	return func(ctx context.Context, db pg.Querier, after uuid.UUID, limit int) ([]uuid.UUID, error) {
		return selectIDs(ctx, db, `SELECT fanfare.resources_held($1, $2, $3, $4, $5)`,
			r.TenantID, r.PrincipalID, after, limit, MaxNesting)
	}
}

func children(r Reader, parent uuid.UUID) source {
	return func(ctx context.Context, db pg.Querier, after uuid.UUID, limit int) ([]uuid.UUID, error) {
		return selectIDs(ctx, db, `SELECT fanfare.resource_children($1, nullif($2::uuid, $5::uuid), $3, $4)`,
			r.TenantID, parent, after, limit, uuid.Nil)
	}
}

// browse takes a page of those resources of a source that the reader may see and that pass a test.
func browse(
	ctx context.Context, db pg.Querier, r Reader, q ResourceQuery, from source, passes func(s sight, id uuid.UUID) bool,
) (ResourcePage, error) {
	page := ResourcePage{Items: []Resource{}, Complete: true}
	chunk := min(q.Limit+1, browseChunk)
	for read, after := 0, q.After; ; chunk = browseChunk {
		ids, err := from(ctx, db, after, chunk)
		if err != nil {
			return ResourcePage{}, err
		}
		s, err := look(ctx, db, r, ids)
		if err != nil {
			return ResourcePage{}, err
		}
		seen := slices.DeleteFunc(slices.Clone(ids), func(id uuid.UUID) bool { return !s.sees(id) || !passes(s, id) })
		found, err := s.describe(ctx, db, seen)
		if err != nil {
			return ResourcePage{}, err
		}
		for _, item := range found {
			if q.Name == "" || containsFold(item.Name, q.Name) {
				page.Items = append(page.Items, item)
			}
		}
		if len(page.Items) > q.Limit {
			page.Items = page.Items[:q.Limit]
			page.Next = page.Items[q.Limit-1].ID
			return page, nil
		}
		if len(ids) < chunk {
			return page, nil
		}
		after = ids[len(ids)-1]
		if read += len(ids); read >= browseBudget {
			page.Next = after
			return page, nil
		}
	}
}

// search takes a page of the resources whose names contain the text, all of which the reader may
// see.
func search(ctx context.Context, db pg.Querier, r Reader, q ResourceQuery) (ResourcePage, error) {
	page := ResourcePage{Complete: true}
	var ids []uuid.UUID
	var err error
	if r.All && q.ParentID == uuid.Nil {
		ids, page.Next, err = scanNames(ctx, db, `SELECT * FROM fanfare.resources_named($1, $2, $3, $4, $5)`,
			r.TenantID, containing(q.Name), q.After, q.Limit+1, maxScanned)
	} else {
		ids, page.Complete, err = walkNames(ctx, db, r, q)
	}
	if err != nil {
		return ResourcePage{}, fmt.Errorf("search resources: %w", err)
	}
	if len(ids) > q.Limit {
		ids = ids[:q.Limit]
		page.Next = ids[q.Limit-1]
	}
	s, err := look(ctx, db, r, ids)
	if err != nil {
		return ResourcePage{}, err
	}
	ids = slices.DeleteFunc(ids, func(id uuid.UUID) bool { return !s.sees(id) }) // deeper than MaxDepth, or changed
	page.Items, err = s.describe(ctx, db, ids)
	return page, err
}

// walkNames searches from the parent downwards, or from what the reader holds.
func walkNames(
	ctx context.Context, db pg.Querier, r Reader, q ResourceQuery,
) (ids []uuid.UUID, complete bool, err error) {
	rows, err := db.Query(ctx, `
		SELECT resource_id, complete
		FROM fanfare.resources_below($1, $2, nullif($3::uuid, $9::uuid), $4, $5, $6, $7, $8)`,
		r.TenantID, r.PrincipalID, q.ParentID, containing(q.Name), q.After, q.Limit+1, MaxVisited, MaxNesting, uuid.Nil)
	if err != nil {
		return nil, false, err
	}
	var id zeronull.UUID
	_, err = pgx.ForEachRow(rows, []any{&id, &complete}, func() error {
		if id != zeronull.UUID(uuid.Nil) {
			ids = append(ids, uuid.UUID(id))
		}
		return nil
	})
	return ids, complete, err
}

// scanNames runs a statement that returns ids, and where it stopped.
func scanNames(
	ctx context.Context, db pg.Querier, statement string, args ...any,
) (ids []uuid.UUID, stopped uuid.UUID, err error) {
	rows, err := db.Query(ctx, statement, args...)
	if err != nil {
		return nil, uuid.Nil, err
	}
	var id zeronull.UUID
	_, err = pgx.ForEachRow(rows, []any{&id, (*zeronull.UUID)(&stopped)}, func() error {
		if id != zeronull.UUID(uuid.Nil) {
			ids = append(ids, uuid.UUID(id))
		}
		return nil
	})
	return ids, stopped, err
}

func selectIDs(ctx context.Context, db pg.Querier, statement string, args ...any) ([]uuid.UUID, error) {
	rows, err := db.Query(ctx, statement, args...)
	if err != nil {
		return nil, fmt.Errorf("list resources: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("list resources: %w", err)
	}
	return ids, nil
}

var escapeLike = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// containing returns the pattern of the texts that contain one.
func containing(text string) string { return "%" + escapeLike.Replace(text) + "%" }

// containsFold reports whether a text contains another, in upper or lower case.
func containsFold(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}
