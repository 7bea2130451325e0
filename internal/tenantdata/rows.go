package tenantdata

import (
	"context"
	"errors"
	"fmt"

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

// CopyRows makes the rows of a table of the kind Rows equal, as far as they do not change
// meanwhile, and returns the number of copied rows. A chunk whose copy contradicts rows that have
// changed since they were copied is left as it is.
func (p *Pair) CopyRows(ctx context.Context, t Table) (copied int64, err error) {
	changed, _, here, err := p.differing(ctx, t)
	if err != nil {
		return 0, err
	}
	for i, c := range changed {
		var n int64
		err := p.Write(ctx, func(tx pgx.Tx) error {
			if here[i].Rows > 0 {
				if err := p.deleteChunk(ctx, tx, t, c); err != nil {
					return err
				}
			}
			n, err = p.copyChunk(ctx, tx, t, c, "fanfare."+t.Name)
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
	changed, rows, _, err := p.differing(ctx, t)
	if err != nil || len(changed) == 0 {
		return rows, 0, err
	}
	err = p.Write(ctx, func(tx pgx.Tx) error {
		for _, c := range changed {
			if err := p.deleteChunk(ctx, tx, t, c); err != nil {
				return err
			}
		}
		for _, c := range changed {
			n, err := p.copyChunk(ctx, tx, t, c, "fanfare."+t.Name)
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
	for _, c := range changed {
		if err := p.compareChunk(ctx, t, c); err != nil {
			return 0, 0, err
		}
	}
	return rows, copied, nil
}

// compareChunk returns a *DifferenceError if the rows of a chunk differ.
func (p *Pair) compareChunk(ctx context.Context, t Table, c Chunk) error {
	there, here, err := both(p, func(db *pgx.Conn) ([]Digest, error) {
		return p.digests(ctx, db, t, nil, c, wholeRows)
	})
	if err != nil {
		return err
	}
	if there[0] != here[0] {
		return &DifferenceError{t.Name, there[0].Rows, here[0].Rows}
	}
	return nil
}

// differing returns the chunks of a table that differ, with the destination's digests of them, and
// the number of the source's rows.
func (p *Pair) differing(ctx context.Context, t Table) (chunks []Chunk, rows int64, here []Digest, err error) {
	bounds, err := p.bounds(ctx, p.Source, t, Chunk{})
	if err != nil {
		return nil, 0, nil, err
	}
	source, destination, err := both(p, func(db *pgx.Conn) ([]Digest, error) {
		return p.digests(ctx, db, t, bounds, Chunk{}, wholeRows)
	})
	if err != nil {
		return nil, 0, nil, err
	}
	for i, c := range chunksOf(bounds, Chunk{}) {
		rows += source[i].Rows
		if source[i] != destination[i] {
			chunks, here = append(chunks, c), append(here, destination[i])
		}
	}
	return chunks, rows, here, nil
}

// both reads from both databases at the same time.
func both[T any](p *Pair, read func(db *pgx.Conn) (T, error)) (source, destination T, err error) {
	var g errgroup.Group
	g.Go(func() (err error) { source, err = read(p.Source); return err })
	g.Go(func() (err error) { destination, err = read(p.Destination); return err })
	return source, destination, g.Wait()
}

func (p *Pair) deleteChunk(ctx context.Context, tx pgx.Tx, t Table, c Chunk) error {
	_, err := tx.Exec(ctx, fmt.Sprintf(`DELETE FROM fanfare.%s AS x WHERE %s AND %s`, t.Name, p.of("x"), t.in(c)))
	if err != nil {
		return fmt.Errorf("replace rows of fanfare.%s: %w", t.Name, err)
	}
	return nil
}
