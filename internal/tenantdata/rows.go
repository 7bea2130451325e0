package tenantdata

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"
)

// DifferenceError reports that two databases differ where they must not.
type DifferenceError struct {
	Table               string
	Source, Destination int64 // the numbers of rows that were compared
}

// Error names the table and the numbers.
func (e *DifferenceError) Error() string {
	if e.Source != e.Destination {
		return fmt.Sprintf("fanfare.%s: of what was compared, the source has %d rows, the destination %d",
			e.Table, e.Source, e.Destination)
	}
	return fmt.Sprintf("fanfare.%s: the %d rows that were compared differ in their contents", e.Table, e.Source)
}

// Rows that change are often far apart, such as the newest of each inbox. So tables are compared in
// chunks of few rows, and many of those that differ are copied by one statement.
const (
	chunkParts = 25 // a chunk of rows is compared in this number of parts
	maxSpans   = 50 // of one statement
)

// CopyRows makes the rows of a table of the kind Rows equal, as far as they do not change
// meanwhile, and returns the number of copied rows. A copy that contradicts rows which have changed
// since they were copied is left to the next call.
func (p *Pair) CopyRows(ctx context.Context, t Table) (copied int64, err error) {
	found, err := p.compareAll(ctx, t)
	if err != nil {
		return 0, err
	}
	for _, group := range found.groups(p.ChunkRows) {
		var n int64
		err := p.Write(ctx, func(tx pgx.Tx) error {
			if err := p.deleteSpans(ctx, tx, t, group); err != nil {
				return err
			}
			n, err = p.copySpans(ctx, tx, t, group)
			return err
		})
		if server, ok := errors.AsType[*pgconn.PgError](err); ok && server.Code == "23505" { // unique_violation
			continue
		}
		if err != nil {
			return copied, err
		}
		copied += n
		p.Progress(t.Name, n)
	}
	return copied, nil
}

// SettleRows makes the rows of a table of the kind Rows equal while they cannot change, in one
// transaction. After CopyRows it reads the chunks only that may have changed since. It returns the
// number of rows and of those that were copied, or a *DifferenceError.
func (p *Pair) SettleRows(ctx context.Context, t Table) (rows, copied int64, err error) {
	found, err := p.compareAgain(ctx, t)
	if err != nil || len(found.spans) == 0 {
		return found.rows, 0, err
	}
	groups := found.groups(p.ChunkRows)
	err = p.Write(ctx, func(tx pgx.Tx) error {
		for _, group := range groups {
			if err := p.deleteSpans(ctx, tx, t, group); err != nil {
				return err
			}
		}
		for _, group := range groups {
			n, err := p.copySpans(ctx, tx, t, group)
			if err != nil {
				return err
			}
			copied += n
		}
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	here, err := p.digests(ctx, p.Destination, t, found.division, wholeRows)
	if err != nil {
		return 0, 0, err
	}
	if !slices.Equal(found.source, here) {
		return 0, 0, &DifferenceError{t.Name, total(found.source), total(here)}
	}
	return found.rows, copied, nil
}

// groups returns the spans that differ in groups of about a number of rows, each for one
// transaction.
func (c *comparison) groups(rows int) (groups [][]span) {
	var total int64
	for _, s := range c.spans {
		n := len(groups) - 1
		if n < 0 || len(groups[n]) == maxSpans || total+s.there > int64(rows) {
			groups, total = append(groups, nil), 0
			n++
		}
		groups[n], total = append(groups[n], s), total+s.there
	}
	return groups
}

// deleteSpans deletes the rows of spans in the destination.
func (p *Pair) deleteSpans(ctx context.Context, tx pgx.Tx, t Table, spans []span) error {
	var parts []string
	for _, s := range spans {
		if s.here > 0 {
			parts = append(parts, fmt.Sprintf(`SELECT x.ctid FROM fanfare.%s AS x WHERE %s AND %s`,
				t.Name, p.of("x"), t.in(s.Chunk)))
		}
	}
	if len(parts) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, fmt.Sprintf(`DELETE FROM fanfare.%s WHERE ctid = ANY (ARRAY(%s))`,
		t.Name, strings.Join(parts, " UNION ALL ")))
	if err != nil {
		return fmt.Errorf("replace rows of fanfare.%s: %w", t.Name, err)
	}
	return nil
}

// copySpans copies the rows of spans.
func (p *Pair) copySpans(ctx context.Context, tx pgx.Tx, t Table, spans []span) (int64, error) {
	parts := make([]string, len(spans))
	for i, s := range spans {
		parts[i] = "(" + p.selectRows(t, s.Chunk) + ")"
	}
	into := "fanfare." + t.Name + " (" + p.columnList(t) + ")"
	n, err := copyRows(ctx, p.Source, strings.Join(parts, " UNION ALL "), tx.Conn(), into)
	if err != nil {
		return 0, fmt.Errorf("copy fanfare.%s: %w", t.Name, err)
	}
	return n, nil
}

// both reads from both databases at the same time.
func both[T any](p *Pair, read func(db *pgx.Conn) (T, error)) (source, destination T, err error) {
	var g errgroup.Group
	g.Go(func() (err error) { source, err = read(p.Source); return err })
	g.Go(func() (err error) { destination, err = read(p.Destination); return err })
	return source, destination, g.Wait()
}
