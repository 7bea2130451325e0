package outbox

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// probe selects the parts of lanes that have a row to claim, by their numbers, and whether a
// fan-out job is due. It reads at most one row of each part, but passes those of the deferred
// tenants that were recorded since the lane's last claim. The next transaction's id is read after
// the last value of the sequence.
var probe = `
SELECT pg_current_snapshot()::text,
       CASE WHEN now.last_seq IS NULL THEN 0 ELSE age(pg_snapshot_xmax(pg_current_snapshot())::xid) END,
       now.server, now.last_seq, extract(epoch FROM clock_timestamp()),
       EXISTS (SELECT FROM fanfare.parked) OR EXISTS (SELECT FROM fanfare.fan_out_jobs),
       EXISTS (SELECT FROM fanfare.fan_out_jobs AS j WHERE ` + jobIsDue("$9::float8") + `), ARRAY(
    SELECT l.n::int
    FROM unnest($1::smallint[], $2::boolean[], $3::bigint[]) WITH ORDINALITY AS l(lane, backlog, pos, n)
    LEFT JOIN (
        SELECT r.n, min(r.bound) AS bound
        FROM unnest($4::int[], $5::text[]::xid8[], $6::bigint[]) AS r(n, xid, bound)
        WHERE pg_visible_in_snapshot(r.xid, pg_current_snapshot())
        GROUP BY r.n
    ) AS r ON r.n = l.n
    LEFT JOIN (
        SELECT d.lane, array_agg(d.tenant) AS tenants
        FROM unnest($7::smallint[], $8::uuid[]) AS d(lane, tenant)
        GROUP BY d.lane
    ) AS d ON d.lane = l.lane
    WHERE EXISTS (
        SELECT FROM fanfare.outbox AS o
        WHERE o.lane = l.lane AND o.seq > least(l.pos, r.bound)
          AND (d.tenants IS NOT NULL AND o.tenant_id = ANY (d.tenants)) = l.backlog)
    OR NOT l.backlog AND EXISTS (
        SELECT FROM fanfare.parked AS p WHERE p.lane = l.lane AND ` + isDue("$9::float8") + `))
FROM (SELECT ` + selectOrigin + ` OFFSET 0) AS now`

// pinProbe sets what holds for the implicit transaction of a batch of two statements.
const pinProbe = `SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true),
	set_config('enable_bitmapscan', 'off', true),
	set_config('plan_cache_mode', 'force_generic_plan', true), set_config('statement_timeout', '8s', true)`

// workIn reports which parts of a lane have a row to claim.
type workIn [parts]bool

// probed is the result of a probe.
type probed struct {
	lanes    map[int]workIn // those that have work
	jobs     bool           // a fan-out job is due
	waiting  bool           // an activity is parked, or a fan-out job exists
	sequence bool           // origin.lastSeq is known
	nextXID  uint64         // above the ids of the transactions that have a seq up to origin.lastSeq
	snapshot snapshot       // in which the other lanes have no work
	origin   origin
	clock    time.Time // of the server
}

const (
	// passAfter is how far a lane's hints may be behind the sequence before a probe that finds
	// nothing moves them there. It bounds the rows of open transactions that the next probes pass.
	passAfter = 10_000
	// passBeside is the maximum number of running transactions with which it does. Each becomes a
	// parameter of the next probes, for each lane.
	passBeside = 1000
)

// asClaim returns what the probe says of a lane without work whose hints are at pos, as a claim
// that found nothing. If they are more than after behind the last value of the sequence, the lane
// counts as seen up to there: a row that appears later is of a transaction that the snapshot lists,
// or whose id is from its xmax on and below nextXID.
func (p *probed) asClaim(pos, after int64) claimed {
	c := claimed{snapshot: p.snapshot, origin: p.origin, read: [parts]bool{true, true}}
	running := uint64(len(p.snapshot.running)) + p.nextXID - p.snapshot.xmax
	if p.origin.lastSeq-pos > after && running <= passBeside {
		c.top = p.origin.lastSeq
	}
	return c
}

// probeArguments are the parameters of the statement probe, but for the last.
type probeArguments struct {
	lanes     []int16 // of each part that is probed
	backlogs  []bool
	positions []int64

	runningParts []int32 // of each running transaction
	xids         []string
	bounds       []int64

	deferredLanes []int16 // of each deferred tenant
	deferred      []uuid.UUID
}

func (a *probeArguments) add(lane int, p part, h *hints) {
	a.lanes, a.backlogs = append(a.lanes, int16(lane)), append(a.backlogs, p == backlog)
	a.positions = append(a.positions, h.pos)
	for xid, bound := range h.running {
		a.runningParts = append(a.runningParts, int32(len(a.lanes)))
		a.xids, a.bounds = append(a.xids, strconv.FormatUint(xid, 10)), append(a.bounds, bound)
	}
}

// probeLanes probes lanes: of the queued ones, whether others than the deferred tenants have work.
// It takes one round trip.
func probeLanes(ctx context.Context, pool *pgxpool.Pool, targets []target, longest time.Duration) (probed, error) {
	var a probeArguments
	for i := range targets {
		t := &targets[i]
		a.add(t.number, others, &t.memory.hints[others])
		if len(t.memory.deferred) > 0 && !t.queued {
			a.add(t.number, backlog, &t.memory.hints[backlog])
		}
		for _, tenant := range t.memory.deferred {
			a.deferredLanes, a.deferred = append(a.deferredLanes, int16(t.number)), append(a.deferred, tenant)
		}
	}
	batch := &pgx.Batch{}
	batch.Queue(pinProbe)
	var (
		p     probed
		text  string
		epoch float64
		ahead int32 // ids from the snapshot's xmax to the next one
		seq   *int64
		found []int32
	)
	batch.Queue(probe, a.lanes, a.backlogs, a.positions, a.runningParts, a.xids, a.bounds,
		a.deferredLanes, pg.UUIDs(a.deferred), longest.Seconds()).
		QueryRow(func(row pgx.Row) error {
			return row.Scan(&text, &ahead, &p.origin.server, &seq, &epoch, &p.waiting, &p.jobs, &found)
		})
	if err := pool.SendBatch(ctx, batch).Close(); err != nil {
		return probed{}, fmt.Errorf("probe the lanes: %w", err)
	}
	var err error
	if p.snapshot, err = parseSnapshot(text); err != nil {
		return probed{}, err
	}
	if seq != nil {
		p.origin.lastSeq, p.sequence = *seq, true
	}
	p.nextXID = p.snapshot.xmax + uint64(max(ahead, 0))
	p.origin.xmax, p.clock = p.snapshot.xmax, time.UnixMicro(int64(epoch*1e6))
	p.lanes = make(map[int]workIn, len(found))
	for _, n := range found {
		lane, in := int(a.lanes[n-1]), others
		if a.backlogs[n-1] {
			in = backlog
		}
		w := p.lanes[lane]
		w[in] = true
		p.lanes[lane] = w
	}
	return p, nil
}
