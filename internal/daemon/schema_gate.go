package daemon

import (
	"context"
	"sync"

	"github.com/fanfarehq/fanfare/migrations"
)

// schemaGate holds back the actors that use the database until it has a schema: one error names
// what is missing, rather than one of each actor.
type schemaGate struct {
	empty   bool          // a check has found no schema
	present chan struct{} // closed when the database may have a schema
	checked chan struct{} // closed after the first check
	open    func()        // closes present
	check   func()        // closes checked
}

func newSchemaGate() *schemaGate {
	g := &schemaGate{present: make(chan struct{}), checked: make(chan struct{})}
	g.open = sync.OnceFunc(func() { close(g.present) })
	g.check = sync.OnceFunc(func() { close(g.checked) })
	return g
}

// report reports the result of a check, one after the other. An unavailable database counts as one
// that may have a schema: the actors wait for it in their own ways. A database that was empty must
// have all migrations, because they may be under way.
func (g *schemaGate) report(status migrations.Status, err error) {
	if err == nil && status.Current == 0 {
		g.empty = true
	}
	if !g.empty || err == nil && status.Current >= status.Latest {
		g.open()
	}
	g.check()
}

// hold returns an actor that begins when the database may have a schema.
func (g *schemaGate) hold(act func(ctx context.Context) error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		select {
		case <-g.present:
			return act(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

// absent reports whether the first check has found that the database has no schema, and no check
// since that it has one. It waits for the first check, unless ctx ends.
func (g *schemaGate) absent(ctx context.Context) bool {
	select {
	case <-g.checked:
	case <-ctx.Done():
		return false
	}
	select {
	case <-g.present:
		return false
	default:
		return true
	}
}
