package activity

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Since returns at most limit activities of the tenant with ids above after, oldest first. Private
// ones are left out, and with addressed all that did not ask for the tenant's stream: what remains
// is what that stream is given. next is the id to go on after, and more tells whether there may be
// any.
func (l *PostgresLog) Since(
	ctx context.Context,
	tenant, after uuid.UUID,
	limit int,
	addressed bool,
) (found []Activity, next uuid.UUID, more bool, err error) {
	batch := &pgx.Batch{}
	batch.Queue(pinOrder)
	read := 0
	next = after
	batch.Queue(`
		SELECT `+Columns+`
		FROM fanfare.activities AS a
		WHERE a.tenant_id = $1 AND a.id > $2
		ORDER BY a.id
		LIMIT $3`, tenant, after, limit).Query(func(rows pgx.Rows) error {
		var a Activity
		_, err := pgx.ForEachRow(rows, a.Fields(), func() error {
			read++
			next = a.ID
			if a.Visibility != Private && (!addressed || a.asksFor(ToTenant)) {
				found = append(found, a)
			}
			a = Activity{}
			return nil
		})
		return err
	})
	if err := l.db.SendBatch(ctx, batch).Close(); err != nil {
		return nil, uuid.Nil, false, fmt.Errorf("read the log: %w", err)
	}
	return found, next, read == limit, nil
}

func (a *Activity) asksFor(channel string) bool {
	for _, c := range a.DeliveryChannels {
		if c == channel {
			return true
		}
	}
	return false
}
