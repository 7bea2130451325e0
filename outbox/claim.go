package outbox

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// Lanes is the number of lanes. The SQL function fanfare.lane_of spreads resources over them.
const Lanes = 64

// LaneLockClass is the first key of each lane's advisory lock, "FANF"; the lane is the second.
const LaneLockClass = 0x46414e46

// Item is one claimed activity. What neither its delivery nor its event needs is not read: the
// request's id, user agent and IP hash, and the trace.
type Item struct {
	activity.Activity
	Seq      int64
	Attempts int      // failed attempts of this activity on its own
	Channels []string // the channels still to be published to; nil means all

	part    part       // of the lane that the row is in
	ctid    pgtype.TID // of the row in the table outbox
	parked  bool       // the row is in the table parked, not in outbox
	blocked bool       // an earlier activity of its resource is parked or a fan-out job
	missing bool       // the log no longer contains the activity
}

// claimed is the result of one claim: the rows, and a snapshot that is not newer than the one that
// they were read with.
type claimed struct {
	held     bool // false: another session holds the lane
	readOnly bool // the database accepts no writes
	snapshot snapshot
	origin   origin
	items    []Item // parked ones first, then those of the parts, each by seq

	read [parts]bool // the parts that were read
	cut  [parts]bool // the parts of which visible rows remain
	top  int64       // the highest seq in the lane; 0 if it has no new one, or no part backlog
}

// beginClaim pins the plans, whatever the statistics of a table that is empty most of the time, and
// bounds every wait. Without bitmap scans, no plan that is made while the outbox is small sorts all
// rows of a lane later; unpin permits them to the handler. Without jit = off, the cost of a
// disabled scan would trigger JIT. A constraint that is deferred would fail the commit, after the
// publication; immediate, it fails the statement.
const beginClaim = `BEGIN ISOLATION LEVEL READ COMMITTED;
	SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;
	SET LOCAL enable_bitmapscan = off; SET LOCAL jit = off; SET LOCAL plan_cache_mode = force_generic_plan;
	SET LOCAL lock_timeout = '5s'; SET LOCAL statement_timeout = '15s';
	SET LOCAL idle_in_transaction_session_timeout = '20s'; SET CONSTRAINTS ALL IMMEDIATE`

// lockLane precedes the claim as a statement of its own: the claim must take its snapshot after the
// lock, or it would see rows that the lock's previous holder has just removed. A setting passes the
// result to the claim in the same round trip.
//
// Its snapshot, which the hints get, is older than the claim's. That is safe, the opposite would
// not be: a transaction that ends between the two counts as running, so that the next claim scans
// its rows once more.
var lockLane = `
SELECT set_config('fanfare.held', pg_try_advisory_xact_lock($1::int, $2::int)::text, true)::boolean,
       current_setting('transaction_read_only')::boolean, pg_current_snapshot()::text,` + selectOrigin + `,
       CASE WHEN $4::uuid[] <> '{}' THEN (
           SELECT o.seq FROM fanfare.outbox AS o WHERE o.lane = $2 AND o.seq > $3 ORDER BY o.seq DESC LIMIT 1
       ) END AS top`

// unpin follows a claim: what the handler reads may be planned with bitmap scans.
const unpin = `SET LOCAL enable_bitmapscan TO DEFAULT`

// selectOrigin are the columns of an origin. The start time of the server tells one server from
// another: after a failover a different one answers, behind the same address.
const selectOrigin = `
	extract(epoch FROM pg_postmaster_start_time())::text AS server,
	CASE WHEN has_sequence_privilege('fanfare.outbox_seq_seq', 'SELECT')
	    THEN coalesce(pg_sequence_last_value('fanfare.outbox_seq_seq'), 0) END AS last_seq`

// isDue is the condition on a parked row p that may be attempted. longest is a parameter with the
// longest wait after a failure, in seconds: a failed row that waits longer was parked before the
// clock was set back.
func isDue(longest string) string {
	return `(p.retry_at <= clock_timestamp()
	    OR p.attempts > 0 AND p.retry_at > clock_timestamp() + make_interval(secs => 2 * ` + longest + `))`
}

// claimLane reads the lane's next rows, if the lane is held. It leaves out what the rows of the
// outbox and of the log both contain.
var claimLane = `
SELECT q.seq, q.ctid, q.part, q.blocked, q.attempts, q.channels,
       q.activity_id, q.tenant_id, q.resource_id, q.recorded_at, ` + pglog.DeliveryColumns + `
FROM (
    (
        SELECT p.seq, NULL::tid AS ctid, -1 AS part, false AS blocked, p.attempts, p.channels,
               p.activity_id, p.tenant_id, p.resource_id, p.recorded_at
        FROM fanfare.parked AS p
        WHERE p.lane = $1 AND ` + isDue("$6::float8") + `
        ORDER BY p.seq
        LIMIT $2
    )
    UNION ALL
    (` + selectPart + ` AND o.tenant_id <> ALL ($7) ORDER BY o.seq LIMIT $2)
    UNION ALL
    (` + strings.NewReplacer("$3", "$8", "$4", "$9", "$5", "$10", "0 AS part", "1 AS part").Replace(selectPart) + `
        AND o.tenant_id = ANY ($7) AND $11::bigint > 0 ORDER BY o.seq LIMIT $11)
    ORDER BY part, seq
    LIMIT $2
) AS q
LEFT JOIN ` + pglog.ByID("q.activity_id", "q.tenant_id") + ` ON true
WHERE current_setting('fanfare.held')::boolean`

// selectPart selects the rows of one part of a lane above its hints.
const selectPart = `
        SELECT o.seq, o.ctid, 0 AS part,
               (EXISTS (SELECT FROM fanfare.parked) OR EXISTS (SELECT FROM fanfare.fan_out_jobs)) AND (
                   EXISTS (SELECT FROM fanfare.parked AS p
                           WHERE p.tenant_id = o.tenant_id AND p.resource_id = o.resource_id)
                   OR EXISTS (SELECT FROM fanfare.fan_out_jobs AS j
                              WHERE j.tenant_id = o.tenant_id AND j.resource_id = o.resource_id)),
               0, o.channels, o.activity_id, o.tenant_id, o.resource_id, o.recorded_at
        FROM fanfare.outbox AS o
        WHERE o.lane = $1 AND o.seq > least($3::bigint, (
            SELECT min(r.bound)
            FROM unnest($4::text[]::xid8[], $5::bigint[]) AS r(xid, bound)
            WHERE pg_visible_in_snapshot(r.xid, pg_current_snapshot())))`

// scope limits the rows that a claim reads.
type scope struct {
	limit   int
	backlog int           // the limit of the part backlog; 0 leaves it unread
	full    bool          // ignore the hints
	longest time.Duration // the longest wait after a failure
}

// claim locks the lane for the transaction and reads its next rows.
func claim(ctx context.Context, tx pgx.Tx, lane int, m *memory, s scope) (claimed, error) {
	if len(m.deferred) == 0 {
		s.backlog = 0
	}
	arguments := []any{lane, s.limit}
	var positions [parts][3]any
	for p := range parts {
		h := &m.hints[p]
		pos := h.pos
		if s.full {
			pos = 0
		}
		xids, bounds := h.arrays()
		positions[p] = [3]any{pos, xids, bounds}
	}
	arguments = append(arguments, positions[others][:]...)
	arguments = append(arguments, s.longest.Seconds(), pg.UUIDs(m.deferred))
	arguments = append(arguments, positions[backlog][:]...)
	arguments = append(arguments, min(s.backlog, s.limit))
	batch := &pgx.Batch{}
	batch.Queue(lockLane, LaneLockClass, lane, positions[others][0], pg.UUIDs(m.deferred))
	batch.Queue(claimLane, arguments...)
	batch.Queue(unpin)
	results := tx.SendBatch(ctx, batch)
	c, err := readClaim(results, s.limit)
	if closeErr := results.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return claimed{}, fmt.Errorf("claim lane %d: %w", lane, err)
	}
	c.measure(s)
	return c, nil
}

// measure sets what a claim says of the parts.
func (c *claimed) measure(s scope) {
	var rows [parts]int
	for i := range c.items {
		if !c.items[i].parked {
			rows[c.items[i].part]++
		}
	}
	filled := len(c.items) == s.limit
	c.read = [parts]bool{others: true, backlog: s.backlog > 0}
	c.cut = [parts]bool{
		others:  filled && rows[backlog] == 0,
		backlog: c.read[backlog] && (filled || rows[backlog] == min(s.backlog, s.limit)),
	}
}

func readClaim(results pgx.BatchResults, limit int) (claimed, error) {
	var (
		c      claimed
		text   string // of the snapshot
		item   Item
		place  int32  // the part, or -1 for a parked row
		sorted = true // as the plan usually returns them
	)
	err := results.QueryRow().Scan(&c.held, &c.readOnly, &text, &c.origin.server,
		(*zeronull.Int8)(&c.origin.lastSeq), (*zeronull.Int8)(&c.top))
	if err != nil {
		return claimed{}, err
	}
	if c.snapshot, err = parseSnapshot(text); err != nil {
		return claimed{}, err
	}
	c.origin.xmax = c.snapshot.xmax
	rows, err := results.Query()
	if err != nil {
		return claimed{}, err
	}
	defer rows.Close()
	targets := append([]any{
		&item.Seq, &item.ctid, &place, &item.blocked, &item.Attempts, &item.Channels,
		(*zeronull.UUID)(&item.ID), (*zeronull.UUID)(&item.TenantID), (*zeronull.UUID)(&item.ResourceID),
		&item.RecordedAt,
	}, pglog.DeliveryTargets(&item.Activity)...)
	for rows.Next() {
		item = Item{}
		if err := rows.Scan(targets...); err != nil {
			return claimed{}, err
		}
		item.missing = item.Visibility == "" // which every activity in the log has
		if item.parked = place < 0; !item.parked {
			item.part = part(place)
		}
		if n := len(c.items); n > 0 && inOrder(&c.items[n-1], &item) > 0 {
			sorted = false
		}
		if c.items == nil {
			c.items = make([]Item, 0, limit)
		}
		c.items = append(c.items, item)
	}
	if !sorted {
		slices.SortFunc(c.items, func(a, b Item) int { return inOrder(&a, &b) })
	}
	return c, rows.Err()
}

// inOrder compares claimed items: parked ones come first, then those of the parts, each by seq.
func inOrder(a, b *Item) int {
	place := func(i *Item) int {
		if i.parked {
			return -1
		}
		return int(i.part)
	}
	return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.Seq, b.Seq))
}

// arrays returns the running transactions as two arrays. Transaction ids are text, since xid8 has
// no binary form that pgx supports.
func (h *hints) arrays() (xids []string, bounds []int64) {
	xids, bounds = make([]string, 0, len(h.running)), make([]int64, 0, len(h.running))
	for xid, bound := range h.running {
		xids, bounds = append(xids, strconv.FormatUint(xid, 10)), append(bounds, bound)
	}
	return xids, bounds
}
