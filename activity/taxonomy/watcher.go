package taxonomy

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/wait"
)

const (
	pollInterval = 10 * time.Second // between polls
	pollRetry    = time.Second      // between polls until the first that succeeds
	pollTimeout  = 5 * time.Second  // of one poll
)

// Watcher follows the applied taxonomy and the enforcement modes of the tenants by polling the
// database. It is safe for concurrent use.
type Watcher struct {
	db       pg.Querier
	options  WatcherOptions
	refresh  sync.Mutex
	ready    chan struct{}
	current  atomic.Pointer[snapshot]
	warnings stats
}

// WatcherOptions configure a Watcher. The zero value works.
type WatcherOptions struct {
	// Report is called with an error of Run's polls, once until a poll succeeds. nil disables it.
	Report func(error)
	// OnChange is called with all actions, in the order of their names, after the first successful
	// poll and after each change of the applied taxonomy or of a mode, even if the taxonomy is
	// invalid. nil disables it.
	OnChange func(actions []Action)
}

// snapshot is the state of the database at one time.
type snapshot struct {
	version  string
	taxonomy *Taxonomy // the last valid one; nil before the first
	invalid  error     // an *InvalidError if the applied taxonomy is invalid
	mode     Mode      // of every tenant that has none of its own
	tenants  map[uuid.UUID]Mode
}

// NewWatcher returns a Watcher of a database. The role of db must be permitted to SELECT from
// fanfare.taxonomy, fanfare.settings and fanfare.enforcement.
func NewWatcher(db pg.Querier, o WatcherOptions) *Watcher {
	if o.Report == nil {
		o.Report = func(error) {}
	}
	if o.OnChange == nil {
		o.OnChange = func([]Action) {}
	}
	return &Watcher{db: db, options: o, ready: make(chan struct{})}
}

// Run polls the database until ctx ends, and returns nil. A change takes effect within about ten
// seconds. Run must be called at most once.
func (w *Watcher) Run(ctx context.Context) error {
	failed := false
	for first := true; ; first = false {
		bounded, cancel := context.WithTimeout(ctx, pollTimeout)
		err := w.Refresh(bounded)
		cancel()
		if err != nil && !failed && ctx.Err() == nil {
			w.options.Report(err)
		}
		failed = err != nil
		if first {
			close(w.ready)
		}
		pause := pollInterval
		if w.current.Load() == nil {
			pause = pollRetry
		}
		if wait.Sleep(ctx, pause) != nil {
			return nil
		}
	}
}

// Ready returns a channel that is closed after the first poll of Run, whether it succeeded or not.
func (w *Watcher) Ready() <-chan struct{} { return w.ready }

// versionQuery returns a value that changes with the applied taxonomy, the settings and the modes.
const versionQuery = `
SELECT md5(concat_ws('/',
    (SELECT string_agg(md5(t::text), '' ORDER BY t.action) FROM fanfare.taxonomy AS t),
    (SELECT s::text FROM fanfare.settings AS s),
    (SELECT md5(string_agg(e.tenant_id || e.mode, ',' ORDER BY e.tenant_id)) FROM fanfare.enforcement AS e)))`

// Refresh polls the database once. If the database is unavailable, the Watcher keeps its state. If
// the applied taxonomy is invalid, Check and Taxonomy keep using the last valid one, and the error
// is an *InvalidError.
func (w *Watcher) Refresh(ctx context.Context) error {
	w.refresh.Lock()
	defer w.refresh.Unlock()
	rows, err := w.db.Query(ctx, versionQuery)
	if err != nil {
		return fmt.Errorf("read the version of the taxonomy: %w", err)
	}
	version, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("read the version of the taxonomy: %w", err)
	}
	previous := w.current.Load()
	if previous != nil && previous.version == version {
		return previous.invalid
	}
	loaded, err := load(ctx, w.db)
	if err != nil && !errors.As(err, new(*InvalidError)) {
		return err
	}
	modes, modesErr := Modes(ctx, w.db)
	if modesErr != nil {
		return modesErr
	}
	next := &snapshot{
		version: version, taxonomy: loaded, invalid: err,
		mode: modes.Installation, tenants: make(map[uuid.UUID]Mode, len(modes.Tenants)),
	}
	if err != nil {
		next.taxonomy = nil
		if previous != nil {
			next.taxonomy = previous.taxonomy
		}
	}
	loaded.warnings = &w.warnings
	for _, m := range modes.Tenants {
		next.tenants[m.TenantID] = m.Mode
	}
	w.current.Store(next)
	w.options.OnChange(loaded.Actions())
	return err
}

// Check is the hook of Taxonomy.Check with the mode of the envelope's tenant. It accepts every
// envelope until a poll has read a valid taxonomy; the database enforces the taxonomy in any case.
func (w *Watcher) Check(_ context.Context, e *activity.Envelope) error {
	s := w.current.Load()
	if s == nil || s.taxonomy == nil {
		return nil
	}
	mode, ok := s.tenants[e.TenantID]
	if !ok {
		mode = s.mode
	}
	return s.taxonomy.enforce(mode, e)
}

// Taxonomy returns the applied taxonomy, or nil until a poll has read a valid one.
func (w *Watcher) Taxonomy() *Taxonomy {
	if s := w.current.Load(); s != nil {
		return s.taxonomy
	}
	return nil
}

// Warnings returns the counts of Taxonomy.Warnings since NewWatcher, over all taxonomies that were
// applied in between.
func (w *Watcher) Warnings() map[string]uint64 { return w.warnings.all() }
