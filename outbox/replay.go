package outbox

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// Replay moves up to limit dead letters of a tenant to the end of the outbox, the oldest first, and
// returns their number; uuid.Nil selects every tenant. A replayed activity is published only to the
// channels that it has not reached, while it counts its attempts anew.
func Replay(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, f DeadFilter, limit int) (int64, error) {
	n, err := takeDead(ctx, tx, tenant, f, limit, `
		INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at, channels)
		SELECT lane, activity_id, tenant_id, resource_id, recorded_at, channels FROM taken ORDER BY seq
		RETURNING 1`)
	if err != nil {
		return 0, fmt.Errorf("replay: %w", err)
	}
	return n, nil
}

// Discard removes up to limit dead letters of a tenant, the oldest first, and returns their number;
// uuid.Nil selects every tenant. Their activities stay in the log and are never delivered.
func Discard(ctx context.Context, tx pgx.Tx, tenant uuid.UUID, f DeadFilter, limit int) (int64, error) {
	n, err := takeDead(ctx, tx, tenant, f, limit, `SELECT FROM taken`)
	if err != nil {
		return 0, fmt.Errorf("discard: %w", err)
	}
	return n, nil
}

// takeDead removes dead letters, and returns the number of rows of a statement that reads them as
// the relation taken.
func takeDead(
	ctx context.Context, tx pgx.Tx, tenant uuid.UUID, f DeadFilter, limit int, use string,
) (n int64, err error) {
	s := selectDead(tenant, f)
	err = tx.QueryRow(ctx, `
		WITH chosen AS (
		    SELECT d.activity_id
		    FROM `+deadLetters+`
		    WHERE `+s.where()+`
		    ORDER BY d.died_at, d.activity_id
		    LIMIT `+s.arg(limit)+`
		    FOR UPDATE OF d
		), taken AS (
		    DELETE FROM fanfare.dead_letters AS d USING chosen AS c WHERE d.activity_id = c.activity_id
		    RETURNING d.*
		), used AS (`+use+`)
		SELECT count(*) FROM used`, s.args...).Scan(&n)
	return n, err
}

// CountDead counts the dead letters of a tenant, up to limit; uuid.Nil selects every tenant.
func CountDead(ctx context.Context, db pg.Querier, tenant uuid.UUID, f DeadFilter, limit int) (int64, error) {
	s := selectDead(tenant, f)
	rows, err := db.Query(ctx, `
		SELECT count(*)
		FROM (SELECT FROM `+deadLetters+` WHERE `+s.where()+` LIMIT `+s.arg(limit)+`) AS letter`, s.args...)
	if err != nil {
		return 0, fmt.Errorf("count the dead letters: %w", err)
	}
	n, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
	if err != nil {
		return 0, fmt.Errorf("count the dead letters: %w", err)
	}
	return n, nil
}

// DeadTenants returns the tenants that have dead letters which pass the filter, up to limit, in the
// order of their ids and after one of them.
func (b *Backlog) DeadTenants(ctx context.Context, f DeadFilter, after uuid.UUID, limit int) ([]uuid.UUID, error) {
	s := selectDead(uuid.Nil, f)
	rows, err := b.pool.Query(ctx, `
		SELECT DISTINCT d.tenant_id
		FROM `+deadLetters+`
		WHERE `+s.where()+` AND d.tenant_id > `+s.arg(after)+`
		ORDER BY d.tenant_id
		LIMIT `+s.arg(limit), s.args...)
	if err != nil {
		return nil, fmt.Errorf("list the tenants of dead letters: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
}

// Replay moves the tenant's dead letter of an activity to the end of the outbox, as the function
// Replay does; an id of uuid.Nil selects every dead letter of the tenant, a tenant of uuid.Nil
// every tenant. The error wraps activity.ErrNotFound if the one selected activity has no dead
// letter.
func (b *Backlog) Replay(ctx context.Context, tenant, id uuid.UUID) (replayed int64, err error) {
	const all = 1 << 30
	err = inTx(ctx, b.pool, func(tx pgx.Tx) error {
		replayed, err = Replay(ctx, tx, tenant, DeadFilter{ActivityID: id}, all)
		return err
	})
	if err == nil && replayed == 0 && id != uuid.Nil {
		return 0, fmt.Errorf("dead letter %s: %w", id, activity.ErrNotFound)
	}
	return replayed, err
}
