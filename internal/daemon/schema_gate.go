package daemon

import (
	"context"
	"sync"

	"github.com/fanfarehq/fanfare/migrations"
)

// schemaGate holds back the actors that use the database until this program works with its schema:
// one error names what is missing, rather than one of each actor. If the schema becomes
// incompatible afterwards, the daemon ends with an error, which finishes the work in progress.
type schemaGate struct {
	incompatible bool          // a check has found an incompatible schema, and none before a compatible one
	present      chan struct{} // closed when the program may work with the schema
	checked      chan struct{} // closed after the first check
	failed       chan error    // receives the error of a schema that has become incompatible
	open         func()        // closes present
	check        func()        // closes checked
}

func newSchemaGate() *schemaGate {
	g := &schemaGate{present: make(chan struct{}), checked: make(chan struct{}), failed: make(chan error, 1)}
	g.open = sync.OnceFunc(func() { close(g.present) })
	g.check = sync.OnceFunc(func() { close(g.checked) })
	return g
}

// report reports the result of a check, one after the other. An unavailable database counts as one
// with a compatible schema: the actors wait for it in their own ways. A schema that is removed does
// not end the daemon, since the database may be one that is being restored.
func (g *schemaGate) report(status migrations.Status, err error) {
	defer g.check()
	if err != nil {
		if !g.incompatible {
			g.open()
		}
		return
	}
	switch problem := status.Compatible(); {
	case problem == nil:
		g.incompatible = false
		g.open()
	case !g.isOpen():
		g.incompatible = true
	case status.Current > 0:
		select {
		case g.failed <- problem:
		default: // the daemon is ending
		}
	}
}

func (g *schemaGate) isOpen() bool {
	select {
	case <-g.present:
		return true
	default:
		return false
	}
}

// hold returns an actor that begins when the program may work with the schema.
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

// awaitFailure is an actor that fails when the schema becomes incompatible.
func (g *schemaGate) awaitFailure(ctx context.Context) error {
	select {
	case err := <-g.failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// held reports whether the actors are held back. It is safe for concurrent use.
func (g *schemaGate) held() bool { return !g.isOpen() }

// awaitHeld waits for the first check, unless ctx ends, and reports whether the actors are held
// back.
func (g *schemaGate) awaitHeld(ctx context.Context) bool {
	select {
	case <-g.checked:
		return g.held()
	case <-ctx.Done():
		return false
	}
}
