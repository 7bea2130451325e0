package tenantdata

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// division divides a tenant's rows of a table into chunks, which have numbers from 0 on.
type division struct {
	within Chunk
	bounds []Key   // at which the chunks begin, but for the first
	chosen []int32 // the numbers of the chunks that are read; nil selects all
}

// numbers returns the numbers of the chunks that are read.
func (d *division) numbers() []int32 {
	if d.chosen != nil {
		return d.chosen
	}
	all := make([]int32, len(d.bounds)+1)
	for i := range all {
		all[i] = int32(i)
	}
	return all
}

// rows returns a FROM clause, with its parameters, of a relation r. It has, for each row x of the
// chunks that are read, the number i of its chunk and what is selected of it.
func (d *division) rows(s *Scope, t Table, selected string) (from string, arguments []any) {
	switch {
	case len(t.Key) == 0:
		return fmt.Sprintf(`unnest($1::int[]) AS n CROSS JOIN LATERAL (
			SELECT n AS i, %s FROM fanfare.%s AS x WHERE %s OFFSET 0
		) AS r`, selected, t.Name, s.of("x")), []any{d.numbers()}
	case t.Unindexed:
		return d.rowsAtOnce(s, t, selected)
	}
	return d.rowsInRanges(s, t, selected)
}

// rowsInRanges is rows for a table with an index of its key: each chunk is a range of the index.
// OFFSET 0 keeps the planner from another order.
func (d *division) rowsInRanges(s *Scope, t Table, selected string) (from string, arguments []any) {
	numbers := d.numbers()
	lows, highs := make([][][16]byte, len(t.Key)), make([][][16]byte, len(t.Key)) // of each column, by chunk
	unlimited := make([]bool, len(numbers))                                       // above
	chunks := chunksOf(d.bounds, d.within)
	for j, i := range numbers {
		c := chunks[i]
		unlimited[j] = c.To == nil
		for k := range t.Key {
			low, high := uuid.Nil, uuid.Max
			if c.From != nil {
				low = c.From[k]
			}
			if c.To != nil {
				high = c.To[k]
			}
			lows[k], highs[k] = append(lows[k], low), append(highs[k], high)
		}
	}
	arguments = []any{numbers, unlimited}
	var parameters, names string
	var low, high []string
	for k := range t.Key {
		arguments = append(arguments, lows[k], highs[k])
		parameters += fmt.Sprintf(", $%d::uuid[], $%d::uuid[]", len(arguments)-1, len(arguments))
		names += fmt.Sprintf(", low%d, high%d", k, k)
		low, high = append(low, fmt.Sprintf("c.low%d", k)), append(high, fmt.Sprintf("c.high%d", k))
	}
	return fmt.Sprintf(`unnest($1::int[], $2::boolean[]%[1]s) AS c (i, unlimited%[2]s) CROSS JOIN LATERAL (
		    SELECT c.i, %[3]s FROM fanfare.%[4]s AS x
		    WHERE %[5]s AND (%[6]s) >= (%[7]s) AND (%[6]s) <= (%[8]s) AND (c.unlimited OR (%[6]s) < (%[8]s))
		    OFFSET 0
		) AS r`, parameters, names, selected, t.Name, s.of("x"), t.keyColumns(), strings.Join(low, ", "),
		strings.Join(high, ", ")), arguments
}

// rowsAtOnce is rows for a table without an index of its key: it is read from end to end, and the
// chunk of each row is found by a search in the bounds.
func (d *division) rowsAtOnce(s *Scope, t Table, selected string) (from string, arguments []any) {
	columns := make([]string, len(t.Key))
	for k, c := range t.Key {
		columns[k] = "x." + c + "::text"
	}
	bounds := make([]string, len(d.bounds))
	for i, b := range d.bounds {
		for _, id := range b {
			bounds[i] += id.String()
		}
	}
	return fmt.Sprintf(`(
		    SELECT width_bucket((%s) COLLATE "C", $2::text[] COLLATE "C") AS i, %s
		    FROM fanfare.%s AS x WHERE %s AND %s
		    OFFSET 0
		) AS r WHERE r.i = ANY ($1::int[])`, strings.Join(columns, " || "), selected, t.Name, s.of("x"),
		t.in(d.within)), []any{d.numbers(), bounds}
}

// digests returns the digest of each chunk of the tenant's rows; those that are not read are zero.
func (s *Scope) digests(ctx context.Context, db pg.Querier, t Table, d division, only counted) ([]Digest, error) {
	texts := "''"
	if !only {
		texts = s.text(t)
	}
	from, arguments := d.rows(s, t, texts+" AS line")
	rows, err := db.Query(ctx, `
		SELECT r.i, count(*), sum(hashtextextended(r.line, 0))::text, sum(hashtextextended(r.line, 1))::text
		FROM `+from+` GROUP BY r.i`, arguments...)
	var found []Digest
	if err == nil {
		found, err = collectByChunk(rows, d, func(sum *Digest) []any {
			return []any{&sum.Rows, &sum.Sums[0], &sum.Sums[1]}
		})
	}
	if err != nil {
		return nil, fmt.Errorf("compare fanfare.%s: %w", t.Name, err)
	}
	return found, nil
}

// collectByChunk collects rows of the number of a chunk and of what targets scan. A chunk without a
// row is zero.
func collectByChunk[T any](rows pgx.Rows, d division, targets func(*T) []any) ([]T, error) {
	found := make([]T, len(d.bounds)+1)
	var (
		i    int
		each T
	)
	_, err := pgx.ForEachRow(rows, append([]any{&i}, targets(&each)...), func() error {
		found[i] = each
		return nil
	})
	return found, err
}
