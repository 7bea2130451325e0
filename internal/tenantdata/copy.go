package tenantdata

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// Pair copies a tenant's rows from one database to another. Its connections are prepared and used
// by one goroutine.
type Pair struct {
	*Scope
	Source, Destination *pgx.Conn

	// Write runs a transaction on Destination that may write rows of the tenant, or fails if that
	// is no longer permitted.
	Write func(ctx context.Context, do func(tx pgx.Tx) error) error
	// Baselines has what CopyRows has found, by table. SettleRows of another process may use it if
	// both databases still have all that they had then.
	Baselines map[string]Baseline
	// Progress is called with the number of rows of a table that have just been copied.
	Progress func(table string, rows int64)

	addressKeys map[int16]int16 // of hashed addresses: from the source's number to the destination's
}

// copyRows copies the result of a query of one database to columns of the other's, in the binary
// format, with the memory of a few buffers.
func copyRows(ctx context.Context, from *pgx.Conn, query string, to *pgx.Conn, into string) (int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	reader, writer := io.Pipe()
	read := make(chan error, 1)
	go func() {
		_, err := from.PgConn().CopyTo(ctx, writer, "COPY ("+query+") TO STDOUT (FORMAT binary)")
		read <- errors.Join(err, writer.CloseWithError(err))
	}()
	tag, err := to.PgConn().CopyFrom(ctx, reader, "COPY "+into+" FROM STDIN (FORMAT binary)")
	// The reader's end stops a source that is still sending.
	readErr := errors.Join(reader.CloseWithError(err), <-read)
	switch server, refused := errors.AsType[*pgconn.PgError](err); {
	case refused && server.Code != "57014": // query_canceled: the source failed
		return 0, err
	case readErr != nil:
		return 0, readErr
	}
	return tag.RowsAffected(), err
}

// copyChunk copies the rows of a chunk into a table.
func (p *Pair) copyChunk(ctx context.Context, tx pgx.Tx, t Table, c Chunk, into string) (int64, error) {
	n, err := copyRows(ctx, p.Source, p.selectRows(t, c), tx.Conn(), into+" ("+p.columnList(t)+")")
	if err != nil {
		return 0, fmt.Errorf("copy fanfare.%s: %w", t.Name, err)
	}
	return n, nil
}

// selectRows returns a query of the rows of a chunk as the destination stores them.
func (p *Pair) selectRows(t Table, c Chunk) string {
	fields := quoted(p.columns[t.Name])
	for i, f := range fields {
		fields[i] = "x." + f
		if t.Kind == Log && p.columns[t.Name][i] == "ip_key_id" {
			fields[i] = p.mappedKey()
		}
	}
	order := ""
	if len(t.Key) > 0 {
		order = " ORDER BY " + t.keyColumns()
	}
	return fmt.Sprintf("SELECT %s FROM fanfare.%s AS x WHERE %s AND %s%s",
		strings.Join(fields, ", "), t.Name, p.of("x"), t.in(c), order)
}

// mappedKey returns the destination's number of the key of a hashed address as an expression.
func (p *Pair) mappedKey() string {
	var text strings.Builder
	text.WriteString("CASE x.ip_key_id")
	for from, to := range p.addressKeys {
		fmt.Fprintf(&text, " WHEN %d THEN %d", from, to)
	}
	if len(p.addressKeys) == 0 {
		text.WriteString(" WHEN 0 THEN NULL")
	}
	return text.String() + " END::smallint"
}

// addressKey is a key of hashed addresses.
type addressKey struct {
	id           int16
	inner, outer []byte
}

func readAddressKeys(ctx context.Context, db pg.Querier) ([]addressKey, error) {
	rows, err := db.Query(ctx, `SELECT key_id, inner_pad, outer_pad FROM fanfare.ip_hash_keys ORDER BY key_id`)
	if err != nil {
		return nil, fmt.Errorf("read the keys of hashed addresses: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (k addressKey, err error) {
		return k, row.Scan(&k.id, &k.inner, &k.outer)
	})
}

// CopyAddressKeys gives the destination the source's keys of hashed addresses, so that the hashes
// keep their meaning. The newest key of a database hashes what is recorded there, so a copied key
// gets a number below all others.
func (p *Pair) CopyAddressKeys(ctx context.Context) error {
	keys, err := readAddressKeys(ctx, p.Source)
	if err != nil {
		return err
	}
	return p.Write(ctx, func(tx pgx.Tx) error {
		p.addressKeys, err = addAddressKeys(ctx, tx, keys)
		return err
	})
}

// addAddressKeys adds the keys that a database lacks, and returns its numbers of all of them.
func addAddressKeys(ctx context.Context, tx pgx.Tx, keys []addressKey) (map[int16]int16, error) {
	numbers := map[int16]int16{}
	for _, k := range keys {
		var id int16
		err := tx.QueryRow(ctx, `
			WITH found AS (
			    SELECT key_id FROM fanfare.ip_hash_keys WHERE inner_pad = $1 AND outer_pad = $2
			), added AS (
			    INSERT INTO fanfare.ip_hash_keys (key_id, inner_pad, outer_pad) OVERRIDING SYSTEM VALUE
			    SELECT least(1, (SELECT min(key_id) FROM fanfare.ip_hash_keys)) - 1, $1, $2
			    WHERE NOT EXISTS (SELECT FROM found)
			    RETURNING key_id
			)
			SELECT key_id FROM found UNION ALL SELECT key_id FROM added LIMIT 1`, k.inner, k.outer).Scan(&id)
		if err != nil {
			return nil, fmt.Errorf("add a key of hashed addresses: %w", err)
		}
		numbers[k.id] = id
	}
	return numbers, nil
}

// Analyze updates the statistics of the destination's tables, which the plans of the comparison and
// of the destination's workers and servers depend on.
func (p *Pair) Analyze(ctx context.Context) error {
	names := make([]string, len(p.Tables))
	for i, t := range p.Tables {
		names[i] = "fanfare." + t.Name
	}
	if _, err := p.Destination.Exec(ctx, "ANALYZE "+strings.Join(names, ", ")); err != nil {
		return fmt.Errorf("analyze the destination's tables: %w", err)
	}
	return nil
}
