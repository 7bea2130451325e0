package tenantmove

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/migrations"
)

// compareSchemas refuses two databases with different schemas, and one database as both.
func (m *mover) compareSchemas(ctx context.Context) error {
	for name, conn := range map[string]*pgx.Conn{"source": m.Source, "destination": m.Destination} {
		status, err := migrations.Read(ctx, conn)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if len(status.Pending) > 0 || status.Current > status.Latest {
			return fmt.Errorf("%s: the schema is at migration %d, this version requires %d: "+
				"run fanfare migrate up with the same version on both databases", name, status.Current, status.Latest)
		}
	}
	const identity = `
		SELECT current_database() || ' ' || (SELECT oid FROM pg_database WHERE datname = current_database())
		    || ' ' || extract(epoch FROM pg_postmaster_start_time()) || ' ' || coalesce(inet_server_port(), 0)`
	var source, destination string
	err := errors.Join(m.Source.QueryRow(ctx, identity).Scan(&source),
		m.Destination.QueryRow(ctx, identity).Scan(&destination))
	if err != nil {
		return fmt.Errorf("identify the databases: %w", err)
	}
	if source == destination {
		return errors.New("the source and the destination are the same database")
	}
	return nil
}

// begin compares the databases and stores the move in both, in the destination first: a row in the
// source has one in the destination.
func (m *mover) begin(ctx context.Context) error {
	if err := m.compareTaxonomies(ctx); err != nil {
		return err
	}
	if found, err := m.scope.Found(ctx, m.Source); err != nil || found == "" {
		return orError(err, "the source has no row of the tenant: compare --tenant and --database-url")
	}
	for _, v := range m.scope.Views {
		m.note("fanfare." + v + " is a view in one of the databases and is not copied: " +
			"the application must have the tenant's rows in the destination")
	}
	row := &Row{Tenant: m.o.Tenant, ID: moveID(m.destination), pass: uuid.New()}
	if err := m.beginDestination(ctx, row); err != nil {
		return fmt.Errorf("destination: %w", err)
	}
	m.o.At(BegunHalf)
	if err := m.beginSource(ctx, row); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	m.o.At(BegunDone)
	return nil
}

func orError(err error, text string) error {
	if err != nil {
		return err
	}
	return errors.New(text)
}

// compareTaxonomies refuses a destination that lacks actions of the source.
func (m *mover) compareTaxonomies(ctx context.Context) error {
	read := func(conn *pgx.Conn) ([]string, error) {
		rows, err := conn.Query(ctx, `SELECT action FROM fanfare.taxonomy ORDER BY action`)
		if err != nil {
			return nil, err
		}
		return pgx.CollectRows(rows, pgx.RowTo[string])
	}
	source, sourceErr := read(m.Source)
	destination, err := read(m.Destination)
	if err := errors.Join(sourceErr, err); err != nil {
		return fmt.Errorf("compare the taxonomies: %w", err)
	}
	missing := slices.DeleteFunc(source, func(a string) bool {
		_, found := slices.BinarySearch(destination, a)
		return found
	})
	if len(missing) == 0 {
		return nil
	}
	shown := strings.Join(missing[:min(len(missing), 5)], ", ")
	return fmt.Errorf("the taxonomy of the destination lacks %d actions of the source (%s): "+
		"run fanfare taxonomy apply with the same file on the destination", len(missing), shown)
}

// beginDestination freezes the tenant in the destination, where it must have no row, and stores the
// move.
func (m *mover) beginDestination(ctx context.Context, row *Row) error {
	return whileUnwritten(ctx, m.Destination, m.scope.Freezable(), m.o.FreezeTimeout, m.note, func(tx pgx.Tx) error {
		found, err := m.scope.Found(ctx, tx)
		if err != nil {
			return err
		}
		if found != "" {
			return fmt.Errorf("fanfare.%s has rows of the tenant: the destination must have none", found)
		}
		tag, err := tx.Exec(ctx, `
			INSERT INTO fanfare.tenant_moves AS m (tenant_id, move_id, role, step, peer, pass, started_at, frozen_at)
			VALUES ($1, $2, 'destination', 'begun', $3, $4, clock_timestamp(), clock_timestamp())
			ON CONFLICT (tenant_id) DO UPDATE
			SET move_id = excluded.move_id, role = excluded.role, step = excluded.step, peer = excluded.peer,
			    pass = excluded.pass, started_at = excluded.started_at, frozen_at = excluded.frozen_at,
			    moved_at = NULL, cleared_at = NULL, copied = NULL, removed = NULL, log_upto = NULL, baselines = NULL,
			    former = CASE WHEN m.role = 'source' THEN to_jsonb(m) ELSE m.former END
			WHERE m.role = 'source' AND m.step = 'cleared'
			   OR m.role = 'destination' AND m.step = 'begun' AND m.move_id = excluded.move_id`,
			[16]byte(row.Tenant), [16]byte(row.ID), m.o.SourceName, [16]byte(row.pass))
		if err != nil {
			return fmt.Errorf("store the move: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return errOvertaken
		}
		return armTriggers(ctx, tx, m.scope)
	})
}

// beginSource stores the move in the source. The lock waits for the end of a step of retention or a
// redaction that has not seen the move.
func (m *mover) beginSource(ctx context.Context, row *Row) error {
	deadline := time.Now().Add(m.o.FreezeTimeout)
	for {
		err := pgx.BeginFunc(ctx, m.Source, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `
				SET LOCAL lock_timeout = '2s'; LOCK TABLE fanfare.legal_holds IN ROW EXCLUSIVE MODE`); err != nil {
				return fmt.Errorf("wait for retention and redaction: %w", err)
			}
			_, err := tx.Exec(ctx, `
				INSERT INTO fanfare.tenant_moves (tenant_id, move_id, role, step, peer, pass)
				VALUES ($1, $2, 'source', 'begun', $3, $4)`,
				[16]byte(row.Tenant), [16]byte(row.ID), m.o.DestinationName, [16]byte(row.pass))
			if err != nil {
				return fmt.Errorf("store the move: %w", err)
			}
			return nil
		})
		if err == nil || !pg.Contended(err) || time.Now().After(deadline) {
			return err
		}
		m.note("waiting for the end of a step of retention or a redaction")
	}
}
