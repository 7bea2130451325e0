package daemon

import (
	"errors"
	"testing"

	"github.com/fanfarehq/fanfare/migrations"
)

// TestSchemaGate checks at which check the gate opens, and which ends the daemon. The program has 9
// migrations, and needs 7.
func TestSchemaGate(t *testing.T) {
	t.Parallel()
	type check struct {
		current, oldest int
		err             error
	}
	away := check{err: errors.New("the database is unavailable")}
	for name, c := range map[string]struct {
		checks []check
		states []string // after each check: held, open or failed
	}{
		"the same schema":               {[]check{{9, 9, nil}}, []string{"open"}},
		"without what it needs":         {[]check{{6, 6, nil}, {7, 7, nil}}, []string{"held", "open"}},
		"without what it does not need": {[]check{{7, 7, nil}, {9, 9, nil}}, []string{"open", "open"}},
		"no database":                   {[]check{away, {}, {9, 9, nil}}, []string{"open", "open", "open"}},
		"a schema is created": {
			[]check{{}, away, {4, 4, nil}, {9, 9, nil}}, []string{"held", "held", "held", "open"},
		},
		"a newer schema":             {[]check{{12, 9, nil}}, []string{"open"}},
		"a newer schema, too new":    {[]check{{12, 10, nil}, away, {11, 9, nil}}, []string{"held", "held", "open"}},
		"a schema becomes newer":     {[]check{{9, 9, nil}, {12, 9, nil}}, []string{"open", "open"}},
		"a schema becomes too new":   {[]check{{9, 9, nil}, {12, 10, nil}}, []string{"open", "failed"}},
		"a schema becomes too old":   {[]check{{9, 9, nil}, {6, 6, nil}}, []string{"open", "failed"}},
		"a schema is removed":        {[]check{{9, 9, nil}, {}}, []string{"open", "open"}},
		"unavailable, then too new":  {[]check{away, {12, 10, nil}}, []string{"open", "failed"}},
		"unavailable while too new":  {[]check{{12, 10, nil}, away}, []string{"held", "held"}},
		"compatible and unavailable": {[]check{{9, 9, nil}, away}, []string{"open", "open"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newSchemaGate()
			for i, checked := range c.checks {
				g.report(migrations.Status{
					Current: checked.current, OldestProgram: checked.oldest, Latest: 9, Needed: 7,
				}, checked.err)
				got := "open"
				if g.awaitHeld(t.Context()) {
					got = "held"
				}
				if len(g.failed) > 0 {
					got = "failed"
				}
				if got != c.states[i] {
					t.Errorf("check %d: got %s, want %s", i, got, c.states[i])
				}
			}
		})
	}
}
