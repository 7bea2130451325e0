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
