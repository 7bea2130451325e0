package inbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/feed"
	"github.com/fanfarehq/fanfare/internal/guard"
	"github.com/fanfarehq/fanfare/internal/wait"
)

// Publisher publishes to channels. *centrifugo.Client implements it.
type Publisher interface {
	Publish(ctx context.Context, broadcasts []centrifugo.Broadcast) []centrifugo.Result
}

// Channels names the channels of principals. *centrifugo.Channels implements it.
type Channels interface {
	User(p activity.Principal) string
}

// ReturnOptions configure a Returner. Publisher and Channels are required.
type ReturnOptions struct {
	Publisher Publisher
	Channels  Channels
	Observe   func(returned int) // receives the number of notifications of each batch; default none
	Logger    *zap.Logger        // default none
}

// Returner ends snoozes when their time has come, by the database's clock: it stores that the
// notification is unseen and unread, and publishes that on the principal's own channel. Lists and
// counts do not wait for it.
type Returner struct {
	pool    *pgxpool.Pool
	o       ReturnOptions
	observe guard.Guard
	budget  time.Duration // returnBudget; tests shorten it
}

// NewReturner returns a Returner for the database of a pool.
func NewReturner(pool *pgxpool.Pool, o ReturnOptions) *Returner {
	if o.Observe == nil {
		o.Observe = func(int) {}
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	return &Returner{
		pool: pool, o: o, observe: guard.Guard{Log: o.Logger, Name: "observer of returns"}, budget: returnBudget,
	}
}

// The bounds of Returner.Run.
const (
	returnBatch     = 100              // notifications of one transaction
	returnInterval  = 5 * time.Second  // between two looks
	returnBudget    = 3 * time.Second  // of one transaction, after which it takes no further principal
	returnTimeout   = 15 * time.Second // of one transaction
	returnMaxPause  = time.Minute      // between two attempts, after errors
	publishDeadline = 5 * time.Second  // of the publications of one transaction, while its rows are locked
)

// Run returns notifications until ctx ends, and then returns nil. Several processes may call it:
// each takes the rows that no other has locked. After an error it pauses, for longer each time.
func (r *Returner) Run(ctx context.Context) error {
	failures := 0
	for {
		_, more, err := r.returnSome(ctx)
		if ctx.Err() != nil {
			return nil
		}
		pause := returnInterval
		switch {
		case err != nil:
			pause = min(returnInterval<<min(failures, 10), returnMaxPause)
			failures++
			r.o.Logger.Warn("snoozed notifications cannot return", zap.Error(err), zap.Duration("retry_after", pause))
		case more:
			failures, pause = 0, 0
		default:
			failures = 0
		}
		if wait.Sleep(ctx, jittered(pause)) != nil {
			return nil
		}
	}
}

// jittered returns a duration up to a fifth shorter, so that processes do not look all at once.
func jittered(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return d - rand.N(d/5)
}

// endedSnooze is a notification whose snooze has ended.
type endedSnooze struct {
	principal activity.Principal
	id        uuid.UUID
	until     time.Time
	archived  bool // it does not return to the inbox
	row       string
}

// selectEnded locks the rows whose snoozes have ended, at most $1, the longest ended first. Those
// of a tenant that is being moved return in the database to which it moves.
const selectEnded = `
SELECT n.tenant_id, n.principal_id, n.activity_id, n.snoozed_until, n.archived_at IS NOT NULL, n.ctid::text
FROM fanfare.notifications AS n
WHERE n.snoozed_until <= now()
  AND NOT EXISTS (
      SELECT FROM fanfare.tenant_moves AS m WHERE m.tenant_id = n.tenant_id AND m.frozen_at IS NOT NULL)
ORDER BY n.snoozed_until
LIMIT $1
FOR NO KEY UPDATE SKIP LOCKED`

// endSnoozes ends the snoozes of the locked rows.
const endSnoozes = `
UPDATE fanfare.notifications AS n
SET seen_at = ` + seenAt + `, read_at = ` + readAt + `, snoozed_until = NULL
WHERE n.ctid = ANY ($1::text[]::tid[])`

// returnSome ends at most returnBatch snoozes and publishes that before it commits: what is
// committed has been published at least once. It returns the number of snoozes, and whether there
// may be more to end. A count of unread notifications takes up to a second or so, and the rows may
// belong to as many principals: when the budget is spent, the others are left to the next
// transaction. The first principal is always done.
func (r *Returner) returnSome(ctx context.Context) (n int, more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, returnTimeout)
	defer cancel()
	err = pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
		list, err := lockEnded(ctx, tx)
		if err != nil || len(list) == 0 {
			return err
		}
		var rows []string
		var broadcasts []centrifugo.Broadcast
		start := time.Now()
		for i, each := range byPrincipal(list) {
			if i > 0 && time.Since(start) >= r.budget {
				break
			}
			for _, e := range each {
				rows = append(rows, e.row)
			}
			b, err := r.broadcast(ctx, tx, each)
			if err != nil {
				return err
			}
			if b.Data != nil {
				broadcasts = append(broadcasts, b)
			}
		}
		if _, err := tx.Exec(ctx, endSnoozes, rows); err != nil {
			return fmt.Errorf("end snoozes: %w", err)
		}
		n, more = len(rows), len(rows) < len(list) || len(list) == returnBatch
		return r.publish(ctx, broadcasts)
	})
	if err != nil {
		return 0, false, err
	}
	r.observe.Call(func() { r.o.Observe(n) })
	return n, more, nil
}

// byPrincipal splits a list into the parts of the principals, in the order of the first of each.
func byPrincipal(list []endedSnooze) [][]endedSnooze {
	var parts [][]endedSnooze
	index := map[activity.Principal]int{}
	for _, e := range list {
		i, known := index[e.principal]
		if !known {
			i = len(parts)
			index[e.principal], parts = i, append(parts, nil)
		}
		parts[i] = append(parts[i], e)
	}
	return parts
}

func lockEnded(ctx context.Context, tx pgx.Tx) ([]endedSnooze, error) {
	rows, err := tx.Query(ctx, selectEnded, returnBatch)
	if err != nil {
		return nil, fmt.Errorf("find ended snoozes: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (endedSnooze, error) {
		var e endedSnooze
		err := row.Scan((*[16]byte)(&e.principal.TenantID), (*[16]byte)(&e.principal.PrincipalID), (*[16]byte)(&e.id),
			&e.until, &e.archived, &e.row)
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("find ended snoozes: %w", err)
	}
	return list, nil
}

// publish publishes the broadcasts. It logs those that Centrifugo refuses for good.
func (r *Returner) publish(ctx context.Context, broadcasts []centrifugo.Broadcast) error {
	if len(broadcasts) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, publishDeadline)
	defer cancel()
	for _, result := range r.o.Publisher.Publish(ctx, broadcasts) {
		failure, _ := errors.AsType[*centrifugo.Error](result.Err)
		switch {
		case result.Err == nil:
		case failure != nil && failure.Class == centrifugo.Permanent:
			r.o.Logger.Warn("the return of snoozed notifications is not published", zap.Error(result.Err))
		default:
			return fmt.Errorf("publish the return of notifications: %w", result.Err)
		}
	}
	return nil
}

// broadcast returns the message for the principal of a list: which of its notifications return, of
// those whose activities it may see now. It returns none if it may see none of them. Like all
// counts, that of unread ones includes snoozes that have ended but are still stored.
func (r *Returner) broadcast(ctx context.Context, tx pgx.Tx, list []endedSnooze) (centrifugo.Broadcast, error) {
	var ids []uuid.UUID
	key := sha256.New()
	for _, e := range list {
		if !e.archived {
			ids = append(ids, e.id)
			key.Write(e.id[:])
			fmt.Fprint(key, e.until.UnixMicro())
		}
	}
	if len(ids) == 0 {
		return centrifugo.Broadcast{}, nil
	}
	p := list[0].principal
	rows, err := scanIDs(ctx, tx, p, ids, uuid.Max)
	if err != nil {
		return centrifugo.Broadcast{}, err
	}
	ids, err = feed.Visible(ctx, tx, p, rows.headers(), activity.Filter{})
	if err != nil || len(ids) == 0 {
		return centrifugo.Broadcast{}, err
	}
	unread, err := Count(ctx, tx, p, Unread)
	if err != nil {
		return centrifugo.Broadcast{}, err
	}
	return centrifugo.Broadcast{
		Channels:       []string{r.o.Channels.User(p)},
		Data:           ReturnedMessage(ids, unread),
		IdempotencyKey: "returned-" + hex.EncodeToString(key.Sum(nil)[:16]),
	}, nil
}
