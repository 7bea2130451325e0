package tenantdata

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/uuidv7"
)

// addressKeys is the section of the keys of hashed addresses.
const addressKeys = "ip_hash_keys"

// Export writes the rows of a tenant as they are at one moment, with the memory of a few rows. The
// connection must be prepared. pending includes the activities that are not delivered yet: a
// database that imports them delivers them. progress is called with the number of rows written.
//
// Errors: those of the database, of out, and one if the tenant is being moved or has been.
func Export(
	ctx context.Context, conn *pgx.Conn, tenant uuid.UUID, pending bool, out io.Writer,
	progress func(table string, rows int64),
) (*Trailer, error) {
	w := newFileWriter(out)
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := pgx.BeginTxFunc(ctx, conn, options, func(tx pgx.Tx) error {
		s, err := NewScope(ctx, tx, tx, tenant)
		if err != nil {
			return err
		}
		if err := s.writeHeader(ctx, tx, w, pending); err != nil {
			return err
		}
		keys := section{addressKeys, []string{"inner_pad", "key_id", "outer_pad"}}
		if err := writeRows(ctx, tx, w, keys, `
			SELECT jsonb_build_object('key_id', k.key_id, 'inner_pad', k.inner_pad, 'outer_pad', k.outer_pad)::text
			FROM fanfare.ip_hash_keys AS k ORDER BY k.key_id`, progress); err != nil {
			return err
		}
		for _, t := range Tables() {
			columns, known := s.columns[t.Name]
			if !known || t.Kind == Staging || t.Kind == Pending && !pending && t.Name != "dead_letters" {
				continue
			}
			if err := writeRows(ctx, tx, w, section{t.Name, columns}, s.selectJSON(t), progress); err != nil {
				return err
			}
		}
		return w.close()
	})
	if err != nil {
		return nil, err
	}
	return &w.trailer, nil
}

// selectJSON returns a query of the tenant's rows of a table as JSON, without columns that the
// database numbers itself.
func (s *Scope) selectJSON(t Table) string {
	fields := make([]string, len(s.columns[t.Name]))
	for i, c := range s.columns[t.Name] {
		fields[i] = "x." + pgx.Identifier{c}.Sanitize()
	}
	order := ""
	switch {
	case t.Kind == Pending:
		order = " ORDER BY x.seq"
	case len(t.Key) > 0:
		order = " ORDER BY " + t.keyColumns()
	}
	return fmt.Sprintf(`
		SELECT to_jsonb(r)::text
		FROM (SELECT %s FROM fanfare.%s AS x WHERE %s%s) AS r`, strings.Join(fields, ", "), t.Name, s.of("x"), order)
}

// writeHeader writes the first line, unless the tenant moves or does not exist.
func (s *Scope) writeHeader(ctx context.Context, tx pgx.Tx, w *fileWriter, pending bool) error {
	if err := s.refuseMove(ctx, tx); err != nil {
		return err
	}
	found, err := s.Found(ctx, tx)
	if err != nil {
		return err
	}
	if found == "" {
		return fmt.Errorf("the database has no row of the tenant %s", s.Tenant)
	}
	h := &Header{
		Format: fileFormat, Version: fileVersion, Tenant: s.Tenant, Pending: pending, Months: []time.Time{},
		Views: append([]string{}, s.Views...),
	}
	err = tx.QueryRow(ctx, `SELECT version, now() FROM fanfare.schema_version`).Scan(&h.Schema, &h.ExportedAt)
	if err != nil {
		return fmt.Errorf("read the version of the schema: %w", err)
	}
	h.ExportedAt = h.ExportedAt.UTC()
	lows, err := monthsOf(ctx, tx, s.Tenant)
	if err != nil {
		return err
	}
	for _, low := range lows {
		h.Months = append(h.Months, uuidv7.Time(low).UTC())
	}
	return w.write(line{Header: h})
}

// refuseMove returns an error if the tenant is being moved from or to the database, or has been
// moved away.
func (s *Scope) refuseMove(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `
		SELECT step, peer FROM fanfare.tenant_moves WHERE tenant_id = $1 AND step <> 'opened'`, [16]byte(s.Tenant))
	if err != nil {
		return fmt.Errorf("read the moves: %w", err)
	}
	var step, peer string
	_, err = pgx.ForEachRow(rows, []any{&step, &peer}, func() error {
		if step == "moved" || step == "cleared" {
			return fmt.Errorf("the tenant has been moved to %s", peer)
		}
		return fmt.Errorf("the tenant is being moved, from or to %s: complete or abort the move first", peer)
	})
	return err
}

// writeRows writes a section.
func writeRows(
	ctx context.Context, tx pgx.Tx, w *fileWriter, part section, query string, progress func(table string, rows int64),
) error {
	name := part.Name
	if err := w.begin(part); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return fmt.Errorf("read fanfare.%s: %w", name, err)
	}
	var text string
	_, err = pgx.ForEachRow(rows, []any{&text}, func() error {
		progress(name, 1)
		return w.write(line{Row: json.RawMessage(text)})
	})
	if err != nil {
		return fmt.Errorf("export fanfare.%s: %w", name, err)
	}
	return w.end()
}
