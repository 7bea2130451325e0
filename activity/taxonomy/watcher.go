package taxonomy

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/wait"
)

const (
	pollInterval      = 10 * time.Second // how often the database is looked at
	firstPollInterval = time.Second      // how often while it was never read
	pollTimeout       = 5 * time.Second  // how long one look may take
)

// Watcher is the taxonomy that is applied, and how strictly each tenant is held to it, as both are now
// and not as they were when the service started. It is safe for concurrent use.
type Watcher struct {
	db       pg.Querier
	report   func(error)
	current  atomic.Pointer[applied]
	warnings stats
}

// applied is what was read at one time.
type applied struct {
	version  string
	taxonomy *Taxonomy
	mode     Mode // of every tenant without one of its own
	tenants  map[uuid.UUID]Mode
}

// NewWatcher makes one that Run keeps, from a *pgxpool.Pool whose role may read fanfare.taxonomy,
// fanfare.settings and fanfare.enforcement. Run tells report when it cannot read them, once until
// it can again; report may be nil.
func NewWatcher(db pg.Querier, report func(error)) *Watcher {
	if report == nil {
		report = func(error) {}
	}
	return &Watcher{db: db, report: report}
}

// Run keeps it as the database is, within about ten seconds, until ctx ends; then it returns nil.
// Where the database cannot be read, it stays as it is. It runs once.
func (l *Watcher) Run(ctx context.Context) error {
	failed := false
	for {
		bounded, cancel := context.WithTimeout(ctx, pollTimeout)
		err := l.Refresh(bounded)
		cancel()
		if err != nil && !failed && ctx.Err() == nil {
			l.report(err)
		}
		failed = err != nil
		pause := pollInterval
		if l.current.Load() == nil {
			pause = firstPollInterval
		}
		if wait.Sleep(ctx, pause) != nil {
			return nil
		}
	}
}

// versionQuery tells whether anything that Watcher holds has changed, whoever changed it and however.
const versionQuery = `
SELECT md5(concat_ws('/',
    (SELECT string_agg(md5(t::text), '' ORDER BY t.action) FROM fanfare.taxonomy AS t),
    (SELECT s::text FROM fanfare.settings AS s),
    (SELECT md5(string_agg(e.tenant_id || e.mode, ',' ORDER BY e.tenant_id)) FROM fanfare.enforcement AS e)))`

// Refresh reads what has changed, if anything has. With an error, it stays as it is.
func (l *Watcher) Refresh(ctx context.Context) error {
	rows, err := l.db.Query(ctx, versionQuery)
	if err != nil {
		return fmt.Errorf("read the taxonomy's version: %w", err)
	}
	fresh := &applied{tenants: map[uuid.UUID]Mode{}}
	if fresh.version, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[string]); err != nil {
		return fmt.Errorf("read the taxonomy's version: %w", err)
	}
	if known := l.current.Load(); known != nil && known.version == fresh.version {
		return nil
	}
	if fresh.taxonomy, err = Load(ctx, l.db); err != nil {
		return err
	}
	modes, err := Modes(ctx, l.db)
	if err != nil {
		return err
	}
	fresh.taxonomy.warnings, fresh.mode = &l.warnings, modes.Installation
	for _, m := range modes.Tenants {
		fresh.tenants[m.TenantID] = m.Mode
	}
	l.current.Store(fresh)
	return nil
}

// Check is the hook of Taxonomy.Check, in the mode of the envelope's tenant. Until the taxonomy was
// read for the first time it lets everything pass: the database holds every writer to it in any
// case.
func (l *Watcher) Check(_ context.Context, e *activity.Envelope) error {
	now := l.current.Load()
	if now == nil {
		return nil
	}
	mode, own := now.tenants[e.TenantID]
	if !own {
		mode = now.mode
	}
	return now.taxonomy.hold(mode, e)
}

// Taxonomy returns what is applied, or nil if it was never read.
func (l *Watcher) Taxonomy() *Taxonomy {
	if now := l.current.Load(); now != nil {
		return now.taxonomy
	}
	return nil
}

// Warnings is that of Taxonomy, counted since NewWatcher whatever was applied in between.
func (l *Watcher) Warnings() map[string]uint64 { return l.warnings.all() }
