package pglog

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
)

// SinceRequest selects what Since reads.
type SinceRequest struct {
	Tenant        uuid.UUID
	After         uuid.UUID // only activities with ids above this one
	Limit         int       // the maximum number of activities to read
	AddressedOnly bool      // only activities whose delivery channels include activity.ToTenant
}

// SinceResult is a part of a tenant's stream.
type SinceResult struct {
	Found []activity.Activity // oldest first
	Next  uuid.UUID           // the After of the following request
	More  bool                // whether there may be activities above Next
}

// Since reads the activities of a tenant's stream, oldest first. Private activities are left out.
func (l *Log) Since(ctx context.Context, r SinceRequest) (SinceResult, error) {
	result, read := SinceResult{Next: r.After}, 0
	batch := &pgx.Batch{}
	batch.Queue(PinOrder)
	batch.Queue(`
		SELECT `+Columns+`
		FROM fanfare.activities AS a
		WHERE a.tenant_id = $1 AND a.id > $2
		ORDER BY a.id
		LIMIT $3`, r.Tenant, r.After, r.Limit).Query(func(rows pgx.Rows) error {
		var a activity.Activity
		_, err := pgx.ForEachRow(rows, ScanTargets(&a), func() error {
			read++
			result.Next = a.ID
			addressed := !r.AddressedOnly || slices.Contains(a.DeliveryChannels, activity.ToTenant)
			if a.Visibility != activity.Private && addressed {
				result.Found = append(result.Found, a)
			}
			a = activity.Activity{}
			return nil
		})
		return err
	})
	if err := l.db.SendBatch(ctx, batch).Close(); err != nil {
		return SinceResult{}, fmt.Errorf("read the log: %w", err)
	}
	result.More = read == r.Limit
	return result, nil
}
