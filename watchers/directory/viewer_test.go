package directory_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/directorytest"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// counted counts the statements that a Viewer runs.
type counted struct {
	pg.Querier
	statements int
}

func (c *counted) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	c.statements++
	return c.Querier.Query(ctx, sql, args...)
}

// TestViewerDecidesAsCanView asks a Viewer about one activity after another, of all visibilities
// and resources, and compares its answers with those of CanView. It asks about each twice: the
// second answer takes no statement.
func TestViewerDecidesAsCanView(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	missing := uuid.New()
	var queries []directory.AccessQuery
	for _, v := range visibilities {
		for _, q := range []directory.AccessQuery{
			{ResourceID: d.Doc},
			{ResourceID: missing},
			{ResourceID: missing, ParentID: d.Doc},
			{ResourceID: uuid.New()},
			{ResourceID: missing, OwnerID: d.Viewer},
		} {
			q.Visibility, q.ActorID = v, d.Stranger
			queries = append(queries, q)
		}
	}
	for _, id := range []uuid.UUID{d.Owner, d.Delegator, d.Viewer, d.Neighbour, d.Stranger, d.Unknown, d.Inactive} {
		p := d.Principal(id)
		want, err := directory.CanView(t.Context(), d.DB.Pool, p, queries)
		if err != nil {
			t.Fatal(err)
		}
		for _, backwards := range []bool{false, true} {
			order := slices.Collect(indexes(len(queries), backwards))
			viewer, db := directory.NewViewer(p), &counted{Querier: d.DB.Pool}
			for range 2 {
				before := db.statements
				for _, i := range order {
					got, err := viewer.CanView(t.Context(), db, queries[i:i+1])
					if err != nil || got[0] != want[i] {
						t.Errorf("%s, query %d: got %v, %v, want %t", id, i, got, err, want[i])
					}
				}
				if before > 0 && db.statements > before {
					t.Errorf("%s: got %d more statements, want none", id, db.statements-before)
				}
			}
			wantQueued(t, viewer, queries, want)
		}
	}
}

func indexes(n int, backwards bool) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if backwards {
				i = n - 1 - i
			}
			if !yield(i) {
				return
			}
		}
	}
}

// wantQueued checks that what has been read is decided without a statement.
func wantQueued(t *testing.T, viewer *directory.Viewer, queries []directory.AccessQuery, want []bool) {
	t.Helper()
	batch, got := &pgx.Batch{}, []bool(nil)
	viewer.Queue(batch, queries, func(allowed []bool) { got = allowed })
	if batch.Len() != 0 || !slices.Equal(got, want) {
		t.Errorf("%s: got %d statements, %v, want none and %v", viewer.Principal.PrincipalID, batch.Len(), got, want)
	}
}

// TestViewerQueues checks that a Viewer that has read nothing queues one statement.
func TestViewerQueues(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	q := []directory.AccessQuery{{ResourceID: d.Doc, Visibility: activity.ResourceWide}}
	for id, want := range map[uuid.UUID]bool{d.Viewer: true, d.Stranger: false} {
		batch, got := &pgx.Batch{}, []bool(nil)
		directory.NewViewer(d.Principal(id)).Queue(batch, q, func(allowed []bool) { got = allowed })
		if batch.Len() != 1 || got != nil {
			t.Errorf("before the batch: got %d statements, %v, want 1 and no result", batch.Len(), got)
		}
		if err := d.DB.Pool.SendBatch(t.Context(), batch).Close(); err != nil || !slices.Equal(got, []bool{want}) {
			t.Errorf("got %v, %v, want %t", got, err, want)
		}
	}
}
