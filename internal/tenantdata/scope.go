package tenantdata

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// Scope is a tenant's data as two databases have it: the tables that are copied, with their
// columns.
type Scope struct {
	Tenant uuid.UUID
	Tables []Table  // of the kinds Rows, Log and Keys
	Views  []string // the relations of the directory that are left out

	// ChunkRows is the number of rows in a chunk.
	ChunkRows int

	columns map[string][]string
}

// readColumns are the columns of each relation that a copy writes: neither generated ones nor those
// that the database numbers itself.
const readColumns = `
SELECT c.relname::text, c.relkind IN ('r', 'p'), array_agg(a.attname::text ORDER BY a.attname)
FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    AND a.attgenerated = '' AND (a.attidentity = '' OR c.relname = 'outbox')
WHERE c.relnamespace = 'fanfare'::regnamespace AND c.relname = ANY ($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
GROUP BY c.relname, c.relkind`

// relation is a table or a view of one database.
type relation struct {
	isTable bool
	columns []string
}

func readRelations(ctx context.Context, db pg.Querier) (map[string]relation, error) {
	var names []string
	for _, t := range Tables() {
		names = append(names, t.Name)
	}
	rows, err := db.Query(ctx, readColumns, names)
	if err != nil {
		return nil, fmt.Errorf("read the columns: %w", err)
	}
	found := map[string]relation{}
	var name string
	var r relation
	_, err = pgx.ForEachRow(rows, []any{&name, &r.isTable, &r.columns}, func() error {
		found[name] = relation{r.isTable, slices.Clone(r.columns)}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the columns: %w", err)
	}
	return found, nil
}

// NewScope returns the scope of a tenant in two databases, or in one if both are the same. A
// relation of the directory is part of it if it is a table in both: a view shows what the
// application has, which copies it itself.
func NewScope(ctx context.Context, source, destination pg.Querier, tenant uuid.UUID) (*Scope, error) {
	here, err := readRelations(ctx, source)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	there, err := readRelations(ctx, destination)
	if err != nil {
		return nil, fmt.Errorf("destination: %w", err)
	}
	s := &Scope{Tenant: tenant, ChunkRows: DefaultChunkRows, columns: map[string][]string{}}
	for _, t := range Tables() {
		a, b := here[t.Name], there[t.Name]
		switch {
		case t.Directory && (!a.isTable || !b.isTable):
			s.Views = append(s.Views, t.Name)
			continue
		case t.Kind == Left, t.Kind == Bookkeeping:
			continue
		}
		for _, c := range a.columns {
			if !slices.Contains(b.columns, c) {
				return nil, fmt.Errorf("destination: fanfare.%s has no column %q, which the source has", t.Name, c)
			}
		}
		s.columns[t.Name] = a.columns
		if t.Kind == Rows || t.Kind == Log || t.Kind == Keys {
			s.Tables = append(s.Tables, t)
		}
	}
	return s, nil
}

// Freezable returns the tables whose rows are frozen while the tenant moves.
func (s *Scope) Freezable() (tables []Table) {
	for _, t := range s.stored() {
		if len(t.Frozen) > 0 {
			tables = append(tables, t)
		}
	}
	return tables
}

// Columns returns the columns of a table that a copy writes.
func (s *Scope) Columns(t Table) []string { return s.columns[t.Name] }

// of returns the condition on the rows x of the scope's tenant. A UUID needs no quoting, and COPY
// takes no parameters.
func (s *Scope) of(alias string) string {
	return fmt.Sprintf("%s.tenant_id = '%s'", alias, s.Tenant)
}

// columnList returns the columns of a table for COPY.
func (s *Scope) columnList(t Table) string { return strings.Join(quoted(s.columns[t.Name]), ", ") }

func quoted(names []string) []string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = pgx.Identifier{n}.Sanitize()
	}
	return list
}

// text returns an expression for the text of a row x, by which rows of two databases are compared.
// It has the fingerprint of the key of a hashed address instead of the key's number, which the
// databases assign themselves.
func (s *Scope) text(t Table) string {
	var fields []string
	for _, c := range s.columns[t.Name] {
		switch {
		case slices.Contains(t.Ignored, c):
		case t.Kind == Log && c == "ip_key_id":
			fields = append(fields,
				"(SELECT sha256(k.inner_pad) FROM fanfare.ip_hash_keys AS k WHERE k.key_id = x.ip_key_id)")
		default:
			fields = append(fields, "x."+pgx.Identifier{c}.Sanitize())
		}
	}
	return "ROW(" + strings.Join(fields, ", ") + ")::text"
}

// settings make the texts of rows the same in both databases.
const settings = `
SET timezone = 'UTC'; SET datestyle = 'ISO, MDY'; SET intervalstyle = 'postgres'; SET bytea_output = 'hex';
SET extra_float_digits = 1; SET client_encoding = 'UTF8'; SET standard_conforming_strings = on; SET jit = off;
SET idle_in_transaction_session_timeout = 0; SET statement_timeout = 0; SET lock_timeout = 0`

// Prepare sets what the functions of this package require of a session.
func Prepare(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, settings); err != nil {
		return fmt.Errorf("prepare the session: %w", err)
	}
	return nil
}
