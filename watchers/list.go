package watchers

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/watchers/directory"
	"github.com/fanfarehq/fanfare/watchers/subscriptions"
)

// Watcher is a principal that watches a resource.
type Watcher struct {
	PrincipalID uuid.UUID
	Kind        string // "" if the directory does not contain the principal
	DisplayName string
	Reasons     Reasons

	// Scope is subscriptions.ScopeDescendants if a subscription to the resource or to an ancestor
	// has that scope, else subscriptions.ScopeResource; "" without a subscription.
	Scope string
}

// selectWatchers reads the candidates of one resource, without the access and the preference that
// decide about a single activity.
const selectWatchers = `
WITH RECURSIVE chain AS (
    SELECT r.owner_id, r.parent_id, ARRAY[$2::uuid] AS path
    FROM (
        SELECT r.owner_principal_id::uuid AS owner_id, r.parent_id::uuid FROM fanfare.resources AS r
        WHERE r.tenant_id = $1 AND r.id = $2 LIMIT 1
    ) AS r
    UNION ALL
    SELECT c.owner_id, r.parent_id, c.path || c.parent_id
    FROM chain AS c
    LEFT JOIN LATERAL (
        SELECT r.parent_id::uuid FROM fanfare.resources AS r WHERE r.tenant_id = $1 AND r.id = c.parent_id LIMIT 1
    ) AS r ON true
    WHERE c.parent_id IS NOT NULL AND c.parent_id <> ALL (c.path) AND cardinality(c.path) <= $5
), longest AS (
    SELECT owner_id, path FROM chain ORDER BY cardinality(path) DESC LIMIT 1
)
SELECT w.principal_id, d.kind, d.display_name,
       coalesce(i.inactive, false), w.reasons, w.scope
FROM longest AS t
CROSS JOIN LATERAL (
    SELECT c.principal_id, bit_or(c.reason)::smallint AS reasons, min(c.scope) AS scope
    FROM (
        SELECT x.principal_id, 1 AS reason, x.scope
        FROM unnest(t.path) WITH ORDINALITY AS l(resource_id, level)
        CROSS JOIN LATERAL (
            SELECT u.principal_id, u.scope FROM fanfare.subscriptions AS u
            WHERE u.tenant_id = $1 AND u.resource_id = l.resource_id AND u.revoked_at IS NULL
              AND (l.level = 1 OR u.scope = 'descendants') AND u.principal_id > $3
            ORDER BY u.principal_id LIMIT 2 * $4::int
        ) AS x
        UNION ALL
        SELECT t.owner_id, 2, NULL WHERE t.owner_id > $3
        UNION ALL
        SELECT x.principal_id, 4, NULL
        FROM unnest(t.path) AS l(resource_id)
        CROSS JOIN LATERAL (
            SELECT DISTINCT b.principal_id::uuid FROM fanfare.role_bindings AS b
            WHERE b.tenant_id = $1 AND b.scope_resource_id = l.resource_id
              AND b.role_name::text IN ('owner', 'delegator')
              AND b.revoked_at IS NULL AND b.principal_id > $3
            ORDER BY 1 LIMIT $4
        ) AS x
    ) AS c
    GROUP BY c.principal_id
    ORDER BY c.principal_id
    LIMIT $4
) AS w
LEFT JOIN LATERAL (
    SELECT ` + directory.ActorColumns + ` FROM fanfare.principals AS p
    WHERE p.tenant_id = $1 AND p.id = w.principal_id LIMIT 1
) AS d ON true
LEFT JOIN LATERAL (
    SELECT true AS inactive FROM fanfare.principals AS p
    WHERE p.tenant_id = $1 AND p.id = w.principal_id AND NOT p.active LIMIT 1
) AS i ON true
ORDER BY w.principal_id`

// maxReads is the maximum number of statements of List, each of which reads twice as many watchers
// as the one before.
const maxReads = 6

// List returns the watchers of a resource, ordered by principal id: its subscribers, its owner and
// its delegators, without those that the directory marks inactive. next is the Page.After of the
// next page, or uuid.Nil after the last; a page has fewer watchers than its limit and still a next
// only if thousands of inactive ones come before the next active one. A resource that the tenant
// does not have has no watchers.
//
// List does not check whether the caller may read the list; directory.IsManager does.
func List(
	ctx context.Context,
	db pg.Querier,
	tenant, resource uuid.UUID,
	p subscriptions.Page,
) (list []Watcher, next uuid.UUID, err error) {
	limit := p.EffectiveLimit()
	list = make([]Watcher, 0, limit)
	after, chunk := p.After, limit+1
	for range maxReads {
		read, last, err := readActive(ctx, db, tenant, resource, after, chunk)
		if err != nil {
			return nil, uuid.Nil, err
		}
		if list = append(list, read...); len(list) > limit {
			return list[:limit], list[limit-1].PrincipalID, nil
		}
		if last == uuid.Nil {
			return list, uuid.Nil, nil
		}
		after, chunk = last, 2*chunk
	}
	return list, after, nil
}

// readActive reads up to limit watchers above an id and returns the active ones. last is the last
// that it has read, or uuid.Nil if there are no more.
func readActive(
	ctx context.Context,
	db pg.Querier,
	tenant, resource, after uuid.UUID,
	limit int,
) (active []Watcher, last uuid.UUID, err error) {
	rows, err := db.Query(ctx, selectWatchers, tenant, resource, after, limit, directory.MaxDepth)
	if err != nil {
		return nil, uuid.Nil, fmt.Errorf("list watchers: %w", err)
	}
	var (
		w        Watcher
		inactive bool
		count    int
	)
	_, err = pgx.ForEachRow(rows, []any{
		(*[16]byte)(&w.PrincipalID), (*zeronull.Text)(&w.Kind), (*zeronull.Text)(&w.DisplayName), &inactive,
		(*int16)(&w.Reasons), (*zeronull.Text)(&w.Scope),
	}, func() error {
		if count++; count == limit {
			last = w.PrincipalID
		}
		if !inactive {
			active = append(active, w)
		}
		return nil
	})
	if err != nil {
		return nil, uuid.Nil, fmt.Errorf("list watchers: %w", err)
	}
	return active, last, nil
}
