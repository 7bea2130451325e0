package outbox

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// RecordedID identifies a recorded activity.
type RecordedID struct {
	ID      uuid.UUID
	Created bool // false if the activity existed already
}

// RecordJSON records envelopes as fanfare.record_activity accepts them, in order, all of them or
// none, in one round trip. The database checks every rule, and reads nothing else of the envelopes
// than record_activity does. An *invalid.Error names the fields of up to 20 rejected envelopes as
// "envelopes[3].action". The texts must be JSON that jsonb can represent.
func RecordJSON(ctx context.Context, db pg.Querier, envelopes []string) ([]RecordedID, error) {
	rows, err := db.Query(ctx, `
		SELECT many.n, r.id, r.created, r.field, r.value, r.rule
		FROM fanfare.record_envelopes($1::text[]::jsonb[]) AS many, LATERAL (SELECT (many.recording).*) AS r
		ORDER BY many.n`, envelopes)
	if err != nil {
		return nil, fmt.Errorf("record activities: %w", err)
	}
	recorded := make([]RecordedID, 0, len(envelopes))
	var (
		rejected           invalid.Error
		n                  int
		one                RecordedID
		field, value, rule zeronull.Text
	)
	targets := []any{&n, (*zeronull.UUID)(&one.ID), &one.Created, &field, &value, &rule}
	_, err = pgx.ForEachRow(rows, targets, func() error {
		if rule != "" { // the name of a field may be empty
			rejected.Fields = append(rejected.Fields, invalid.Field{
				Name: fmt.Sprintf("envelopes[%d].%s", n-1, field), Value: string(value), Rule: string(rule),
			})
		}
		recorded = append(recorded, one)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("record activities: %w", err)
	}
	if len(rejected.Fields) > 0 {
		return nil, &rejected
	}
	return recorded, nil
}
