package tenantdata

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// comparison is what two databases have in a table.
type comparison struct {
	division
	source []Digest // of the chunks that were read
	rows   int64    // of the source
	spans  []span   // that differ, without a common end
	differ []int32  // the numbers of the chunks that differ, ascending
}

// Baseline is what the latest comparison of all rows of a table has found, for the next one.
type Baseline struct {
	// Mark is a transaction id of the source, of 32 bits: whatever is written after the comparison
	// has this xmin or a later one.
	Mark    string   `json:"mark"`
	Columns []string `json:"columns"` // that were compared
	Bounds  []Key    `json:"bounds"`  // at which the chunks begin, but for the first
	Rows    []int64  `json:"rows"`    // of each chunk, in the source
	Differ  []int32  `json:"differ"`  // the numbers of the chunks that differed, ascending
}

// span is a range of rows that differ.
type span struct {
	Chunk
	there, here int64 // the numbers of rows in the source and in the destination
}

// compare compares all rows of a table.
func (p *Pair) compare(ctx context.Context, t Table) (c comparison, err error) {
	size := max(p.ChunkRows/chunkParts, 1)
	if c.bounds, err = p.bounds(ctx, p.Source, t, Chunk{}, size); err != nil {
		return c, err
	}
	if err := p.readChunks(ctx, t, &c); err != nil {
		return c, err
	}
	c.rows = total(c.source)
	return c, nil
}

// compareAgain compares the chunks of a table that may have changed since the latest comparison:
// those that differed, those with a row that was written since, and those with another number of
// rows. Without a row that was written since, a chunk with as many rows has the same ones.
func (p *Pair) compareAgain(ctx context.Context, t Table) (c comparison, err error) {
	before, known := p.Baselines[t.Name]
	if !known || !slices.Equal(before.Columns, p.columns[t.Name]) {
		return p.compare(ctx, t)
	}
	c.bounds = before.Bounds
	chunks, err := p.writtenSince(ctx, t, c.division, before.Mark)
	if err != nil {
		return c, err
	}
	c.chosen = []int32{}
	for i, chunk := range chunks {
		c.rows += chunk.rows
		if _, differed := slices.BinarySearch(before.Differ, int32(i)); differed || chunk.written ||
			chunk.rows != before.Rows[i] {
			c.chosen = append(c.chosen, int32(i))
		}
	}
	if len(c.chosen) == 0 {
		return c, nil
	}
	return c, p.readChunks(ctx, t, &c)
}

// compareAll compares all rows of a table, and keeps what compareAgain needs.
func (p *Pair) compareAll(ctx context.Context, t Table) (comparison, error) {
	mark, err := p.readMark(ctx)
	if err != nil {
		return comparison{}, err
	}
	c, err := p.compare(ctx, t)
	if err != nil {
		return c, err
	}
	b := Baseline{
		Mark: mark, Columns: p.columns[t.Name],
		Bounds: c.bounds, Rows: make([]int64, len(c.source)), Differ: c.differ,
	}
	for i, d := range c.source {
		b.Rows[i] = d.Rows
	}
	if p.Baselines == nil {
		p.Baselines = map[string]Baseline{}
	}
	p.Baselines[t.Name] = b
	return c, nil
}

// readChunks reads the chunks of a comparison in both databases, and finds the spans that differ.
func (p *Pair) readChunks(ctx context.Context, t Table, c *comparison) error {
	source, here, err := both(p, func(db *pgx.Conn) ([]Digest, error) {
		return p.digests(ctx, db, t, c.division, wholeRows)
	})
	if err != nil {
		return err
	}
	c.source = source
	last := -2 // the index of the last chunk that differs
	for i, chunk := range chunksOf(c.bounds, Chunk{}) {
		if source[i] == here[i] {
			continue
		}
		c.differ = append(c.differ, int32(i))
		if n := len(c.spans) - 1; last == i-1 && c.spans[n].there+source[i].Rows <= int64(p.ChunkRows) {
			c.spans[n].To = chunk.To
			c.spans[n].there, c.spans[n].here = c.spans[n].there+source[i].Rows, c.spans[n].here+here[i].Rows
		} else {
			c.spans = append(c.spans, span{chunk, source[i].Rows, here[i].Rows})
		}
		last = i
	}
	return nil
}

// readMark returns the lowest id of a transaction that has not ended in the source.
func (p *Pair) readMark(ctx context.Context) (mark string, err error) {
	err = p.Source.QueryRow(ctx, `SELECT pg_snapshot_xmin(pg_current_snapshot())::xid::text`).Scan(&mark)
	if err != nil {
		return "", fmt.Errorf("read the transactions of the source: %w", err)
	}
	return mark, nil
}

// writing is what was written in a chunk.
type writing struct {
	rows    int64 // that it has now
	written bool  // since a mark, or so long ago that the ids of transactions have come round
}

// writtenSince reads what was written in each chunk since a mark. The age of a row's xmin is that
// of the transaction that wrote it; vacuum keeps it
// (https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-WRAPAROUND).
func (p *Pair) writtenSince(ctx context.Context, t Table, d division, mark string) ([]writing, error) {
	from, arguments := d.rows(p.Scope, t, "age(x.xmin) AS age")
	arguments = append(arguments, mark)
	rows, err := p.Source.Query(ctx, fmt.Sprintf(`
		SELECT r.i, count(*), bool_or(r.age <= age($%d::text::xid)) FROM %s GROUP BY r.i`, len(arguments), from),
		arguments...)
	var found []writing
	if err == nil {
		found, err = collectByChunk(rows, d, func(w *writing) []any { return []any{&w.rows, &w.written} })
	}
	if err != nil {
		return nil, fmt.Errorf("find what has changed in fanfare.%s: %w", t.Name, err)
	}
	return found, nil
}

// total returns the number of rows of all digests.
func total(digests []Digest) (rows int64) {
	for _, d := range digests {
		rows += d.Rows
	}
	return rows
}
