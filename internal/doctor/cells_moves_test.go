package doctor

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/cells"
)

func TestEvaluateMoves(t *testing.T) {
	t.Parallel()
	file, err := cells.Parse([]byte("cells:\n"+
		"  - {name: a, database_url: postgres://h/a, slots: 0-65535}\n"+
		"  - {name: b, database_url: postgres://h/b, tenants: [018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f]}\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	listed, other := uuid.MustParse("018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f"), uuid.New()
	many := cells.Moves{}
	for range 12 {
		many[uuid.New()] = "b"
	}
	for name, c := range map[string]struct {
		cell  string
		moves cells.Moves
		want  Status
		text  string
	}{
		"none":                         {"a", nil, OK, "cell a"},
		"listed in its new cell":       {"a", cells.Moves{listed: "b"}, OK, ""},
		"not listed":                   {"a", cells.Moves{other: "b"}, Warn, other.String() + " has moved to cell b"},
		"left a cell that lists it":    {"b", cells.Moves{listed: "a"}, Warn, "has moved to cell a"},
		"left a cell, and again":       {"b", cells.Moves{other: "a"}, OK, ""},
		"more than a finding can show": {"a", many, Warn, ", and 2 more"},
	} {
		got := evaluateMoves(file, c.cell, c.moves)
		if got.status != c.want || !strings.Contains(got.detail, c.text) {
			t.Errorf("%s: got %+v, want %s with %q", name, got, c.want, c.text)
		}
	}
}
