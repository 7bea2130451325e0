package acceptance

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/internal/acceptance/clients"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/tenantmove"
	"github.com/fanfarehq/fanfare/internal/wait"
	"github.com/fanfarehq/fanfare/migrations"
)

// MoveOptions describe a run of Move.
type MoveOptions struct {
	Rate      int // activities a second of the tenant that moves
	OtherRate int // of another tenant, which stays
	People    int // connected watchers
	Recorded  int // activities that the tenant has before
	Seed      uint64

	Before time.Duration // from the start of the traffic to the move
	Down   time.Duration // from the kill to the continuation
	After  time.Duration // from the end of the move to the end of the traffic

	// Points are where the moving process is killed, one after the other; "" completes a move
	// without a kill. Each is continued, and aborted too where that is possible, if Abort is set.
	Points []tenantmove.Point
	Abort  bool
}

// MovePhase is the result of one move.
type MovePhase struct {
	Killed        string  `json:"killed"` // the point; "" without a kill
	Aborted       bool    `json:"aborted"`
	Recorded      int     `json:"recorded"` // by both tenants
	Expected      int     `json:"expected_deliveries"`
	Received      int     `json:"received_distinct"`
	Lost          int     `json:"lost"`     // deliveries, notifications and activities
	Doubled       int     `json:"doubled"`  // deliveries received again, notifications and activities in both databases
	Inverted      int     `json:"inverted"` // received after a later one of the same resource
	Unexpected    int     `json:"unexpected"`
	LostChanges   int     `json:"lost_changes"` // of levels
	Refused       int64   `json:"refused"`      // attempts to write while the tenant was frozen
	FrozenSeconds float64 `json:"frozen_seconds"`
	LongestWait   float64 `json:"longest_wait_seconds"` // of a writer, from its first refusal to its commit
}

// MoveResult is the result of Move.
type MoveResult struct {
	Phases []MovePhase `json:"phases"`

	violations []error
}

// Err returns the violations, joined, or nil if there are none.
func (r *MoveResult) Err() error { return errors.Join(r.violations...) }

// cell is one of two databases.
type cell struct {
	Name, URL string
	pool      *pgxpool.Pool
}

// moveRun is one run of Move.
type moveRun struct {
	*Environment
	MoveOptions
	world  *fixture.World
	moving *fixture.Tenant
	cells  [2]*cell
	set    *clients.Set

	at       int // the index of the cell that the tenant is in
	versions map[uuid.UUID]*versions
	levels   sync.Map // by resource: the number of the last level that was committed
	commits  map[uuid.UUID]bool
}

// versions orders the changes of a resource, as the lock of its row in an application's table
// would.
type versions struct {
	sync.Mutex
	last int64
}

// Move moves a tenant between two databases while its writers commit, kills the moving process by
// SIGKILL, continues or aborts the move, and verifies that each watcher receives every committed
// activity once and in the order of its resource, and that each activity and each notification is
// in exactly one database.
func Move(ctx context.Context, e *Environment, o MoveOptions) (result *MoveResult, err error) {
	m := &moveRun{
		Environment: e, MoveOptions: o, versions: map[uuid.UUID]*versions{}, commits: map[uuid.UUID]bool{},
		world: fixture.New(fixture.Options{Tenants: 2, People: o.People, Resources: 100, Folders: 4}),
	}
	m.moving = m.world.Tenants[0]
	for _, r := range m.world.Resources {
		m.versions[r.ID] = &versions{}
	}
	closeCells, err := m.openCells(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeCells()) }()
	if err := m.world.Load(ctx, m.cells[0].pool); err != nil {
		return nil, err
	}
	if err := m.recordHistory(ctx); err != nil {
		return nil, err
	}
	stop, err := m.startWorkers()
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return nil, err
	}
	set, closeAll, err := Connect(ctx, e.Centrifugo, m.world.Principals(), ConnectOptions{Timeout: e.ClientTimeout})
	if err != nil {
		return nil, err
	}
	defer closeAll()
	m.set = set
	result = &MoveResult{}
	for _, p := range o.Points {
		if err := m.addPhase(ctx, result, p, false); err != nil {
			return result, err
		}
		if o.Abort && p != "" && p.Abortable() {
			if err := m.addPhase(ctx, result, p, true); err != nil {
				return result, err
			}
		}
	}
	return result, nil
}

// openCells makes the environment's database the first cell and creates a second one.
func (m *moveRun) openCells(ctx context.Context) (closeAll func() error, err error) {
	name := "cell_" + uuid.NewString()[:8]
	if _, err := m.Pool.Exec(ctx, `CREATE DATABASE `+name); err != nil {
		return nil, err
	}
	second, err := url.Parse(m.DatabaseURL)
	if err != nil {
		return nil, err
	}
	second.Path = "/" + name
	closeAll = func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		for _, c := range m.cells {
			if c != nil {
				c.pool.Close()
			}
		}
		_, err := m.Pool.Exec(ctx, `DROP DATABASE `+name+` WITH (FORCE)`)
		return err
	}
	err = pg.WithConn(ctx, second.String(), func(conn *pgx.Conn) error { return migrations.Apply(ctx, conn) })
	for i, databaseURL := range []string{m.DatabaseURL, second.String()} {
		if err == nil {
			m.cells[i] = &cell{Name: string(rune('a' + i)), URL: databaseURL}
			m.cells[i].pool, err = openPool(ctx, databaseURL, 12)
		}
	}
	if err != nil {
		return nil, errors.Join(err, closeAll())
	}
	return closeAll, nil
}

// recordHistory records activities of which no principal is notified, before the workers run.
func (m *moveRun) recordHistory(ctx context.Context) error {
	if _, err := m.world.Record(ctx, m.cells[0].pool, m.Recorded); err != nil {
		return err
	}
	_, err := m.cells[0].pool.Exec(ctx, `TRUNCATE fanfare.outbox`)
	return err
}

// startWorkers starts a worker for each cell.
func (m *moveRun) startWorkers() (stop func() error, err error) {
	var workers []*devstack.Process
	stop = func() (err error) {
		for _, w := range workers {
			err = errors.Join(err, w.Kill())
		}
		return err
	}
	for _, c := range m.cells {
		w, err := StartWorker(c.URL, m.Centrifugo)
		if err != nil {
			return stop, err
		}
		workers = append(workers, w)
	}
	return stop, nil
}

// addPhase moves the tenant, or aborts that, and adds what it finds.
func (m *moveRun) addPhase(ctx context.Context, result *MoveResult, p tenantmove.Point, abort bool) error {
	phase, violations, err := m.phase(ctx, p, abort)
	if err != nil {
		return fmt.Errorf("killed at %q: %w", p, err)
	}
	result.Phases = append(result.Phases, phase)
	for _, v := range violations {
		result.violations = append(result.violations, fmt.Errorf("killed at %q, aborted %v: %w", p, abort, v))
	}
	// The next move returns to where this one has removed rows.
	for _, c := range m.cells {
		if _, err := c.pool.Exec(ctx, `VACUUM (ANALYZE)`); err != nil {
			return err
		}
	}
	m.progress("killed at %q, aborted %v: %d recorded, %d lost, %d doubled, %d inverted, frozen for %.2f s",
		p, abort, phase.Recorded, phase.Lost, phase.Doubled, phase.Inverted, phase.FrozenSeconds)
	return nil
}

// phase runs the traffic and a move.
func (m *moveRun) phase(ctx context.Context, p tenantmove.Point, abort bool) (MovePhase, []error, error) {
	phase := MovePhase{Killed: string(p), Aborted: abort}
	t := &moveTraffic{moveRun: m, recorder: NewRecorder(), ended: make(chan struct{})}
	t.home.Store(int64(m.at))
	g, groupCtx := errgroup.WithContext(ctx)
	g.Go(func() error { return t.write(groupCtx) })
	g.Go(func() error { return t.change(groupCtx) })
	g.Go(func() error {
		defer close(t.ended)
		r, err := m.moveOnce(groupCtx, p, abort)
		if err == nil {
			phase.FrozenSeconds = r.FrozenSeconds
		}
		return err
	})
	if err := g.Wait(); err != nil {
		return phase, nil, err
	}
	if !abort {
		m.at = 1 - m.at
	}
	phase.Refused, phase.LongestWait = t.refused.Load(), time.Duration(t.longest.Load()).Seconds()
	violations, err := t.judge(ctx, &phase)
	return phase, violations, err
}

// moveOnce moves the tenant to the other cell in a process that is killed at a point, and continues
// or aborts the move in another one.
func (m *moveRun) moveOnce(ctx context.Context, p tenantmove.Point, abort bool) (*tenantmove.Result, error) {
	order := moveOrder{
		Tenant: m.moving.ID, Source: *m.cells[m.at], Destination: *m.cells[1-m.at], At: p,
		DrainTimeout: 5 * time.Second, ChunkRows: 2000,
	}
	if err := wait.Sleep(ctx, m.Before); err != nil {
		return nil, err
	}
	if p != "" {
		process, err := startMover(order)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(process.awaitPoint(p), process.Kill(), process.Close()); err != nil {
			return nil, err
		}
		if err := wait.Sleep(ctx, m.Down); err != nil {
			return nil, err
		}
	}
	order.At, order.Abort = "", abort
	process, err := startMover(order)
	if err != nil {
		return nil, err
	}
	r, err := process.result()
	if err = errors.Join(err, process.Close()); err != nil {
		return nil, err
	}
	return r, wait.Sleep(ctx, m.After)
}
