package tenantmove

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/tenantdata"
	"github.com/fanfarehq/fanfare/internal/wait"
)

// The passes over the tables before the freeze: they end when one of them has copied less than this
// number of rows, so that little is left for the time of the freeze, or not less than half of the
// pass before.
const (
	maxPasses = 6
	fewRows   = 5000
)

func (m *mover) beginCopying(ctx context.Context) error {
	err := pgx.BeginFunc(ctx, m.Source, func(tx pgx.Tx) error { return advance(ctx, tx, m.source, Begun, Copying, "") })
	if err == nil {
		m.o.At(CopyingDone)
	}
	return err
}

// copyAll copies everything while the source is in use.
func (m *mover) copyAll(ctx context.Context) error {
	if err := m.pair.CopyAddressKeys(ctx); err != nil {
		return err
	}
	if err := m.pair.EnsurePartitions(ctx); err != nil {
		return err
	}
	last := int64(math.MaxInt64) // the number of rows of the pass before
	for pass := range maxPasses {
		before := m.copied
		for _, t := range m.scope.Tables {
			if err := m.copyTable(ctx, t); err != nil {
				return err
			}
		}
		if pass == 0 {
			if err := m.pair.Analyze(ctx); err != nil {
				return err
			}
		}
		copied := m.copied - before
		if copied < fewRows || copied > last/2 {
			break
		}
		last = copied
	}
	if err := m.storeBaselines(ctx); err != nil {
		return err
	}
	m.o.At(CopyingAll)
	return nil
}

func (m *mover) copyTable(ctx context.Context, t tenantdata.Table) error {
	m.report(t.Name, "")
	switch t.Kind {
	case tenantdata.Rows:
		_, err := m.pair.CopyRows(ctx, t)
		return err
	case tenantdata.Log:
		_, upto, err := m.pair.CopyLog(ctx, m.source.logUpto)
		if err != nil {
			return err
		}
		return m.storeUpto(ctx, upto)
	}
	return nil
}

// storeUpto stores up to where the log has been compared.
func (m *mover) storeUpto(ctx context.Context, upto uuid.UUID) error {
	tag, err := m.Source.Exec(ctx, `
		UPDATE fanfare.tenant_moves SET log_upto = $3
		WHERE tenant_id = $1 AND move_id = $2 AND step = 'copying'`,
		[16]byte(m.o.Tenant), [16]byte(m.source.ID), [16]byte(upto))
	if err != nil {
		return fmt.Errorf("store the progress: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return errOvertaken
	}
	m.source.logUpto = upto
	return nil
}

// freeze freezes the tenant in the source.
func (m *mover) freeze(ctx context.Context) error {
	err := whileUnwritten(ctx, m.Source, m.scope.Freezable(), m.o.FreezeTimeout, m.note, func(tx pgx.Tx) error {
		err := advance(ctx, tx, m.source, Copying, Frozen, ", frozen_at = clock_timestamp()")
		if err != nil {
			return err
		}
		if err := armTriggers(ctx, tx, m.scope); err != nil {
			return err
		}
		m.o.At(FrozenHalf)
		return nil
	})
	if err == nil {
		m.o.At(FrozenDone)
	}
	return err
}

// stageLockTimeout limits the wait for a lane and for a step of a fan-out job: a worker gives up
// both within this time.
const stageLockTimeout = "40s"

// stage waits until the source's worker has delivered what is pending, for at most DrainTimeout
// after the freeze, and takes the rest out of its reach.
func (m *mover) stage(ctx context.Context) error {
	for {
		left, err := m.scope.Unsettled(ctx, m.Source)
		if err != nil {
			return err
		}
		frozen, err := m.since(ctx, *m.source.FrozenAt)
		if err != nil {
			return err
		}
		if left == 0 || frozen > m.o.DrainTimeout {
			break
		}
		m.note(fmt.Sprintf("waiting for the delivery of %d pending activities", left))
		if err := wait.Sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	err := pgx.BeginFunc(ctx, m.Source, func(tx pgx.Tx) error {
		if err := mayWrite(ctx, tx, m.source); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `SET LOCAL lock_timeout = '`+stageLockTimeout+`'`); err != nil {
			return err
		}
		if err := advance(ctx, tx, m.source, Frozen, Delta, ""); err != nil {
			return err
		}
		if err := m.scope.Stage(ctx, tx); err != nil {
			return err
		}
		m.o.At(DeltaHalf)
		return nil
	})
	if err == nil {
		m.o.At(DeltaDone)
	}
	return err
}

// since returns the time since an event, by the source's clock.
func (m *mover) since(ctx context.Context, at time.Time) (time.Duration, error) {
	var now time.Time
	if err := m.Source.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&now); err != nil {
		return 0, fmt.Errorf("read the source's clock: %w", err)
	}
	return now.Sub(at), nil
}

// settle compares and copies what may have changed since the last pass.
func (m *mover) settle(ctx context.Context) error {
	if err := m.pair.CopyAddressKeys(ctx); err != nil {
		return err
	}
	if err := m.pair.EnsurePartitions(ctx); err != nil {
		return err
	}
	if err := m.readBaselines(ctx); err != nil {
		return err
	}
	counts := map[string]int64{}
	for _, t := range m.scope.Tables {
		m.report(t.Name, "")
		var err error
		switch t.Kind {
		case tenantdata.Rows:
			counts[t.Name], _, err = m.pair.SettleRows(ctx, t)
		case tenantdata.Log:
			m.o.At(VerifiedHalf)
			counts[t.Name], _, err = m.pair.SettleLog(ctx, m.source.logUpto)
		}
		if err != nil {
			return err
		}
	}
	staged, err := m.pair.CopyStaged(ctx)
	if err != nil {
		return err
	}
	counts["tenant_move_rows"] = staged
	err = pgx.BeginFunc(ctx, m.Source, func(tx pgx.Tx) error {
		if err := advance(ctx, tx, m.source, Delta, Verified, ", baselines = NULL"); err != nil {
			return err
		}
		text, err := json.Marshal(counts)
		if err == nil {
			_, err = tx.Exec(ctx, `UPDATE fanfare.tenant_moves SET copied = $2::text::jsonb WHERE tenant_id = $1`,
				[16]byte(m.o.Tenant), string(text))
		}
		return err
	})
	if err == nil {
		m.o.At(VerifiedDone)
	}
	return err
}
