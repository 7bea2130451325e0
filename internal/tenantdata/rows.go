package tenantdata

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
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
	changed, here, err := p.differing(ctx, t)
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
// transaction, and compares them. It returns the number of rows, and of those that were copied.
func (p *Pair) SettleRows(ctx context.Context, t Table) (rows, copied int64, err error) {
	changed, _, err := p.differing(ctx, t)
	if err != nil {
		return 0, 0, err
	}
	if len(changed) > 0 {
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
	}
	rows, err = p.CompareRows(ctx, t)
	return rows, copied, err
}

// CompareRows returns the number of the tenant's rows of a table, or a *DifferenceError.
func (p *Pair) CompareRows(ctx context.Context, t Table) (rows int64, err error) {
	there, err := p.digests(ctx, p.Source, t, nil, Chunk{}, wholeRows)
	if err != nil {
		return 0, err
	}
	here, err := p.digests(ctx, p.Destination, t, nil, Chunk{}, wholeRows)
	if err != nil {
		return 0, err
	}
	if there[0] != here[0] {
		return 0, &DifferenceError{t.Name, there[0].Rows, here[0].Rows}
	}
	return there[0].Rows, nil
}

// differing returns the chunks of a table that differ, with the destination's digests of them.
func (p *Pair) differing(ctx context.Context, t Table) (chunks []Chunk, here []Digest, err error) {
	bounds, err := p.bounds(ctx, p.Source, t, Chunk{})
	if err != nil {
		return nil, nil, err
	}
	source, err := p.digests(ctx, p.Source, t, bounds, Chunk{}, wholeRows)
	if err != nil {
		return nil, nil, err
	}
	destination, err := p.digests(ctx, p.Destination, t, bounds, Chunk{}, wholeRows)
	if err != nil {
		return nil, nil, err
	}
	for i, c := range chunksOf(bounds, Chunk{}) {
		if source[i] != destination[i] {
			chunks, here = append(chunks, c), append(here, destination[i])
		}
	}
	return chunks, here, nil
}

func (p *Pair) deleteChunk(ctx context.Context, tx pgx.Tx, t Table, c Chunk) error {
	_, err := tx.Exec(ctx, fmt.Sprintf(`DELETE FROM fanfare.%s AS x WHERE %s AND %s`, t.Name, p.of("x"), t.in(c)))
	if err != nil {
		return fmt.Errorf("replace rows of fanfare.%s: %w", t.Name, err)
	}
	return nil
}
