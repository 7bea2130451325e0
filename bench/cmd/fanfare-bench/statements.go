package main

import (
	"context"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
)

// statement is the cost of one statement in PostgreSQL.
type statement struct {
	Query       string  `json:"query"`
	Calls       int64   `json:"calls"`
	Rows        int64   `json:"rows"`
	TotalMillis float64 `json:"total_ms"`
	MeanMillis  float64 `json:"mean_ms"`
	Buffers     int64   `json:"buffers"`
}

func resetStatements(ctx context.Context, db *stack.Database, on bool) error {
	if !on {
		return nil
	}
	return db.Exec(ctx, "SELECT pg_stat_statements_reset()")
}

func readStatements(ctx context.Context, db *stack.Database, on bool) ([]statement, error) {
	if !on {
		return nil, nil
	}
	rows, err := db.Pool.Query(ctx, `
		SELECT left(regexp_replace(query, '\s+', ' ', 'g'), 70), calls, rows, total_exec_time, mean_exec_time,
		    shared_blks_hit + shared_blks_read
		FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT 12`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[statement])
}

func showStatements(w io.Writer, variant string, statements []statement) {
	if len(statements) == 0 {
		return
	}
	row(w)
	row(w, variant, "calls", "rows", "total ms", "mean ms", "buffers")
	for _, s := range statements {
		row(w, s.Query, s.Calls, s.Rows, fmt.Sprintf("%.0f", s.TotalMillis), fmt.Sprintf("%.3f", s.MeanMillis),
			s.Buffers)
	}
}
