package watchers

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/watchers/directory"
)

// Subject is a resource whose audience is measured.
type Subject struct {
	TenantID   uuid.UUID
	ResourceID uuid.UUID
	ParentID   uuid.UUID // counts if the directory does not contain the resource
	UpTo       uuid.UUID // principals up to this id count as passed
}

// Size is an estimate of an audience: subscriptions, and members of subscribed groups.
type Size struct {
	Total  *int64 // nil if it is larger than what is counted
	Passed int64  // those among the counted ones that are passed
}

// maxCounted is the number of subscriptions and members that Sizes counts in all.
const maxCounted = 1_000_000

// batcher is a pool, a connection or a transaction.
type batcher interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// Sizes estimates the audiences of subjects, in one round trip.
func Sizes(ctx context.Context, db batcher, subjects []Subject) ([]Size, error) {
	if len(subjects) == 0 {
		return nil, nil
	}
	sizes := make([]Size, len(subjects))
	batch := &pgx.Batch{}
	for i, s := range subjects {
		batch.Queue(`SELECT s.total, coalesce(s.passed, 0) FROM fanfare.audience_size($1, $2, $3, $4, $5, $6) AS s`,
			s.TenantID, s.ResourceID, zeronull.UUID(s.ParentID), s.UpTo, maxCounted/len(subjects), directory.MaxDepth).
			QueryRow(func(row pgx.Row) error { return row.Scan(&sizes[i].Total, &sizes[i].Passed) })
	}
	if err := db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("estimate audiences: %w", err)
	}
	return sizes, nil
}
