package tenantdata

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// The bounds of the rows of one statement.
const (
	importRows  = 1000
	importBytes = 1 << 20
)

// Import reads a file that Export has written into a database that has no row of the tenant: all of
// it or, after an error, nothing but empty partitions of the log. The connection must be prepared.
// progress is called with the number of rows read.
//
// Errors: a *FileError for a file that is truncated, changed or not an export, one that names both
// versions if the schemas differ, and those of the database.
func Import(
	ctx context.Context, conn *pgx.Conn, in io.Reader, progress func(table string, rows int64),
) (*Header, map[string]int64, error) {
	r := newFileReader(in)
	header, err := r.header()
	if err != nil {
		return nil, nil, err
	}
	i := &importer{conn: conn, file: r, header: header, progress: progress, rows: map[string]int64{}}
	if err := i.prepare(ctx); err != nil {
		return nil, nil, err
	}
	return header, i.rows, pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return i.read(ctx, tx) })
}

// importer is one call of Import.
type importer struct {
	conn     *pgx.Conn
	file     *fileReader
	header   *Header
	scope    *Scope
	progress func(table string, rows int64)
	rows     map[string]int64

	keys    []addressKey
	numbers map[int16]int16 // of the keys of hashed addresses
	section *section
	batch   []json.RawMessage
	bytes   int
}

// prepare compares the file with the database, and creates the partitions that its activities need.
func (i *importer) prepare(ctx context.Context) (err error) {
	var version int
	if err := i.conn.QueryRow(ctx, `SELECT version FROM fanfare.schema_version`).Scan(&version); err != nil {
		return fmt.Errorf("read the version of the schema: %w", err)
	}
	if version != i.header.Schema {
		return fmt.Errorf("the file is of the schema %d, the database has the schema %d: "+
			"they must be the same; migrate the older database first", i.header.Schema, version)
	}
	if i.scope, err = NewScope(ctx, i.conn, i.conn, i.header.Tenant); err != nil {
		return err
	}
	for _, month := range i.header.Months {
		if err := ensurePartition(ctx, i.conn, month); err != nil {
			return err
		}
	}
	return nil
}

// read reads the sections in a transaction.
func (i *importer) read(ctx context.Context, tx pgx.Tx) error {
	if err := i.scope.refuseMove(ctx, tx); err != nil {
		return err
	}
	found, err := i.scope.Found(ctx, tx)
	if err != nil {
		return err
	}
	if found != "" {
		return fmt.Errorf("fanfare.%s has rows of the tenant %s: the database must have none", found, i.header.Tenant)
	}
	for {
		l, err := i.file.next()
		switch {
		case err != nil:
			return err
		case l.Section != nil:
			err = i.begin(l.Section)
		case l.Row != nil:
			if i.batch, i.bytes = append(i.batch, l.Row), i.bytes+len(l.Row); len(i.batch) == importRows ||
				i.bytes >= importBytes {
				err = i.flush(ctx, tx)
			}
		case l.End != nil:
			err = i.end(ctx, tx)
		case l.Trailer != nil:
			_, _, err = i.scope.Unstage(ctx, tx)
			return err
		}
		if err != nil {
			return err
		}
	}
}

// begin begins a section of a table that the file may have, with columns that the database has.
func (i *importer) begin(s *section) error {
	known := s.Name == addressKeys
	for _, t := range Tables() {
		known = known || t.Name == s.Name && t.Kind != Staging && t.Kind != Left && t.Kind != Bookkeeping
	}
	if !known {
		return i.file.fail("the section %q is unknown", s.Name)
	}
	if s.Name != addressKeys {
		columns, isTable := i.scope.columns[s.Name]
		for _, c := range s.Columns {
			if isTable && !slices.Contains(columns, c) {
				return i.file.fail("the section %s has the column %q, which the database lacks", s.Name, c)
			}
		}
	}
	i.section = s
	return nil
}

func (i *importer) end(ctx context.Context, tx pgx.Tx) error {
	if err := i.flush(ctx, tx); err != nil {
		return err
	}
	var err error
	if i.section.Name == addressKeys {
		i.numbers, err = addAddressKeys(ctx, tx, i.keys)
	}
	return err
}

// flush writes the rows that were read.
func (i *importer) flush(ctx context.Context, tx pgx.Tx) error {
	rows, name := i.batch, i.section.Name
	i.batch, i.bytes = nil, 0
	if len(rows) == 0 {
		return nil
	}
	i.progress(name, int64(len(rows)))
	i.rows[name] += int64(len(rows))
	if name == addressKeys {
		return i.readKeys(rows)
	}
	t := named(name)
	columns, isTable := i.scope.columns[name]
	if !isTable {
		return nil // the database has a view instead: the application has the rows
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, i.insert(t, columns), string(text))
	if err != nil {
		return fmt.Errorf("import into fanfare.%s, before line %d: %w", name, i.file.n, err)
	}
	if n := tag.RowsAffected(); n != int64(len(rows)) {
		return i.file.fail("%d of %d rows of the section %s are of the tenant %s",
			n, len(rows), name, i.header.Tenant)
	}
	return nil
}

// insert returns the statement that inserts rows of the tenant from a JSON array.
func (i *importer) insert(t Table, columns []string) string {
	if t.Kind == Pending {
		return fmt.Sprintf(`
			INSERT INTO fanfare.tenant_move_rows (tenant_id, from_table, activity_id, seq, content)
			SELECT (r.row ->> 'tenant_id')::uuid, '%s', (r.row ->> 'activity_id')::uuid, (r.row ->> 'seq')::bigint,
			       r.row
			FROM jsonb_array_elements($1::text::jsonb) AS r(row)
			WHERE r.row ->> 'tenant_id' = '%s'`, t.Name, i.scope.Tenant)
	}
	fields := make([]string, len(columns))
	for k, c := range columns {
		fields[k] = "x." + pgx.Identifier{c}.Sanitize()
		if t.Kind == Log && c == "ip_key_id" {
			fields[k] = (&Pair{addressKeys: i.numbers}).mappedKey()
		}
	}
	return fmt.Sprintf(`
		INSERT INTO fanfare.%[1]s (%[2]s)
		SELECT %[3]s FROM jsonb_populate_recordset(NULL::fanfare.%[1]s, $1::text::jsonb) AS x WHERE %[4]s`,
		t.Name, i.scope.columnList(t), strings.Join(fields, ", "), i.scope.of("x"))
}

// readKeys reads rows of the keys of hashed addresses.
func (i *importer) readKeys(rows []json.RawMessage) error {
	for _, row := range rows {
		var k struct {
			ID    int16  `json:"key_id"`
			Inner string `json:"inner_pad"`
			Outer string `json:"outer_pad"`
		}
		if err := json.Unmarshal(row, &k); err != nil {
			return i.file.fail("the section %s: %v", addressKeys, err)
		}
		inner, innerErr := decodeBytea(k.Inner)
		outer, err := decodeBytea(k.Outer)
		if innerErr != nil || err != nil {
			return i.file.fail("the section %s: a key must be hexadecimal", addressKeys)
		}
		i.keys = append(i.keys, addressKey{k.ID, inner, outer})
	}
	return nil
}

// decodeBytea decodes the text of a bytea.
func decodeBytea(text string) ([]byte, error) {
	return hex.DecodeString(strings.TrimPrefix(text, `\x`))
}
