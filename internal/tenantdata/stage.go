package tenantdata

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/outbox"
)

// Unsettled counts the tenant's activities that a worker may deliver soon: those that have not
// failed and do not wait behind one that has.
func (s *Scope) Unsettled(ctx context.Context, db pg.RowQuerier) (n int64, err error) {
	err = db.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM fanfare.outbox WHERE tenant_id = $1)
		     + (SELECT count(*) FROM fanfare.parked WHERE tenant_id = $1 AND attempts = 0 AND retry_at IS NOT NULL)
		     + (SELECT count(*) FROM fanfare.fan_out_jobs WHERE tenant_id = $1 AND attempts = 0)`,
		[16]byte(s.Tenant)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the pending activities: %w", err)
	}
	return n, nil
}

// Stage takes the tenant's pending activities and dead letters out of the reach of workers, into
// fanfare.tenant_move_rows. It locks their lanes first: no worker is delivering them then. The
// tenant must be frozen, so that no other lane can get a row. A step of a fan-out job that is under
// way has its row locked, which the caller's lock_timeout must allow for.
func (s *Scope) Stage(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, `
		SELECT pg_advisory_xact_lock($2::int, lane)
		FROM (
		    SELECT lane FROM fanfare.outbox WHERE tenant_id = $1
		    UNION SELECT lane FROM fanfare.parked WHERE tenant_id = $1
		    UNION SELECT lane FROM fanfare.fan_out_jobs WHERE tenant_id = $1
		    ORDER BY lane OFFSET 0
		) AS l`, [16]byte(s.Tenant), outbox.LaneLockClass); err != nil {
		return fmt.Errorf("lock the lanes: %w", err)
	}
	for _, t := range Tables() {
		if t.Kind != Pending {
			continue
		}
		_, err := tx.Exec(ctx, fmt.Sprintf(`
			WITH taken AS (DELETE FROM fanfare.%[1]s AS x WHERE %[2]s RETURNING x.*)
			INSERT INTO fanfare.tenant_move_rows (tenant_id, from_table, activity_id, seq, content)
			SELECT t.tenant_id, '%[1]s', t.activity_id, t.seq, to_jsonb(t) FROM taken AS t`, t.Name, s.of("x")))
		if err != nil {
			return fmt.Errorf("take the rows of fanfare.%s: %w", t.Name, err)
		}
	}
	return nil
}

// unstage returns all rows in the order of their seq, with new ones. A seq that was assigned before
// would be below the positions of the workers, which do not look there until their next sweep. The
// transaction has its id before it takes a seq, as the workers' hints require.
const unstage = `
WITH numbered AS MATERIALIZED (
    SELECT r.from_table, r.content, nextval('fanfare.outbox_seq_seq') AS seq
    FROM (
        SELECT x.from_table, x.content FROM fanfare.tenant_move_rows AS x
        WHERE x.tenant_id = $1
        ORDER BY x.seq, x.from_table
    ) AS r
), pending AS (
    INSERT INTO fanfare.outbox (lane, seq, activity_id, tenant_id, resource_id, recorded_at, channels)
    OVERRIDING SYSTEM VALUE
    SELECT c.lane, n.seq, c.activity_id, c.tenant_id, c.resource_id, c.recorded_at, c.channels
    FROM numbered AS n CROSS JOIN LATERAL jsonb_populate_record(NULL::fanfare.outbox, n.content) AS c
    WHERE n.from_table = 'outbox'
    RETURNING 1
), parked AS (
    INSERT INTO fanfare.parked
    SELECT c.*
    FROM numbered AS n
    CROSS JOIN LATERAL jsonb_populate_record(
        NULL::fanfare.parked, n.content || jsonb_build_object('seq', n.seq)) AS c
    WHERE n.from_table = 'parked'
    RETURNING 1
), jobs AS (
    INSERT INTO fanfare.fan_out_jobs
    SELECT c.*
    FROM numbered AS n
    CROSS JOIN LATERAL jsonb_populate_record(
        NULL::fanfare.fan_out_jobs, n.content || jsonb_build_object('seq', n.seq)) AS c
    WHERE n.from_table = 'fan_out_jobs'
    RETURNING 1
), dead AS (
    INSERT INTO fanfare.dead_letters
    SELECT c.*
    FROM numbered AS n
    CROSS JOIN LATERAL jsonb_populate_record(
        NULL::fanfare.dead_letters, n.content || jsonb_build_object('seq', n.seq)) AS c
    WHERE n.from_table = 'dead_letters'
    RETURNING 1
)
SELECT (SELECT count(*) FROM pending) + (SELECT count(*) FROM parked) + (SELECT count(*) FROM jobs),
       (SELECT count(*) FROM dead)`

// Unstage puts the rows that Stage took into the tables of the caller's database, in their order,
// and returns the numbers of pending activities and of dead letters.
func (s *Scope) Unstage(ctx context.Context, tx pgx.Tx) (pending, dead int, err error) {
	if _, err := tx.Exec(ctx, `SELECT pg_current_xact_id()`); err != nil {
		return 0, 0, fmt.Errorf("begin to return the pending activities: %w", err)
	}
	if err := tx.QueryRow(ctx, unstage, [16]byte(s.Tenant)).Scan(&pending, &dead); err != nil {
		return 0, 0, fmt.Errorf("return the pending activities: %w", err)
	}
	_, err = tx.Exec(ctx, `DELETE FROM fanfare.tenant_move_rows WHERE tenant_id = $1`, [16]byte(s.Tenant))
	if err != nil {
		return 0, 0, fmt.Errorf("return the pending activities: %w", err)
	}
	return pending, dead, nil
}

// CopyStaged replaces the destination's staged rows by the source's, and compares them. It returns
// their number.
func (p *Pair) CopyStaged(ctx context.Context) (int64, error) {
	rows, _, err := p.SettleRows(ctx, named("tenant_move_rows"))
	return rows, err
}
