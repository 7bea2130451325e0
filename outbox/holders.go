package outbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/wait"
)

// Holder is a session that holds lanes and is not a working worker. Any role that can connect can
// take the locks of lanes, and delays their activities as long as it holds them.
type Holder struct {
	PID         int           `json:"pid"`
	Role        string        `json:"role"`
	Application string        `json:"application"`
	Address     string        `json:"address"` // "" if the role may not see it, or for a local session
	Lanes       int           `json:"lanes"`   // how many it holds
	For         time.Duration `json:"for"`     // the age of its transaction; 0 if it is unknown
}

// String describes the holder and how to end its session.
func (h Holder) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "a session of role %s (process %d", h.Role, h.PID)
	if h.Application != "" {
		fmt.Fprintf(&b, ", application %s", h.Application)
	}
	if h.Address != "" {
		fmt.Fprintf(&b, ", address %s", h.Address)
	}
	fmt.Fprintf(&b, ") holds %d of %d lanes", h.Lanes, Lanes)
	if h.For > 0 {
		fmt.Fprintf(&b, " for %s", h.For.Round(time.Second))
	}
	return b.String()
}

// Remedy returns the statement that ends the session.
func (h Holder) Remedy() string { return fmt.Sprintf("SELECT pg_terminate_backend(%d);", h.PID) }

// claimsEnd is the time within which every claim ends.
const claimsEnd = time.Minute

// selectHolders selects the sessions that hold lanes longer than a claim does, outside a
// transaction, or as another role, whose claims would be as short. What a role may not see of other
// sessions is null.
const selectHolders = `
SELECT l.pid, coalesce(a.usename, ''), coalesce(a.application_name, ''), coalesce(host(a.client_addr), ''),
       count(*), coalesce(extract(epoch FROM clock_timestamp() - min(a.xact_start)), 0)
FROM pg_locks AS l
LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted
  AND l.classid = $1::bigint::oid AND l.objsubid = 2 AND l.objid < $2::bigint::oid
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
GROUP BY 1, 2, 3, 4
HAVING coalesce(bool_or(a.state = 'idle' OR a.usename <> current_user
           OR clock_timestamp() - a.xact_start > make_interval(secs => $3)), true)
ORDER BY count(*) DESC, l.pid`

// Holders returns the foreign sessions that hold lanes.
func (b *Backlog) Holders(ctx context.Context) ([]Holder, error) { return holders(ctx, b.pool) }

func holders(ctx context.Context, db pg.Querier) ([]Holder, error) {
	rows, err := db.Query(ctx, selectHolders, int64(LaneLockClass), int64(Lanes), claimsEnd.Seconds())
	if err != nil {
		return nil, fmt.Errorf("find who holds the lanes: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Holder, error) {
		var h Holder
		var seconds float64
		err := row.Scan(&h.PID, (*zeronull.Text)(&h.Role), (*zeronull.Text)(&h.Application),
			(*zeronull.Text)(&h.Address), &h.Lanes, &seconds)
		h.For = time.Duration(seconds * float64(time.Second))
		return h, err
	})
}

// watchHolders names foreign holders of lanes until ctx ends.
func (w *Worker) watchHolders(ctx context.Context) {
	for wait.Sleep(ctx, w.limits.watch) == nil {
		now := time.Now()
		if !w.schedule.missed(now, w.limits.miss) {
			w.heldAbroad.Store(nil)
			continue
		}
		var found []Holder
		err := w.within(ctx, w.limits.statement, func(ctx context.Context) (err error) {
			found, err = holders(ctx, w.pool)
			return err
		})
		if err != nil || len(found) == 0 {
			w.heldAbroad.Store(nil)
			continue
		}
		var texts []string
		for _, h := range found {
			texts = append(texts, h.String()+": end it with "+h.Remedy())
		}
		problem := &Problem{now, errors.New(strings.Join(texts, "; "))}
		if before := w.heldAbroad.Load(); before != nil {
			problem.Since = before.Since
		}
		w.heldAbroad.Store(problem)
		w.trouble.note("another session holds lanes, and their activities wait", problem.Err, now,
			zap.Int("sessions", len(found)))
	}
}
