package retention

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity/actions/builtin"
	"github.com/fanfarehq/fanfare/internal/uuidv7"
)

// recordPurged records the removed rows that are not recorded yet, of this run or an earlier one,
// tenant by tenant. A tenant whose log refuses the record is skipped until the next run, one that
// is being moved until it has been.
func (r *run) recordPurged(ctx context.Context) error {
	var refusals []error
	for after := uuid.Nil; ; {
		var tenant uuid.UUID
		err := pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `SELECT fanfare.retention_step($1)`, r.RunID); err != nil {
				return err
			}
			var (
				p     builtin.RetentionPurged
				below *uuid.UUID
			)
			err := tx.QueryRow(ctx, `
				DELETE FROM fanfare.retention_unrecorded AS u
				WHERE u.tenant_id = (
					SELECT n.tenant_id FROM fanfare.retention_unrecorded AS n
					WHERE n.tenant_id > $1 AND ($2::uuid IS NULL OR n.tenant_id = $2)
						AND NOT EXISTS (
							SELECT FROM fanfare.tenant_moves AS m
							WHERE m.tenant_id = n.tenant_id AND m.step <> 'opened'
						)
					ORDER BY n.tenant_id
					LIMIT 1
				)
				RETURNING u.tenant_id, u.run_id, u.activities, u.notifications, u.idempotency_keys, u.dead_letters,
					u.parked, u.service_tokens, u.batches, u.partitions, u.below, u.began_at`,
				after, nullIfNil(r.only)).
				Scan(&tenant, &p.RunID, &p.Activities, &p.Notifications, &p.IdempotencyKeys,
					&p.DeadLetters, &p.Parked, &p.ServiceTokens, &p.Batches, &p.Partitions, &below, &p.BeganAt)
			if err != nil {
				return err
			}
			policy, err := Get(ctx, tx, tenant)
			if err != nil {
				return err
			}
			p.Policy, p.BeganAt = policy.values(), p.BeganAt.UTC()
			if below != nil {
				p.Before = uuidv7.Time(*below)
			}
			e := p.On(tenant, tenant)
			e.CorrelationID = p.RunID
			return record(ctx, tx, actor(ctx), e)
		})
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return errors.Join(refusals...)
		case err != nil && (tenant == uuid.Nil || ctx.Err() != nil):
			return errors.Join(append(refusals, fmt.Errorf("record the purged rows: %w", err))...)
		case err != nil:
			refusals = append(refusals, fmt.Errorf("record the purged rows of tenant %s: %w", tenant, err))
		}
		after = tenant
	}
}
