package subscriptions

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// Page selects part of a list that is ordered by id.
type Page struct {
	Limit int       // maximum number of entries; DefaultPage if not positive, MaxPage if above it
	After uuid.UUID // only entries above this id; uuid.Nil selects the first page
}

// The bounds of Page.Limit.
const (
	DefaultPage = 50
	MaxPage     = 1000
)

// EffectiveLimit returns Limit within its bounds.
func (p Page) EffectiveLimit() int {
	if p.Limit <= 0 {
		return DefaultPage
	}
	return min(p.Limit, MaxPage)
}

const selectSubscriptions = `
SELECT ` + columns + `
FROM fanfare.subscriptions AS s
WHERE s.tenant_id = $1 AND s.principal_id = $2 AND s.revoked_at IS NULL AND s.id > $3
ORDER BY s.tenant_id, s.principal_id, s.id
LIMIT $4`

// List returns the principal's subscriptions that are not revoked, ordered by id, which is roughly
// the order of their creation. next is the Page.After of the next page, or uuid.Nil after the last.
func List(
	ctx context.Context,
	db pg.Querier,
	principal activity.Principal,
	p Page,
) (list []Subscription, next uuid.UUID, err error) {
	return read(ctx, db, p, selectSubscriptions,
		principal.TenantID, principal.PrincipalID, p.After, p.EffectiveLimit()+1)
}

const selectThroughGroups = `
SELECT ` + columns + `
FROM (
    SELECT $2::uuid AS id
    UNION ALL
    SELECT g.id FROM fanfare.groups_of($1, $2, $5) AS g(id)
) AS holder
CROSS JOIN LATERAL (
    SELECT * FROM fanfare.subscriptions AS s
    WHERE s.tenant_id = $1 AND s.principal_id = holder.id AND s.revoked_at IS NULL AND s.id > $3
    ORDER BY s.tenant_id, s.principal_id, s.id
    LIMIT $4
) AS s
ORDER BY s.id
LIMIT $4`

// ListThroughGroups returns the subscriptions that List returns, and those of the groups that the
// principal belongs to, directly or as a member of groups in them, whose PrincipalID is the group.
// It runs one statement.
func ListThroughGroups(
	ctx context.Context,
	db pg.Querier,
	principal activity.Principal,
	p Page,
) (list []Subscription, next uuid.UUID, err error) {
	return read(ctx, db, p, selectThroughGroups,
		principal.TenantID, principal.PrincipalID, p.After, p.EffectiveLimit()+1, directory.MaxNesting)
}

// read returns a page of the subscriptions that a query selects, which asks for one more.
func read(ctx context.Context, db pg.Querier, p Page, query string, args ...any) (
	list []Subscription, next uuid.UUID, err error,
) {
	rows, err := db.Query(ctx, query, args...)
	if err != nil {
		return nil, uuid.Nil, fmt.Errorf("list subscriptions: %w", err)
	}
	if list, err = pgx.CollectRows(rows, scan); err != nil {
		return nil, uuid.Nil, fmt.Errorf("list subscriptions: %w", err)
	}
	if limit := p.EffectiveLimit(); len(list) > limit {
		list = list[:limit]
		next = list[limit-1].ID
	}
	return list, next, nil
}
