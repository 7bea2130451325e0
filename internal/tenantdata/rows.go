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
		return fmt.Sprintf("fanfare.%s: the source has %d rows, the destination %d", e.Table, e.Source, e.Destination)
	}
	return fmt.Sprintf("fanfare.%s: the %d rows of the source and of the destination differ in their contents",
		e.Table, e.Source)
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
	found, err := p.compare(ctx, t)
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
// transaction. It returns the number of rows and of those that were copied, or a *DifferenceError.
func (p *Pair) SettleRows(ctx context.Context, t Table) (rows, copied int64, err error) {
	found, err := p.compare(ctx, t)
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
	here, err := p.digests(ctx, p.Destination, t, found.bounds, Chunk{}, wholeRows)
	if err != nil {
		return 0, 0, err
	}
	if !slices.Equal(found.source, here) {
		total := int64(0)
		for _, d := range here {
			total += d.Rows
		}
		return 0, 0, &DifferenceError{t.Name, found.rows, total}
	}
	return found.rows, copied, nil
}

// comparison is what two databases have in a table.
type comparison struct {
	bounds []Key
	source []Digest // of the chunks between the bounds
	rows   int64    // of the source
	spans  []span   // that differ, without a common end
}

// span is a range of rows that differ.
type span struct {
	Chunk
	there, here int64 // the numbers of rows in the source and in the destination
}

func (p *Pair) compare(ctx context.Context, t Table) (c comparison, err error) {
	size := max(p.ChunkRows/chunkParts, 1)
	if c.bounds, err = p.bounds(ctx, p.Source, t, Chunk{}, size); err != nil {
		return c, err
	}
	source, here, err := both(p, func(db *pgx.Conn) ([]Digest, error) {
		return p.digests(ctx, db, t, c.bounds, Chunk{}, wholeRows)
	})
	if err != nil {
		return c, err
	}
	c.source = source
	last := -2 // the index of the last chunk that differs
	for i, chunk := range chunksOf(c.bounds, Chunk{}) {
		c.rows += source[i].Rows
		if source[i] == here[i] {
			continue
		}
		if n := len(c.spans) - 1; last == i-1 && c.spans[n].there+source[i].Rows <= int64(p.ChunkRows) {
			c.spans[n].To = chunk.To
			c.spans[n].there, c.spans[n].here = c.spans[n].there+source[i].Rows, c.spans[n].here+here[i].Rows
		} else {
			c.spans = append(c.spans, span{chunk, source[i].Rows, here[i].Rows})
		}
		last = i
	}
	return c, nil
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
