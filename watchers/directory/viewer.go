package directory

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// Viewer decides what a principal may see as CanView does, and keeps what it has read of the tree,
// so that further queries about the same resources take no statement. It is for one request: later
// changes of the directory do not affect what has been read. It is not safe for concurrent use.
type Viewer struct {
	Principal activity.Principal

	read   bool // whether active and tree have been read
	active bool
	tree   tree
	starts map[start]struct{} // of tree
}

// NewViewer returns a Viewer that has read nothing.
func NewViewer(principal activity.Principal) *Viewer {
	return &Viewer{Principal: principal, tree: tree{}, starts: map[start]struct{}{}}
}

// CanView returns what the function CanView returns. It runs at most one statement.
func (v *Viewer) CanView(ctx context.Context, db pg.Querier, queries []AccessQuery) ([]bool, error) {
	if starts := v.missing(queries); starts != nil {
		t, active, err := readTree(ctx, db, v.Principal, starts)
		if err != nil {
			return nil, err
		}
		v.add(t, active, starts)
	}
	return v.decide(queries), nil
}

// Queue queues the statement of CanView. decided is called with the result when the results of the
// batch are read, or at once if no statement is necessary.
func (v *Viewer) Queue(b *pgx.Batch, queries []AccessQuery, decided func(allowed []bool)) {
	starts := v.missing(queries)
	if starts == nil {
		decided(v.decide(queries))
		return
	}
	b.Queue(selectTree, treeArguments(v.Principal, starts)...).Query(func(rows pgx.Rows) error {
		t, active, err := collectTree(rows, len(starts))
		if err != nil {
			return fmt.Errorf("read the directory: %w", err)
		}
		v.add(t, active, starts)
		decided(v.decide(queries))
		return nil
	})
}

// Lacks reports whether the directory does not contain a resource of a query that the Viewer has
// decided with the directory.
func (v *Viewer) Lacks(resource uuid.UUID) bool { return v.active && !v.tree[resource].exists }

// missing returns the starts of the queries that have not been read, or nil if nothing needs to be
// read. An empty list reads whether the principal is active.
func (v *Viewer) missing(queries []AccessQuery) []start {
	if len(queries) == 0 || v.read && !v.active {
		return nil
	}
	missing := []start{}
	for _, s := range startsOf(v.Principal, queries) {
		scoped := s
		scoped.scope = true // has been read with all that s needs
		_, found := v.starts[s]
		if _, more := v.starts[scoped]; !found && !more {
			missing = append(missing, s)
		}
	}
	if v.read && len(missing) == 0 {
		return nil
	}
	return missing
}

func (v *Viewer) add(t tree, active bool, starts []start) {
	v.read, v.active = true, active
	for id, n := range t {
		n.aboveRole = n.aboveRole || v.tree[id].aboveRole // read only for the parents of scope starts
		v.tree[id] = n
	}
	for _, s := range starts {
		v.starts[s] = struct{}{}
	}
}

// decide decides about queries whose starts have been read.
func (v *Viewer) decide(queries []AccessQuery) []bool {
	allowed := make([]bool, len(queries))
	if v.active {
		v.tree.allow(v.Principal, queries, allowed)
	}
	return allowed
}
