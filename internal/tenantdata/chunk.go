package tenantdata

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// DefaultChunkRows is the number of rows in a chunk: few enough that a chunk which changes is
// copied again in milliseconds, many enough that the round trips of a chunk do not matter.
const DefaultChunkRows = 5000

// Key is a value of a table's key. It is nil before the first chunk and after the last one.
type Key []uuid.UUID

// Chunk is a range of a table's key, [From, To).
type Chunk struct{ From, To Key }

// tuple returns the key as SQL.
func (k Key) tuple() string {
	texts := make([]string, len(k))
	for i, id := range k {
		texts[i] = "'" + id.String() + "'::uuid"
	}
	return "(" + strings.Join(texts, ", ") + ")"
}

// keyColumns returns the columns of the key of a row x.
func (t Table) keyColumns() string {
	names := make([]string, len(t.Key))
	for i, c := range t.Key {
		names[i] = "x." + c
	}
	return strings.Join(names, ", ")
}

// in returns the condition on the rows x of a chunk.
func (t Table) in(c Chunk) string {
	condition := "true"
	if c.From != nil {
		condition += fmt.Sprintf(" AND (%s) >= %s", t.keyColumns(), c.From.tuple())
	}
	if c.To != nil {
		condition += fmt.Sprintf(" AND (%s) < %s", t.keyColumns(), c.To.tuple())
	}
	return condition
}

// bounds returns the keys at which the chunks of a number of the tenant's rows in a range begin,
// but for the first.
func (s *Scope) bounds(ctx context.Context, db pg.Querier, t Table, within Chunk, size int) ([]Key, error) {
	if len(t.Key) == 0 {
		return nil, nil
	}
	rows, err := db.Query(ctx, fmt.Sprintf(`
		SELECT ARRAY[%[1]s]
		FROM (
		    SELECT %[1]s, row_number() OVER (ORDER BY %[1]s) AS n
		    FROM fanfare.%[2]s AS x WHERE %[3]s AND %[4]s
		) AS x
		WHERE x.n > 1 AND (x.n - 1) %% %[5]d = 0
		GROUP BY %[1]s
		ORDER BY %[1]s`, t.keyColumns(), t.Name, s.of("x"), t.in(within), size))
	if err != nil {
		return nil, fmt.Errorf("divide fanfare.%s: %w", t.Name, err)
	}
	keys, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Key, error) {
		var ids [][16]byte
		err := row.Scan(&ids)
		key := make(Key, len(ids))
		for i, id := range ids {
			key[i] = id
		}
		return key, err
	})
	if err != nil {
		return nil, fmt.Errorf("divide fanfare.%s: %w", t.Name, err)
	}
	return keys, nil
}

// chunksOf returns the chunks between the bounds, within a range.
func chunksOf(bounds []Key, within Chunk) []Chunk {
	chunks := make([]Chunk, 0, len(bounds)+1)
	from := within.From
	for _, b := range bounds {
		chunks = append(chunks, Chunk{from, b})
		from = b
	}
	return append(chunks, Chunk{from, within.To})
}

// Digest summarises rows regardless of their order: their number, and two sums of hashes of their
// texts.
type Digest struct {
	Rows int64
	Sums [2]string // of PostgreSQL's hashtextextended with the seeds 0 and 1
}

// counted selects what digests contain: all of it, or the numbers of rows only, which take an index
// and no rows.
type counted bool

const (
	wholeRows counted = false
	rowsOnly  counted = true
)

// division divides a tenant's rows of a table into chunks.
type division struct {
	within Chunk
	bounds []Key   // at which the chunks begin, but for the first
	chosen []int32 // the chunks that are read, by their numbers; nil selects all
}

// each returns a FROM clause, with its parameters, whose r has the number i of each chosen chunk
// and what is selected of each of its rows x. Chunks are read one after the other, as ranges of an
// index, if there is one.
func (d *division) each(s *Scope, t Table, selected string) (from string, arguments []any) {
	chunks := chunksOf(d.bounds, d.within)
	numbers := d.chosen
	if numbers == nil {
		for i := range chunks {
			numbers = append(numbers, int32(i))
		}
	}
	if len(t.Key) == 0 {
		return fmt.Sprintf(`unnest($1::int[]) AS n CROSS JOIN LATERAL (
			SELECT n AS i, %s FROM fanfare.%s AS x WHERE %s OFFSET 0
		) AS r`, selected, t.Name, s.of("x")), []any{numbers}
	}
	if t.Unindexed {
		return d.eachAtOnce(s, t, selected), []any{numbers, d.joined()}
	}
	n := len(t.Key)
	last := make([]bool, len(numbers)) // no row is above the chunk
	limits := make([][][16]byte, 2*n)  // of each column: from, to
	types, names, low, high := "", "", "", ""
	for k := range n {
		types += fmt.Sprintf(", $%d::uuid[], $%d::uuid[]", 2*k+3, 2*k+4)
		names += fmt.Sprintf(", l%d, h%d", k, k)
		low, high = low+fmt.Sprintf(", c.l%d", k), high+fmt.Sprintf(", c.h%d", k)
	}
	for j, i := range numbers {
		chunk := chunks[i]
		last[j] = chunk.To == nil
		for k := range n {
			from, to := uuid.Nil, uuid.Max
			if chunk.From != nil {
				from = chunk.From[k]
			}
			if chunk.To != nil {
				to = chunk.To[k]
			}
			limits[2*k], limits[2*k+1] = append(limits[2*k], from), append(limits[2*k+1], to)
		}
	}
	arguments = []any{numbers, last}
	for _, column := range limits {
		arguments = append(arguments, column)
	}
	return fmt.Sprintf(`unnest($1::int[], $2::boolean[]%[1]s) AS c (i, last%[2]s)
		CROSS JOIN LATERAL (
		    SELECT c.i, %[3]s FROM fanfare.%[4]s AS x
		    WHERE %[5]s AND (%[6]s) >= (%[7]s) AND (%[6]s) <= (%[8]s) AND (c.last OR (%[6]s) < (%[8]s))
		    OFFSET 0
		) AS r`, types, names, selected, t.Name, s.of("x"), t.keyColumns(), low[2:], high[2:]), arguments
}

// eachAtOnce is each for a table that is read from end to end. The parameter $2 has the joined
// bounds.
func (d *division) eachAtOnce(s *Scope, t Table, selected string) string {
	columns := make([]string, len(t.Key))
	for i, c := range t.Key {
		columns[i] = "x." + c + "::text"
	}
	return fmt.Sprintf(`(
		    SELECT width_bucket((%s) COLLATE "C", $2::text[] COLLATE "C") AS i, %s
		    FROM fanfare.%s AS x WHERE %s AND %s
		    OFFSET 0
		) AS r WHERE r.i = ANY ($1::int[])`, strings.Join(columns, " || "), selected, t.Name, s.of("x"), t.in(d.within))
}

// joined returns the bounds as texts, in the order of the keys.
func (d *division) joined() []string {
	texts := make([]string, len(d.bounds))
	for i, b := range d.bounds {
		for _, id := range b {
			texts[i] += id.String()
		}
	}
	return texts
}

// digests returns the digest of each chunk of the tenant's rows; those that are not chosen are
// zero.
func (s *Scope) digests(ctx context.Context, db pg.Querier, t Table, d division, only counted) ([]Digest, error) {
	texts := "''"
	if !only {
		texts = s.text(t)
	}
	from, arguments := d.each(s, t, texts+" AS line")
	rows, err := db.Query(ctx, `
		SELECT r.i, count(*), sum(hashtextextended(r.line, 0))::text, sum(hashtextextended(r.line, 1))::text
		FROM `+from+` GROUP BY r.i`, arguments...)
	if err != nil {
		return nil, fmt.Errorf("compare fanfare.%s: %w", t.Name, err)
	}
	found := make([]Digest, len(d.bounds)+1)
	var (
		i   int
		sum Digest
	)
	_, err = pgx.ForEachRow(rows, []any{&i, &sum.Rows, &sum.Sums[0], &sum.Sums[1]}, func() error {
		found[i] = sum
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("compare fanfare.%s: %w", t.Name, err)
	}
	return found, nil
}

// keysDigest returns the digest of the idempotency keys of the activities in a chunk of the log.
func (s *Scope) keysDigest(ctx context.Context, db pg.RowQuerier, c Chunk) (d Digest, err error) {
	err = db.QueryRow(ctx, fmt.Sprintf(`
		SELECT count(*), coalesce(sum(hashtextextended(r.line, 0)), 0)::text,
		       coalesce(sum(hashtextextended(r.line, 1)), 0)::text
		FROM (SELECT ROW(k.*)::text AS line FROM %s) AS r`, s.keysIn(c))).Scan(&d.Rows, &d.Sums[0], &d.Sums[1])
	if err != nil {
		return d, fmt.Errorf("compare fanfare.idempotency_keys: %w", err)
	}
	return d, nil
}

// keysIn returns the FROM clause of the idempotency keys k of the activities x in a chunk. Each key
// is looked up: the order of a join would depend on statistics, which are out of date after a copy.
func (s *Scope) keysIn(c Chunk) string {
	return fmt.Sprintf(`fanfare.activities AS x
		CROSS JOIN LATERAL (
		    SELECT k.* FROM fanfare.idempotency_keys AS k
		    WHERE k.tenant_id = x.tenant_id AND k.correlation_id = x.correlation_id AND k.action = x.action
		      AND k.resource_id = x.resource_id AND k.activity_id = x.id
		    OFFSET 0
		) AS k
		WHERE %s AND %s`, s.of("x"), named("activities").in(c))
}
