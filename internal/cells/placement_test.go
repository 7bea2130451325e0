package cells_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/cells"
)

const listing = `
cells:
  - {name: a, database_url: postgres://h/a, tenants: [018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f]}
  - {name: b, database_url: postgres://h/b}
  - {name: c, database_url: postgres://h/c}
`

var listed = uuid.MustParse("018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f")

func newPlacement(t testing.TB) *cells.Placement {
	t.Helper()
	file, err := cells.Parse([]byte(listing), nil)
	if err != nil {
		t.Fatal(err)
	}
	return cells.NewPlacement(file)
}

func TestPlacement(t *testing.T) {
	t.Parallel()
	to := func(cell string) cells.Moves { return cells.Moves{listed: cell} }
	for name, c := range map[string]struct {
		moves map[string]cells.Moves
		want  string
	}{
		"by the file":                          {nil, "a"},
		"moved":                                {map[string]cells.Moves{"a": to("b")}, "b"},
		"moved again":                          {map[string]cells.Moves{"a": to("b"), "b": to("c")}, "c"},
		"a move of a cell that it was not in":  {map[string]cells.Moves{"b": to("c")}, "a"},
		"moved back, before a is read again":   {map[string]cells.Moves{"a": to("b"), "b": to("a")}, "b"},
		"to a cell that the file lacks":        {map[string]cells.Moves{"a": to("x")}, ""},
		"to itself":                            {map[string]cells.Moves{"a": to("a")}, "a"},
		"another tenant":                       {map[string]cells.Moves{"a": {uuid.Max: "b"}}, "a"},
		"a move that no longer exists":         {map[string]cells.Moves{"a": {}}, "a"},
		"a move of a cell that the file lacks": {map[string]cells.Moves{"a": to("b"), "b": {uuid.Max: "x"}}, "b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlacement(t)
			for cell, moves := range c.moves {
				p.SetMoves(cell, cells.Moves{listed: "c", uuid.New(): "x"})
				p.SetMoves(cell, moves)
				p.Tried(cell) // the last known moves stay
			}
			if got := p.Of(listed); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if got := p.Of(uuid.New()); got != "" {
				t.Errorf("a tenant without a cell: got %q, want none", got)
			}
		})
	}
}

// TestAwait waits for the cells that a tenant has belonged to, and for no other one.
func TestAwait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlacement(t)
		p.Await(t.Context(), uuid.New()) // a tenant without a cell
		ended := make(chan struct{})
		go func() { defer close(ended); p.Await(t.Context(), listed) }()
		waits := func() bool {
			synctest.Wait()
			select {
			case <-ended:
				return false
			default:
				return true
			}
		}
		p.Tried("c")
		if !waits() {
			t.Error("got no wait for the cell of the file")
		}
		p.SetMoves("a", cells.Moves{listed: "b"})
		if !waits() {
			t.Error("got no wait for the cell that the tenant has moved to")
		}
		p.Tried("b")
		if waits() {
			t.Error("got a wait after both cells were tried")
		}

		p = newPlacement(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		p.Await(ctx, listed)
	})
}
