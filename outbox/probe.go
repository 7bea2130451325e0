package outbox

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// probe selects the lanes that have a row to claim. It reads at most one row of each.
const probe = `
SELECT pg_current_snapshot()::text, ARRAY(
    SELECT l.lane
    FROM unnest($1::smallint[], $2::bigint[]) AS l(lane, pos)
    WHERE EXISTS (
        SELECT FROM fanfare.outbox AS o
        WHERE o.lane = l.lane AND o.seq > least(l.pos, (
            SELECT min(r.bound)
            FROM unnest($3::smallint[], $4::text[]::xid8[], $5::bigint[]) AS r(lane, xid, bound)
            WHERE r.lane = l.lane AND pg_visible_in_snapshot(r.xid, pg_current_snapshot()))))
    OR EXISTS (SELECT FROM fanfare.parked AS p WHERE p.lane = l.lane AND p.retry_at <= clock_timestamp()))`

// pinProbe sets what holds for the implicit transaction of a batch of two statements.
const pinProbe = `SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true),
	set_config('plan_cache_mode', 'force_generic_plan', true), set_config('statement_timeout', '20s', true)`

// probeLanes returns the lanes that have work, and the snapshot in which the other lanes have none.
// It takes one round trip.
func probeLanes(ctx context.Context, pool *pgxpool.Pool, lanes []*lane) (map[int]bool, snapshot, error) {
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
	var text string
	var found []int16
	batch.Queue(probe, numbers, positions, runningLanes, xids, bounds).QueryRow(func(row pgx.Row) error {
		return row.Scan(&text, &found)
	})
	if err := pool.SendBatch(ctx, batch).Close(); err != nil {
		return nil, snapshot{}, fmt.Errorf("probe the lanes: %w", err)
	}
	s, err := parseSnapshot(text)
	if err != nil {
		return nil, snapshot{}, err
	}
	busy := make(map[int]bool, len(found))
	for _, number := range found {
		busy[int(number)] = true
	}
	return busy, s, nil
}
