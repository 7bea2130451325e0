package outbox

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"
	"github.com/jackc/pgx/v5/pgxpool"
)

// probe selects the lanes that have a row to claim, and whether a fan-out job is due. It reads at
// most one row of each lane.
var probe = `
SELECT pg_current_snapshot()::text,` + selectOrigin + `, extract(epoch FROM clock_timestamp()),
       EXISTS (SELECT FROM fanfare.fan_out_jobs AS j WHERE ` + jobIsDue("$6::float8") + `), ARRAY(
    SELECT l.lane
    FROM unnest($1::smallint[], $2::bigint[]) AS l(lane, pos)
    WHERE EXISTS (
        SELECT FROM fanfare.outbox AS o
        WHERE o.lane = l.lane AND o.seq > least(l.pos, (
            SELECT min(r.bound)
            FROM unnest($3::smallint[], $4::text[]::xid8[], $5::bigint[]) AS r(lane, xid, bound)
            WHERE r.lane = l.lane AND pg_visible_in_snapshot(r.xid, pg_current_snapshot()))))
    OR EXISTS (SELECT FROM fanfare.parked AS p WHERE p.lane = l.lane AND ` + isDue("$6::float8") + `))`

// pinProbe sets what holds for the implicit transaction of a batch of two statements.
const pinProbe = `SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true),
	set_config('plan_cache_mode', 'force_generic_plan', true), set_config('statement_timeout', '8s', true)`

// probed is the result of a probe.
type probed struct {
	lanes    map[int]bool // that have work
	jobs     bool         // a fan-out job is due
	snapshot snapshot     // in which the other lanes have no work
	origin   origin
	clock    time.Time // of the server
}

// probeLanes probes the lanes. It takes one round trip.
func probeLanes(ctx context.Context, pool *pgxpool.Pool, lanes []*lane, longest time.Duration) (probed, error) {
	var (
		numbers, runningLanes []int16
		positions, bounds     []int64
		xids                  []string
	)
	for _, l := range lanes {
		numbers, positions = append(numbers, int16(l.number)), append(positions, l.hints.pos)
		for xid, bound := range l.hints.running {
			runningLanes = append(runningLanes, int16(l.number))
			xids, bounds = append(xids, strconv.FormatUint(xid, 10)), append(bounds, bound)
		}
	}
	batch := &pgx.Batch{}
	batch.Queue(pinProbe)
	var (
		p     probed
		text  string
		epoch float64
		found []int16
	)
	batch.Queue(probe, numbers, positions, runningLanes, xids, bounds, longest.Seconds()).
		QueryRow(func(row pgx.Row) error {
			return row.Scan(&text, &p.origin.server, (*zeronull.Int8)(&p.origin.lastSeq), &epoch, &p.jobs, &found)
		})
	if err := pool.SendBatch(ctx, batch).Close(); err != nil {
		return probed{}, fmt.Errorf("probe the lanes: %w", err)
	}
	var err error
	if p.snapshot, err = parseSnapshot(text); err != nil {
		return probed{}, err
	}
	p.origin.xmax, p.clock = p.snapshot.xmax, time.UnixMicro(int64(epoch*1e6))
	p.lanes = make(map[int]bool, len(found))
	for _, number := range found {
		p.lanes[int(number)] = true
	}
	return p, nil
}
