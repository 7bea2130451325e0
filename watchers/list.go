package watchers

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// Page says which part of a list is wanted.
type Page struct {
	Limit int       // at most so many; DefaultPage if it is not positive, MaxPage if it is above that
	After uuid.UUID // only those above this id
}

// The bounds of a Page.
const (
	DefaultPage = 50
	MaxPage     = 1000
)

func (p Page) limit() int {
	if p.Limit <= 0 {
		return DefaultPage
	}
	return min(p.Limit, MaxPage)
}

const listSubscriptions = `
SELECT ` + subscriptionColumns + `
FROM fanfare.subscriptions AS s
WHERE s.tenant_id = $1 AND s.principal_id = $2 AND s.revoked_at IS NULL AND s.id > $3
ORDER BY s.tenant_id, s.principal_id, s.id
LIMIT $4`

// Subscriptions lists the principal's that count, by id, so about in the order in which they were
// made. next, unless it is uuid.Nil, is what Page.After takes for more.
func Subscriptions(
	ctx context.Context,
	db pg.Querier,
	tenant, principal uuid.UUID,
	p Page,
) (list []Subscription, next uuid.UUID, err error) {
	limit := p.limit()
	rows, err := db.Query(ctx, listSubscriptions, tenant, principal, p.After, limit+1)
	if err != nil {
		return nil, uuid.Nil, fmt.Errorf("list subscriptions: %w", err)
	}
	if list, err = pgx.CollectRows(rows, scanSubscription); err != nil {
		return nil, uuid.Nil, fmt.Errorf("list subscriptions: %w", err)
	}
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].ID
	}
	return list, next, nil
}
