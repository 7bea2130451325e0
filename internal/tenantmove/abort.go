package tenantmove

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// forbid makes sure that the destination is never opened.
func (m *mover) forbid(ctx context.Context) error {
	return pgx.BeginFunc(ctx, m.Destination, func(tx pgx.Tx) error {
		return advance(ctx, tx, m.destination, m.destination.Step, Aborting, "")
	})
}

// release returns the pending activities to the source's outbox and releases the tenant there, in
// one transaction.
func (m *mover) release(ctx context.Context) error {
	err := pgx.BeginFunc(ctx, m.Source, func(tx pgx.Tx) error {
		if err := mayWrite(ctx, tx, m.source); err != nil {
			return err
		}
		if _, _, err := m.scope.Unstage(ctx, tx); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `
			DELETE FROM fanfare.tenant_moves WHERE tenant_id = $1 AND move_id = $2 AND step = $3`,
			[16]byte(m.o.Tenant), [16]byte(m.source.ID), m.source.Step)
		if err != nil {
			return fmt.Errorf("delete the source's row: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return errOvertaken
		}
		return nil
	})
	if err != nil {
		return err
	}
	return m.disarm(ctx, m.Source)
}

// discard removes the destination's copy and then its row. The row that this one replaced returns.
func (m *mover) discard(ctx context.Context) error {
	if err := m.removeAll(ctx, m.Destination, m.destination, func() {}); err != nil {
		return err
	}
	err := pgx.BeginFunc(ctx, m.Destination, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			DELETE FROM fanfare.tenant_moves WHERE tenant_id = $1 AND move_id = $2 AND step = 'aborting'
			RETURNING former::text`, [16]byte(m.o.Tenant), [16]byte(m.destination.ID))
		if err != nil {
			return err
		}
		former, err := pgx.CollectRows(rows, pgx.RowTo[*string])
		if err != nil || len(former) == 0 || former[0] == nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO fanfare.tenant_moves
			SELECT * FROM jsonb_populate_record(NULL::fanfare.tenant_moves, $1::text::jsonb)`, *former[0])
		return err
	})
	if err != nil {
		return fmt.Errorf("delete the destination's row: %w", err)
	}
	return m.disarm(ctx, m.Destination)
}
