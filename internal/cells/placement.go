package cells

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/google/uuid"
)

// Moves are the tenants that have left a cell, and the names of the cells that they moved to.
type Moves map[uuid.UUID]string

// Placement decides which cell each tenant belongs to: by the file, and by the moves that the cells
// record and the file does not have yet. It is safe for concurrent use.
type Placement struct {
	file  *File
	tried map[string]chan struct{} // by cell: closed when its moves are known, or could not be read

	mu    sync.RWMutex
	moves map[string]Moves // by cell; the last known
}

// NewPlacement returns the placement by a file, without moves.
func NewPlacement(f *File) *Placement {
	p := &Placement{file: f, tried: map[string]chan struct{}{}, moves: map[string]Moves{}}
	for _, name := range f.Names() {
		p.tried[name] = make(chan struct{})
	}
	return p
}

// SetMoves replaces the moves of a cell.
func (p *Placement) SetMoves(cell string, moves Moves) {
	p.mu.Lock()
	p.moves[cell] = maps.Clone(moves)
	p.mu.Unlock()
	p.Tried(cell)
}

// Tried reports that the moves of a cell are known, or could not be read. The last known moves
// stay.
func (p *Placement) Tried(cell string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.tried[cell]:
	default:
		close(p.tried[cell])
	}
}

// Of returns the name of the cell that a tenant belongs to, or "" if it belongs to none.
func (p *Placement) Of(tenant uuid.UUID) string {
	name := ""
	p.follow(tenant, func(cell string) bool { name = cell; return true })
	return name
}

// Await waits until the moves that concern a tenant have been read, or could not be read, or ctx
// ends.
func (p *Placement) Await(ctx context.Context, tenant uuid.UUID) {
	p.follow(tenant, func(cell string) bool {
		tried, known := p.tried[cell]
		if !known {
			return false
		}
		select {
		case <-tried:
			return true
		case <-ctx.Done():
			return false
		}
	})
}

// follow visits the cells that a tenant has belonged to, from that of the file to the present one,
// until visit returns false. It visits "" last if a move leads to a cell that the file lacks, and
// none for a tenant without a cell.
func (p *Placement) follow(tenant uuid.UUID, visit func(cell string) bool) {
	cell, _ := p.file.Of(tenant)
	if cell == nil {
		return
	}
	var visited []string
	for name := cell.Name; visit(name); {
		visited = append(visited, name)
		p.mu.RLock()
		next, moved := p.moves[name][tenant]
		p.mu.RUnlock()
		// A tenant that has moved back seems to have left two cells until both are read again.
		if !moved || slices.Contains(visited, next) {
			return
		}
		if _, known := p.file.Named(next); !known {
			visit("")
			return
		}
		name = next
	}
}
