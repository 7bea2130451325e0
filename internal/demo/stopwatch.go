package demo

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// stopwatch is a pg.Beginner that notes when the transaction it began sends its COMMIT: from there on others
// may hear, and latency counts. It is for one transaction.
type stopwatch struct {
	pg.Beginner
	committedAt time.Time
}

func (s *stopwatch) Begin(ctx context.Context) (pgx.Tx, error) {
	tx, err := s.Beginner.Begin(ctx)
	return &timedTx{Tx: tx, watch: s}, err
}

type timedTx struct {
	pgx.Tx
	watch *stopwatch
}

func (t *timedTx) Commit(ctx context.Context) error {
	t.watch.committedAt = time.Now()
	return t.Tx.Commit(ctx)
}
