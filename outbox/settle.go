package outbox

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// settlement is the plan of what a claim's transaction writes at its end.
type settlement struct {
	lane    int
	outbox  []pgtype.TID // the ctids of the rows that leave the table outbox
	parked  []int64      // the seqs that leave the table parked
	park    []pendingRow
	dead    []pendingRow
	jobs    []pendingRow
	touched map[resourceKey]bool // the resources whose queue of parked rows changes

	removed [parts]removal
	pending error // why items stay where they are; nil if none does
}

// removal is what a settlement removes of one part of a lane.
type removal struct {
	rows int
	last int64 // every claimed seq of the part up to here leaves the outbox
	cut  bool  // visible rows remain
}

type resourceKey struct{ tenant, resource uuid.UUID }

// pendingRow is a row of parked, dead_letters or fan_out_jobs. The statements below read its JSON
// form.
type pendingRow struct {
	Lane       int       `json:"lane"`
	Seq        int64     `json:"seq"`
	ActivityID uuid.UUID `json:"activity_id"`
	TenantID   uuid.UUID `json:"tenant_id"`
	ResourceID uuid.UUID `json:"resource_id"`
	RecordedAt time.Time `json:"recorded_at"`
	Attempts   int       `json:"attempts"`
	Wait       float64   `json:"wait"` // seconds until the next attempt; below zero: blocked by another row
	Channels   []string  `json:"channels"`
	Error      string    `json:"error"`
}

// pendingRow returns the item's row, unchanged and without a time of its next attempt.
func (item *Item) pendingRow(lane int) pendingRow {
	return pendingRow{
		Lane: lane, Seq: item.Seq, ActivityID: item.ID, TenantID: item.TenantID, ResourceID: item.ResourceID,
		RecordedAt: item.RecordedAt, Attempts: item.Attempts, Channels: item.Channels, Wait: -1,
	}
}

// plan turns the outcomes of a prefix of the items into a settlement. It is pure but for random,
// the source of the jitter. Items that stay pending are among those that leave, but follow them
// within their resource.
func plan(lane int, items []Item, outcomes []Outcome, cut [parts]bool, r Retries, random func() float64) settlement {
	s := settlement{lane: lane, touched: map[resourceKey]bool{}}
	stay := [parts]int64{math.MaxInt64, math.MaxInt64} // the lowest seq of each part that stays in the outbox
	for p := range parts {
		s.removed[p].cut = cut[p]
	}
	for _, item := range items[len(outcomes):] {
		s.removed[item.part].cut = true
	}
	for i, o := range outcomes {
		item := items[i]
		if o.Verdict == Pending {
			s.pending = cmp.Or(s.pending, o.Err, ErrUnavailable)
			s.removed[item.part].cut = true
			if !item.parked {
				stay[item.part] = min(stay[item.part], item.Seq)
			}
			continue
		}
		key := resourceKey{item.TenantID, item.ResourceID}
		row := item.pendingRow(lane)
		if o.Channels != nil {
			row.Channels = o.Channels
		}
		if o.Err != nil {
			row.Error = o.Err.Error()
		}
		stays := false
		switch o.Verdict {
		case Retry:
			row.Attempts++
			if row.Attempts >= r.MaxAttempts {
				s.dead = append(s.dead, row)
				break
			}
			row.Wait = r.wait(row.Attempts, random).Seconds()
			s.park, stays = append(s.park, row), true
		case DeadLettered:
			row.Attempts++
			s.dead = append(s.dead, row)
		case FanOutJob:
			s.jobs = append(s.jobs, row)
		case Blocked:
			s.park, stays = append(s.park, row), true
		}
		if item.parked || o.Verdict == Retry || o.Verdict == Blocked || o.Verdict == FanOutJob {
			s.touched[key] = true
		}
		switch {
		case !item.parked:
			s.outbox = append(s.outbox, item.ctid)
			s.removed[item.part].rows++
			s.removed[item.part].last = item.Seq
		case !stays:
			s.parked = append(s.parked, item.Seq)
		}
	}
	for p := range parts {
		s.removed[p].last = min(s.removed[p].last, stay[p]-1)
	}
	return s
}

// empty reports whether the settlement changes nothing.
func (s settlement) empty() bool {
	return len(s.outbox)+len(s.parked)+len(s.park)+len(s.dead)+len(s.jobs) == 0
}

const (
	// By ctid, which no plan can turn into a scan of the lane's dead rows: by its statistics the
	// table is empty, and "seq = ANY (…)" becomes a filter on all of them. A ctid holds for the
	// claim's transaction: rows are never updated, and a rewrite of the table waits for it.
	removeOutbox = `DELETE FROM fanfare.outbox WHERE ctid = ANY($1::tid[])`
	removeParked = `
DELETE FROM fanfare.parked AS p USING unnest($2::bigint[]) AS s(seq) WHERE p.lane = $1 AND p.seq = s.seq`

	addParked = `
INSERT INTO fanfare.parked AS p (
    lane, seq, activity_id, tenant_id, resource_id, recorded_at, attempts, retry_at, channels, error)
SELECT r.lane, r.seq, r.activity_id, r.tenant_id, r.resource_id, r.recorded_at, r.attempts,
       CASE WHEN r.wait >= 0 THEN clock_timestamp() + make_interval(secs => r.wait) END, r.channels, r.error
FROM jsonb_to_recordset($1) AS r(
    lane smallint, seq bigint, activity_id uuid, tenant_id uuid, resource_id uuid, recorded_at timestamptz,
    attempts int, wait float8, channels text[], error text)
ON CONFLICT (lane, seq) DO UPDATE
SET attempts = excluded.attempts, retry_at = excluded.retry_at, channels = excluded.channels, error = excluded.error`

	addDead = `
INSERT INTO fanfare.dead_letters (
    activity_id, lane, seq, tenant_id, resource_id, recorded_at, attempts, channels, error)
SELECT r.activity_id, r.lane, r.seq, r.tenant_id, r.resource_id, r.recorded_at, r.attempts, r.channels, r.error
FROM jsonb_to_recordset($1) AS r(
    lane smallint, seq bigint, activity_id uuid, tenant_id uuid, resource_id uuid, recorded_at timestamptz,
    attempts int, channels text[], error text)
ON CONFLICT (activity_id) DO UPDATE
SET died_at = now(), attempts = excluded.attempts, channels = excluded.channels, error = excluded.error`

	addJobs = `
INSERT INTO fanfare.fan_out_jobs (activity_id, lane, seq, tenant_id, resource_id, recorded_at, channels)
SELECT r.activity_id, r.lane, r.seq, r.tenant_id, r.resource_id, r.recorded_at, r.channels
FROM jsonb_to_recordset($1) AS r(
    lane smallint, seq bigint, activity_id uuid, tenant_id uuid, resource_id uuid, recorded_at timestamptz,
    channels text[])
ON CONFLICT (activity_id) DO NOTHING`

	// release orders the parked rows of the touched resources: a row waits without a retry_at while
	// a fan-out job, a failed row or a row with a retry_at in the future precedes it; every other
	// row is due now.
	release = `
WITH touched AS (
    SELECT tenant_id, resource_id FROM unnest($1::uuid[], $2::uuid[]) AS t(tenant_id, resource_id)
), ordered AS (
    SELECT p.lane, p.seq, p.retry_at,
           EXISTS (SELECT FROM fanfare.fan_out_jobs AS j
                   WHERE j.tenant_id = p.tenant_id AND j.resource_id = p.resource_id AND j.seq < p.seq)
           OR coalesce(bool_or(p.attempts > 0 OR p.retry_at > clock_timestamp()) OVER (
                PARTITION BY p.tenant_id, p.resource_id ORDER BY p.seq
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS blocked
    FROM touched JOIN fanfare.parked AS p USING (tenant_id, resource_id)
)
UPDATE fanfare.parked AS p
SET retry_at = CASE WHEN o.blocked THEN NULL ELSE clock_timestamp() END
FROM ordered AS o
WHERE p.lane = o.lane AND p.seq = o.seq AND o.blocked = (o.retry_at IS NOT NULL)`
)

// apply executes the settlement in one round trip and returns the transaction's id.
func (s settlement) apply(ctx context.Context, tx pgx.Tx) (self uint64, err error) {
	batch := &pgx.Batch{}
	if len(s.outbox) > 0 {
		batch.Queue(removeOutbox, s.outbox).Exec(func(tag pgconn.CommandTag) error {
			if n := tag.RowsAffected(); n != int64(len(s.outbox)) {
				return fmt.Errorf("%d of %d claimed rows are at their ctid", n, len(s.outbox))
			}
			return nil
		})
	}
	if len(s.parked) > 0 {
		batch.Queue(removeParked, s.lane, s.parked)
	}
	for _, rows := range []struct {
		statement string
		pending   []pendingRow
	}{{addParked, s.park}, {addDead, s.dead}, {addJobs, s.jobs}} {
		if len(rows.pending) == 0 {
			continue
		}
		body, err := json.Marshal(rows.pending)
		if err != nil {
			return 0, fmt.Errorf("settle lane %d: %w", s.lane, err)
		}
		batch.Queue(rows.statement, string(body))
	}
	if len(s.touched) > 0 {
		queueRelease(batch, s.touched)
	}
	var text string
	batch.Queue("SELECT pg_current_xact_id()::text").QueryRow(func(row pgx.Row) error { return row.Scan(&text) })
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return 0, fmt.Errorf("settle lane %d: %w", s.lane, err)
	}
	if self, err = strconv.ParseUint(text, 10, 64); err != nil {
		return 0, fmt.Errorf("settle lane %d: transaction id %q: %w", s.lane, text, err)
	}
	return self, nil
}

// queueRelease queues the statement release for some resources.
func queueRelease(batch *pgx.Batch, touched map[resourceKey]bool) {
	tenants, resources := make([][16]byte, 0, len(touched)), make([][16]byte, 0, len(touched))
	for key := range touched {
		tenants, resources = append(tenants, key.tenant), append(resources, key.resource)
	}
	batch.Queue(release, tenants, resources)
}
