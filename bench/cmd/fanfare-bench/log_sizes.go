package main

import (
	"context"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
)

// sizes is the size of the log on disk.
type sizes struct {
	Parts []sizedPart `json:"parts"`
	Total sizedPart   `json:"total"`
}

// sizedPart is a table's heap, its TOAST table, or an index, summed over all partitions.
type sizedPart struct {
	Table string  `json:"table"`
	Part  string  `json:"part"`
	Bytes int64   `json:"bytes"`
	Each  float64 `json:"bytes_per_activity"`
}

func (s *sizes) table(w io.Writer) {
	if s == nil {
		return
	}
	row(w)
	row(w, "on disk", "", "MB", "bytes per activity")
	for _, p := range append(s.Parts, s.Total) {
		row(w, p.Table, p.Part, fmt.Sprintf("%.0f", float64(p.Bytes)/1e6), fmt.Sprintf("%.1f", p.Each))
	}
}

func measureSizes(ctx context.Context, db *stack.Database, activities int64) (*sizes, error) {
	rows, err := db.Pool.Query(ctx, `
		WITH parts AS (
		    SELECT 'activities' AS name, relid FROM pg_partition_tree('fanfare.activities') WHERE isleaf
		    UNION ALL
		    SELECT 'idempotency_keys', 'fanfare.idempotency_keys'::regclass
		), measured AS (
		    SELECT name, 0 AS place, 'heap' AS part,
		        pg_table_size(relid) - coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0) AS bytes
		    FROM parts JOIN pg_class AS c ON c.oid = relid
		    UNION ALL
		    SELECT name, 1, 'toast', coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0)
		    FROM parts JOIN pg_class AS c ON c.oid = relid
		    UNION ALL
		    SELECT name, 2, coalesce(whole.relname, own.relname), pg_relation_size(i.indexrelid)
		    FROM parts
		    JOIN pg_index AS i ON i.indrelid = relid
		    JOIN pg_class AS own ON own.oid = i.indexrelid
		    LEFT JOIN pg_inherits AS h ON h.inhrelid = i.indexrelid
		    LEFT JOIN pg_class AS whole ON whole.oid = h.inhparent
		)
		SELECT name, part, sum(bytes)::bigint, sum(bytes)::float8 / $1
		FROM measured GROUP BY name, place, part ORDER BY name, place, part`, float64(max(1, activities)))
	if err != nil {
		return nil, err
	}
	s := &sizes{Total: sizedPart{Table: "all"}}
	if s.Parts, err = pgx.CollectRows(rows, pgx.RowToStructByPos[sizedPart]); err != nil {
		return nil, err
	}
	for _, p := range s.Parts {
		s.Total.Bytes += p.Bytes
		s.Total.Each += p.Each
	}
	return s, nil
}
