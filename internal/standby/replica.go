package standby

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/internal/wait"
)

// mark is a position of the primary: everything that was committed before at is below lsn.
type mark struct {
	at  time.Time
	lsn int64
}

// replica is what is known of one standby.
type replica struct {
	pool    *pgxpool.Pool
	name    string
	shows   time.Time // what was committed before is visible; zero: nothing is known
	reached time.Time // when it last answered as a standby of the primary
	problem error     // why it cannot be used, by the latest look at it; nil if it can
	logged  string    // the problem that the log names; "" if it says that the standby is used
}

// usable reports whether the standby lags by at most maxLag at now.
func (r *replica) usable(now time.Time, maxLag time.Duration) bool {
	return !r.shows.IsZero() && now.Sub(r.shows) <= maxLag
}

// needsNoWait reports whether a write that was committed at t is visible on the standby, or will
// not be read there: no process uses it.
func (r *replica) needsNoWait(t, now time.Time, maxLag time.Duration) bool {
	return r.shows.After(t) || now.Sub(t) >= maxLag || now.Sub(r.reached) >= maxLag
}

// replayed updates what the standby shows, after it has answered that it has replayed the log up to
// lsn. marks are positions of the primary, the oldest first.
func (r *replica) replayed(lsn int64, marks []mark, now time.Time) {
	r.reached, r.problem = now, nil
	for _, m := range marks {
		if m.lsn <= lsn && m.at.After(r.shows) {
			r.shows = m.at
		}
	}
}

// failed notes that the standby cannot be used. What it showed stays true while it is the same
// server, so only an answer that says otherwise clears it.
func (r *replica) failed(err error) {
	r.problem = err
	if errors.Is(err, ErrNoStandby) || errors.Is(err, ErrOtherCluster) {
		r.shows = time.Time{}
	}
}

// Errors of a standby that cannot be read from.
var (
	ErrNoStandby    = errors.New("the server is no standby")
	ErrOtherCluster = errors.New("the server is a standby of another cluster")
	ErrBehind       = errors.New("the standby is too far behind")
)

// Name returns the host and port of a standby.
func Name(pool *pgxpool.Pool) string {
	config := pool.Config().ConnConfig
	return net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
}

// CatchUp returns how long a standby takes to show what has been committed on the primary; the
// error is ErrBehind after limit.
func CatchUp(ctx context.Context, primary, standby *pgxpool.Pool, limit time.Duration) (time.Duration, error) {
	began := time.Now()
	wanted, cluster, err := position(ctx, primary)
	if err != nil {
		return 0, err
	}
	for time.Since(began) < limit {
		lsn, err := replayedBy(ctx, standby, cluster)
		if err != nil {
			return 0, err
		}
		if lsn >= wanted {
			return time.Since(began), nil
		}
		if err := wait.Sleep(ctx, limit/100); err != nil {
			return 0, err
		}
	}
	return 0, ErrBehind
}

// position reads the primary's position and the identity of its cluster.
func position(ctx context.Context, primary *pgxpool.Pool) (lsn, cluster int64, err error) {
	err = primary.QueryRow(ctx, `
		SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint, (SELECT system_identifier FROM pg_control_system())`).
		Scan(&lsn, &cluster)
	return lsn, cluster, err
}

// replayedBy reads the position up to which a standby has replayed the log of a cluster.
func replayedBy(ctx context.Context, standby *pgxpool.Pool, cluster int64) (lsn int64, err error) {
	var recovering bool
	var identifier int64
	err = standby.QueryRow(ctx, `
		SELECT pg_is_in_recovery(), coalesce((pg_last_wal_replay_lsn() - '0/0')::bigint, 0),
		       (SELECT system_identifier FROM pg_control_system())`).Scan(&recovering, &lsn, &identifier)
	switch {
	case err != nil:
		return 0, err
	case identifier != cluster:
		return 0, fmt.Errorf("%w: its identifier is %d, the primary's %d", ErrOtherCluster, identifier, cluster)
	case !recovering:
		return 0, ErrNoStandby
	}
	return lsn, nil
}
