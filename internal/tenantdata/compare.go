package tenantdata

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// comparison is what two databases have in a table.
type comparison struct {
	division
	source []Digest // of the chunks that were read
	rows   int64    // of the source
	spans  []span   // that differ, without a common end

	mark    string // a transaction id of the source: what is written after the comparison has it, or a later one
	differs []bool // of each chunk
}

// span is a range of rows that differ.
type span struct {
	Chunk
	there, here int64 // the numbers of rows in the source and in the destination
}

// compare compares all rows of a table.
func (p *Pair) compare(ctx context.Context, t Table) (c comparison, err error) {
	if c.mark, err = p.nextMark(ctx); err != nil {
		return c, err
	}
	size := max(p.ChunkRows/chunkParts, 1)
	if c.bounds, err = p.bounds(ctx, p.Source, t, Chunk{}, size); err != nil {
		return c, err
	}
	if err := p.read(ctx, t, &c); err != nil {
		return c, err
	}
	c.rows = total(c.source)
	return c, nil
}

// compareAgain compares the chunks of a table that may have changed since the latest comparison:
// those that differed, those with a row that was written since, and those with another number of
// rows. Without a row that was written since, a chunk with as many rows has the same ones.
func (p *Pair) compareAgain(ctx context.Context, t Table) (c comparison, err error) {
	before, known := p.compared[t.Name]
	if !known {
		return p.compare(ctx, t)
	}
	c.bounds, c.chosen = before.bounds, []int32{}
	chunks, err := p.writtenSince(ctx, t, &before)
	if err != nil {
		return c, err
	}
	for i, chunk := range chunks {
		c.rows += chunk.rows
		if before.differs[i] || chunk.written || chunk.rows != before.source[i].Rows {
			c.chosen = append(c.chosen, int32(i))
		}
	}
	if len(c.chosen) == 0 {
		return c, nil
	}
	return c, p.read(ctx, t, &c)
}

// remember keeps a comparison of all rows for compareAgain.
func (p *Pair) remember(t Table, c comparison) {
	if p.compared == nil {
		p.compared = map[string]comparison{}
	}
	p.compared[t.Name] = c
}

// read reads the chunks of a comparison in both databases, and finds the spans that differ.
func (p *Pair) read(ctx context.Context, t Table, c *comparison) error {
	source, here, err := both(p, func(db *pgx.Conn) ([]Digest, error) {
		return p.digests(ctx, db, t, c.division, wholeRows)
	})
	if err != nil {
		return err
	}
	c.source, c.differs = source, make([]bool, len(source))
	last := -2 // the index of the last chunk that differs
	for i, chunk := range chunksOf(c.bounds, Chunk{}) {
		if source[i] == here[i] {
			continue
		}
		c.differs[i] = true
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

// nextMark returns the lowest id of a transaction that has not ended in the source.
func (p *Pair) nextMark(ctx context.Context) (mark string, err error) {
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

// writtenSince reads what was written in the chunks of a comparison since then. The age of a row's
// xmin is that of the transaction that wrote it; vacuum keeps it
// (https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-WRAPAROUND).
func (p *Pair) writtenSince(ctx context.Context, t Table, c *comparison) ([]writing, error) {
	rows, err := p.Source.Query(ctx, fmt.Sprintf(`
		SELECT r.bucket, count(*), bool_or(r.written)
		FROM (
		    SELECT %s AS bucket, age(x.xmin) <= age($2::text::xid) AS written FROM fanfare.%s AS x WHERE %s
		) AS r
		GROUP BY r.bucket`, c.bucket(t), t.Name, p.of("x")), c.joined(), c.mark)
	if err != nil {
		return nil, fmt.Errorf("find what has changed in fanfare.%s: %w", t.Name, err)
	}
	found := make([]writing, len(c.bounds)+1)
	var (
		i int
		w writing
	)
	_, err = pgx.ForEachRow(rows, []any{&i, &w.rows, &w.written}, func() error {
		found[i] = w
		return nil
	})
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
