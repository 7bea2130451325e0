package tenantmove

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/tenantdata"
	"github.com/fanfarehq/fanfare/internal/wait"
)

// Databases are the connections of a move, each used by it alone.
type Databases struct {
	Source, Destination *pgx.Conn
	// Lock is a second connection to the source. Its transaction stays open during the move.
	Lock *pgx.Conn
}

// Options describe a move.
type Options struct {
	Tenant          uuid.UUID
	SourceName      string // the name of the source's cell, or its host:port/database
	DestinationName string

	DrainTimeout  time.Duration // for which the source's worker may deliver what is pending, after the freeze
	FreezeTimeout time.Duration // for which the freeze waits for transactions that write the tables
	KeepSource    bool          // leave the source's copy
	ClearDelay    time.Duration // from the switch to the removal of the source's copy, which servers may still read

	ChunkRows int // that are copied and compared at a time; 0 selects tenantdata.DefaultChunkRows

	By uuid.UUID // the actor of what is recorded

	Progress func(Progress) // required
	// At, if set, is called at each point of the move. Tests end the process there.
	At func(Point)
}

// Progress is what a move is doing.
type Progress struct {
	Step    Step
	Table   string // being copied; "" if none is
	Rows    int64  // copied in this call of Run
	Rate    float64
	Message string // what the move waits for or has found; "" if nothing
}

// Result describes a move that Run has completed or aborted.
type Result struct {
	Tenant        uuid.UUID          `json:"tenant_id"`
	MoveID        uuid.UUID          `json:"move_id"`
	Step          Step               `json:"step"` // of the source; "" after an abortion
	Source        string             `json:"source"`
	Destination   string             `json:"destination"`
	FrozenSeconds float64            `json:"frozen_seconds"`
	Rows          map[string]int64   `json:"rows"`    // by table
	Removed       tenantdata.Removed `json:"removed"` // from the source
	Views         []string           `json:"directory_views"`
}

// mover is one call of Run or Abort.
type mover struct {
	Databases
	o           Options
	scope       *tenantdata.Scope
	pair        *tenantdata.Pair
	source      *Row // as it was read last; nil if there is none
	destination *Row
	started     time.Time
	copied      int64 // rows, in this call
	step        Step
}

// Run moves a tenant, from wherever a move of it between the two databases is.
func Run(ctx context.Context, db Databases, o Options) (*Result, error) {
	m, err := newMover(ctx, db, o)
	if err != nil {
		return nil, err
	}
	defer m.unlock(ctx)
	w := wish{peer: o.DestinationName, keepSource: o.KeepSource}
	for {
		if err := m.read(ctx); err != nil {
			return nil, err
		}
		act, err := next(m.source, m.destination, w)
		if err != nil {
			return nil, err
		}
		if act == actNothing {
			return m.result(), nil
		}
		if err := m.do(ctx, act); err != nil {
			return nil, err
		}
	}
}

// Abort returns both databases to what they were before the move, except for what was recorded
// meanwhile. It fails with ErrOpened once the destination is open.
func Abort(ctx context.Context, db Databases, o Options) (*Result, error) {
	m, err := newMover(ctx, db, o)
	if err != nil {
		return nil, err
	}
	defer m.unlock(ctx)
	for done := false; ; done = true {
		if err := m.read(ctx); err != nil {
			return nil, err
		}
		act, err := nextOfAbort(m.source, m.destination)
		if errors.Is(err, ErrNoMove) && done {
			return m.result(), nil
		}
		if err != nil {
			return nil, err
		}
		if err := m.do(ctx, act); err != nil {
			return nil, err
		}
	}
}

func newMover(ctx context.Context, db Databases, o Options) (*mover, error) {
	m := &mover{Databases: db, o: o, started: time.Now()}
	if m.o.At == nil {
		m.o.At = func(Point) {}
	}
	for _, conn := range []*pgx.Conn{db.Source, db.Destination, db.Lock} {
		if err := tenantdata.Prepare(ctx, conn); err != nil {
			return nil, err
		}
	}
	if err := m.compareSchemas(ctx); err != nil {
		return nil, err
	}
	if err := m.lock(ctx); err != nil {
		return nil, err
	}
	var err error
	m.scope, err = tenantdata.NewScope(ctx, db.Source, db.Destination, o.Tenant)
	if err != nil {
		m.unlock(ctx)
		return nil, err
	}
	m.scope.ChunkRows = cmp.Or(o.ChunkRows, m.scope.ChunkRows)
	m.pair = &tenantdata.Pair{
		Scope: m.scope, Source: db.Source, Destination: db.Destination, Write: m.write, Progress: m.noteCopied,
	}
	return m, nil
}

// lockTimeout limits the wait for the end of another process that moves the tenant: one that was
// killed has a session until the server notices.
const lockTimeout = 15 * time.Second

// lock keeps other processes from moving the tenant. A lock of a transaction works behind a pooler.
func (m *mover) lock(ctx context.Context) error {
	if _, err := m.Lock.Exec(ctx, `BEGIN`); err != nil {
		return fmt.Errorf("lock the tenant: %w", err)
	}
	deadline := time.Now().Add(lockTimeout)
	for {
		var held bool
		err := m.Lock.QueryRow(ctx, `
			SELECT pg_try_advisory_xact_lock(hashtextextended('fanfare.tenant_move.' || $1, 0))`, m.o.Tenant.String()).
			Scan(&held)
		switch {
		case err != nil:
			return fmt.Errorf("lock the tenant: %w", err)
		case held:
			return nil
		case time.Now().After(deadline):
			m.unlock(ctx)
			return errors.New("another process is moving the tenant: wait for its end, or end it")
		}
		if err := wait.Sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

func (m *mover) unlock(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, _ = m.Lock.Exec(ctx, `ROLLBACK`)
}

// read reads the rows of both databases.
func (m *mover) read(ctx context.Context) (err error) {
	if m.source, err = read(ctx, m.Source, m.o.Tenant); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	if m.destination, err = read(ctx, m.Destination, m.o.Tenant); err != nil {
		return fmt.Errorf("destination: %w", err)
	}
	return nil
}

// do carries out one action.
func (m *mover) do(ctx context.Context, act action) error {
	switch act {
	case actBegin:
		return m.named(ctx, Begun, "begin", m.begin)
	case actCopy:
		return m.named(ctx, Copying, "begin to copy", m.beginCopying)
	case actFreeze:
		if err := m.named(ctx, Copying, "copy", m.copyAll); err != nil {
			return err
		}
		return m.named(ctx, Frozen, "freeze the source", m.freeze)
	case actStage:
		return m.named(ctx, Frozen, "take the pending activities", m.stage)
	case actDelta:
		return m.named(ctx, Delta, "copy what has changed", m.settle)
	case actOpen:
		return m.named(ctx, Opened, "open the destination", m.open)
	case actFinish:
		return m.named(ctx, Moved, "finish", m.finish)
	case actClean:
		return m.named(ctx, Moved, "release the destination", m.clean)
	case actClear:
		return m.named(ctx, Cleared, "remove the source's copy", m.clear)
	case actForbid:
		return m.named(ctx, Aborting, "abort", m.forbid)
	case actRelease:
		return m.named(ctx, Aborting, "return the source", m.release)
	case actDiscard:
		return m.named(ctx, Aborting, "remove the destination's copy", m.discard)
	}
	return fmt.Errorf("no action %d", act)
}

// named runs an action of a step. Its error names the action.
func (m *mover) named(ctx context.Context, step Step, name string, do func(ctx context.Context) error) error {
	m.step = step
	m.note("")
	if err := do(ctx); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (m *mover) note(message string) { m.report("", message) }

func (m *mover) report(table, message string) {
	m.o.Progress(Progress{
		Step: m.step, Table: table, Rows: m.copied, Rate: float64(m.copied) / time.Since(m.started).Seconds(),
		Message: message,
	})
}

// noteCopied reports rows that were copied.
func (m *mover) noteCopied(table string, rows int64) {
	m.copied += rows
	m.report(table, "")
	if m.step == Copying {
		m.o.At(CopyingSome)
	}
}

// write runs a transaction that writes rows of the tenant in the destination, while its row permits
// that.
func (m *mover) write(ctx context.Context, do func(tx pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, m.Destination, func(tx pgx.Tx) error {
		if err := mayWrite(ctx, tx, m.destination); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			SELECT FROM fanfare.tenant_moves
			WHERE tenant_id = $1 AND move_id = $2 AND role = 'destination' AND step = 'begun'
			FOR UPDATE`, [16]byte(m.o.Tenant), [16]byte(m.destination.ID))
		switch {
		case err != nil:
			return fmt.Errorf("lock the move: %w", err)
		case tag.RowsAffected() == 0:
			return errOvertaken
		}
		return do(tx)
	})
}

func (m *mover) result() *Result {
	r := &Result{
		Tenant: m.o.Tenant, Source: m.o.SourceName, Destination: m.o.DestinationName, Views: m.scope.Views,
		Rows: map[string]int64{}, Removed: tenantdata.Removed{},
	}
	if r.Views == nil {
		r.Views = []string{}
	}
	if s := m.source; s != nil {
		r.MoveID, r.Step = s.ID, s.Step
		if s.Copied != nil {
			r.Rows = s.Copied
		}
		if s.Removed != nil {
			r.Removed = s.Removed
		}
		if s.FrozenAt != nil && s.MovedAt != nil {
			r.FrozenSeconds = s.MovedAt.Sub(*s.FrozenAt).Seconds()
		}
	}
	return r
}
