package tenantmove

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/actions/builtin"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/tenantdata"
	"github.com/fanfarehq/fanfare/internal/wait"
	"github.com/fanfarehq/fanfare/outbox"
)

// open puts the pending activities into the destination's outbox and releases the tenant there, in
// one transaction, which is the switch.
func (m *mover) open(ctx context.Context) error {
	err := m.write(ctx, func(tx pgx.Tx) error {
		pending, dead, err := m.scope.Unstage(ctx, tx)
		if err != nil {
			return err
		}
		moved := builtin.TenantMoved{
			MoveID: m.source.ID, StartedAt: m.source.StartedAt, FrozenAt: *m.source.FrozenAt,
			Activities: int(m.source.Copied["activities"]), Notifications: int(m.source.Copied["notifications"]),
			Pending: pending, DeadLetters: dead,
		}
		if err := m.record(ctx, tx, moved.On(m.o.Tenant, m.o.Tenant)); err != nil {
			return err
		}
		if err := advance(ctx, tx, m.destination, Begun, Opened, ", frozen_at = NULL"); err != nil {
			return err
		}
		m.o.At(OpenedHalf)
		return nil
	})
	if err == nil {
		m.o.At(OpenedDone)
	}
	return err
}

// record records an activity about the move once, in the tenant's log.
func (m *mover) record(ctx context.Context, tx pgx.Tx, e activity.Envelope) error {
	e.ActorPrincipalID, e.CorrelationID = m.o.By, m.source.ID
	if _, err := outbox.Record(ctx, tx, e); err != nil {
		return fmt.Errorf("record %s: %w", e.Action, err)
	}
	return nil
}

// finish stores in the source that the tenant belongs to the destination.
func (m *mover) finish(ctx context.Context) error {
	err := pgx.BeginFunc(ctx, m.Source, func(tx pgx.Tx) error {
		if err := advance(ctx, tx, m.source, Verified, Moved, ", moved_at = clock_timestamp()"); err != nil {
			return err
		}
		m.o.At(MovedHalf)
		return nil
	})
	if err == nil {
		m.o.At(MovedDone)
	}
	return err
}

// clean deletes the destination's row, which no one needs any more, and the triggers.
func (m *mover) clean(ctx context.Context) error {
	_, err := m.Destination.Exec(ctx, `
		DELETE FROM fanfare.tenant_moves
		WHERE tenant_id = $1 AND move_id = $2 AND role = 'destination' AND step = 'opened'`,
		[16]byte(m.o.Tenant), [16]byte(m.source.ID))
	if err != nil {
		return fmt.Errorf("delete the destination's row: %w", err)
	}
	return m.disarm(ctx, m.Destination)
}

// awaitReaders waits until servers have noticed the switch, and have answered what they have begun
// to read from the source.
func (m *mover) awaitReaders(ctx context.Context) error {
	passed, err := m.since(ctx, *m.source.MovedAt)
	if left := m.o.ClearDelay - passed; err == nil && left > 0 {
		m.note(fmt.Sprintf("the destination is in use; the source's copy is removed in %s", left.Round(time.Second)))
		err = wait.Sleep(ctx, left)
	}
	return err
}

// clear removes the source's copy, and records that in the tenant's log.
func (m *mover) clear(ctx context.Context) error {
	if err := m.awaitReaders(ctx); err != nil {
		return err
	}
	if err := m.removeAll(ctx, m.Source, m.source, func() { m.o.At(ClearedSome) }); err != nil {
		return err
	}
	m.o.At(ClearedHalf)
	row, err := read(ctx, m.Source, m.o.Tenant)
	if err != nil {
		return err
	}
	cleared := builtin.TenantCleared{
		MoveID: m.source.ID, Activities: int(row.Removed["activities"]),
		Notifications: int(row.Removed["notifications"]), IdempotencyKeys: int(row.Removed["idempotency_keys"]),
	}
	err = pgx.BeginFunc(ctx, m.Destination, func(tx pgx.Tx) error {
		return m.record(ctx, tx, cleared.On(m.o.Tenant, m.o.Tenant))
	})
	if pg.IsFrozen(err) {
		m.note("the tenant has moved on, so the removal is not recorded in its log")
		err = nil
	}
	if err != nil {
		return err
	}
	err = pgx.BeginFunc(ctx, m.Source, func(tx pgx.Tx) error {
		return advance(ctx, tx, m.source, Moved, Cleared, ", cleared_at = clock_timestamp()")
	})
	if err == nil {
		m.o.At(ClearedDone)
	}
	return err
}

// removeAll removes the tenant's rows from a database in batches, and calls removed after each.
func (m *mover) removeAll(ctx context.Context, conn *pgx.Conn, row *Row, removed func()) error {
	remover := m.scope.NewRemover()
	for {
		numbers, err := removeSome(ctx, conn, row, remover)
		if err != nil || numbers == nil {
			return err
		}
		for table, n := range numbers {
			m.copied += n
			m.report(table, "")
		}
		removed()
	}
}

// removeSome removes a batch of the tenant's rows from a database, and adds the numbers to its row.
func removeSome(
	ctx context.Context, conn *pgx.Conn, row *Row, remover *tenantdata.Remover,
) (removed tenantdata.Removed, err error) {
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := mayWrite(ctx, tx, row); err != nil {
			return err
		}
		if removed, err = remover.Some(ctx, tx); err != nil || removed == nil {
			return err
		}
		for table, n := range removed {
			_, err := tx.Exec(ctx, `
				UPDATE fanfare.tenant_moves
				SET removed = coalesce(removed, '{}') || jsonb_build_object(
				    $3::text, coalesce((removed ->> $3)::bigint, 0) + $4::bigint)
				WHERE tenant_id = $1 AND move_id = $2`, [16]byte(row.Tenant), [16]byte(row.ID), table, n)
			if err != nil {
				return fmt.Errorf("store the numbers of removed rows: %w", err)
			}
		}
		return nil
	})
	return removed, err
}
