package tenantmove

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// storeBaselines stores what the last pass has found, for a process that continues while the tenant
// is frozen. The destination gets an id first: while it has the id, it has all that was copied
// before, which a server that took over from it may lack.
func (m *mover) storeBaselines(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("store what was compared: %w", err)
		}
	}()
	id := uuid.NewString()
	err = m.write(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE fanfare.tenant_moves SET baselines = to_jsonb($2::text) WHERE tenant_id = $1`,
			[16]byte(m.o.Tenant), id)
		return err
	})
	if err != nil {
		return err
	}
	tables, err := json.Marshal(m.pair.Baselines)
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, m.Source, func(tx pgx.Tx) error {
		if err := advance(ctx, tx, m.source, Copying, Copying, ""); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			UPDATE fanfare.tenant_moves
			SET baselines = jsonb_build_object(
			    'id', $2::text, 'tables', $3::text::jsonb, 'next', pg_snapshot_xmax(pg_current_snapshot())::text,
			    'database', (SELECT oid FROM pg_database WHERE datname = current_database())::bigint)
			WHERE tenant_id = $1`, [16]byte(m.o.Tenant), id, string(tables))
		return err
	})
}

// readBaselines reads what storeBaselines has stored, unless this process has compared itself. It
// reads nothing, so that everything is compared, if the destination has another id or none, or if
// the source was restored into another database, where the transactions have other ids.
func (m *mover) readBaselines(ctx context.Context) (err error) {
	if m.pair.Baselines != nil {
		return nil
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("read what was compared: %w", err)
		}
	}()
	var there, here string // the ids
	var tables []byte
	err = m.Source.QueryRow(ctx, `
		SELECT baselines ->> 'id', baselines -> 'tables'
		FROM fanfare.tenant_moves
		WHERE tenant_id = $1 AND (baselines ->> 'next')::xid8 <= pg_snapshot_xmax(pg_current_snapshot())
		  AND (baselines ->> 'database')::oid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
		[16]byte(m.o.Tenant)).Scan(&there, &tables)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	err = m.Destination.QueryRow(ctx, `
		SELECT coalesce(baselines #>> '{}', '') FROM fanfare.tenant_moves WHERE tenant_id = $1`,
		[16]byte(m.o.Tenant)).Scan(&here)
	if err != nil || here != there {
		return err
	}
	return json.Unmarshal(tables, &m.pair.Baselines)
}
