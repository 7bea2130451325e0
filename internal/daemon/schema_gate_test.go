package daemon

import (
	"errors"
	"testing"

	"github.com/fanfarehq/fanfare/migrations"
)

// TestSchemaGate checks at which check the gate opens.
func TestSchemaGate(t *testing.T) {
	t.Parallel()
	type check struct {
		current int
		err     error
	}
	away := errors.New("the database is unavailable")
	for name, c := range map[string]struct {
		checks []check
		open   []bool
	}{
		"a schema":            {[]check{{9, nil}}, []bool{true}},
		"an old schema":       {[]check{{5, nil}}, []bool{true}},
		"no database":         {[]check{{0, away}, {0, nil}}, []bool{true, true}},
		"a schema is created": {[]check{{0, nil}, {0, away}, {4, nil}, {9, nil}}, []bool{false, false, false, true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newSchemaGate()
			for i, state := range c.checks {
				g.report(migrations.Status{Current: state.current, Latest: 9}, state.err)
				if absent := g.absent(t.Context()); absent == c.open[i] {
					t.Errorf("check %d: got absent %t, want open %t", i, absent, c.open[i])
				}
			}
		})
	}
}
