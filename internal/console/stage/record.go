package stage

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func record(ctx context.Context, db querier, envelopes []Envelope, backdated bool) ([]uuid.UUID, error) {
	body, err := encode(envelopes)
	if err != nil {
		return nil, err
	}
	rows, err := db.Query(ctx, `SELECT stage.record($1::jsonb, $2)`, body, backdated)
	if err == nil {
		var ids []uuid.UUID
		if ids, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID]); err == nil {
			return ids, nil
		}
	}
	return nil, fmt.Errorf("record %d activities: %w", len(envelopes), err)
}
