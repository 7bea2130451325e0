package daemon

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/internal/cellmoves"
	"github.com/fanfarehq/fanfare/internal/cells"
	"github.com/fanfarehq/fanfare/internal/database"
	"github.com/fanfarehq/fanfare/internal/wait"
)

// The limits of reading the moves of a cell.
const (
	movesInterval = time.Second
	movesTimeout  = 2 * time.Second
	// firstMovesTimeout bounds how long the requests of an unavailable cell wait after a start.
	firstMovesTimeout = 5 * time.Second
	movesRepeat       = time.Minute // between repeated warnings
)

// placement decides which cell a tenant belongs to, and reads the moves of all cells of the file,
// of those that are not served here too: their tenants may have moved to one that is.
type placement struct {
	*cells.Placement
	sources []*source
	log     *zap.Logger
}

// source is a cell whose moves are read, with a connection of its own.
type source struct {
	name string
	pool *pgxpool.Pool
}

// newPlacement returns the placement by the file of the settings.
func (d *Daemon) newPlacement(ctx context.Context) (*placement, error) {
	file := d.config.Cells()
	p := &placement{Placement: cells.NewPlacement(file), log: d.log}
	for _, c := range file.Cells() {
		pool, err := database.Open(ctx, c.DatabaseURL, 1)
		if err != nil {
			p.close()
			return nil, err
		}
		p.sources = append(p.sources, &source{c.Name, pool})
	}
	return p, nil
}

// run reads the moves of the cells until ctx ends. It returns nil.
func (p *placement) run(ctx context.Context) error {
	var g errgroup.Group
	for _, s := range p.sources {
		g.Go(func() error { p.readMoves(ctx, s); return nil })
	}
	return g.Wait()
}

func (p *placement) close() {
	var g errgroup.Group
	for _, s := range p.sources {
		g.Go(func() error { closePool(s.pool); return nil })
	}
	_ = g.Wait() // returns no error
}

// readMoves reads the moves of a cell, immediately and then every second, until ctx ends.
func (p *placement) readMoves(ctx context.Context, s *source) {
	var warned time.Time
	timeout := firstMovesTimeout
	for {
		moves, err := s.read(ctx, timeout)
		switch {
		case ctx.Err() != nil:
		case err == nil:
			p.SetMoves(s.name, moves)
			warned = time.Time{}
		case time.Since(warned) >= movesRepeat:
			warned = time.Now()
			p.log.Warn("cannot read which tenants have moved to other cells; the last known moves stay",
				zap.String("cell", s.name), zap.Error(err))
		}
		p.Tried(s.name)
		timeout = movesTimeout
		if wait.Sleep(ctx, movesInterval) != nil {
			return
		}
	}
}

// read reads the moves of the cell.
func (s *source) read(ctx context.Context, timeout time.Duration) (cells.Moves, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return cellmoves.Read(ctx, s.pool)
}
