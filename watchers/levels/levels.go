// Package levels manages the levels that principals set for resources.
package levels

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers/directory"
	"github.com/fanfarehq/fanfare/watchers/subscriptions"
)

// Level is how much a principal wants to be notified about a resource, or about it and everything
// below it.
type Level struct {
	ResourceID uuid.UUID
	Level      preferences.Level
	Scope      string   // subscriptions.ScopeResource or ScopeDescendants; "" is ScopeResource
	Patterns   []string // of preferences.LevelCustom; no other level has any
	UpdatedAt  time.Time
}

// Validate returns an *invalid.Error with all violations, or nil.
func (l Level) Validate() error {
	violations := preferences.CheckLevel(l.Level, l.Patterns)
	switch l.Scope {
	case "", subscriptions.ScopeResource, subscriptions.ScopeDescendants:
	default:
		violations = append(violations, invalid.Field{
			Name: "scope", Value: l.Scope, Rule: "must be one of resource, descendants",
		})
	}
	if len(violations) > 0 {
		return &invalid.Error{Subject: "level", Fields: violations}
	}
	return nil
}

const columns = `l.resource_id, l.level, l.scope, l.patterns, l.updated_at`

func scan(row pgx.CollectableRow) (l Level, err error) {
	err = row.Scan((*[16]byte)(&l.ResourceID), (*string)(&l.Level), &l.Scope, &l.Patterns, &l.UpdatedAt)
	return l, err
}

// Set sets the level of a principal for a resource and returns it as stored, each distinct pattern
// once. It replaces the level that the principal has set for the resource before. It returns
// activity.ErrNotFound if the tenant does not have the resource, or the principal neither owns it
// nor holds a role on it or on an ancestor, and an *invalid.Error if the level is invalid.
func Set(ctx context.Context, db pg.Querier, principal activity.Principal, l Level) (Level, error) {
	if err := l.Validate(); err != nil {
		return Level{}, err
	}
	visible, err := directory.HasRole(ctx, db, principal, l.ResourceID)
	if err != nil {
		return Level{}, fmt.Errorf("set the level: %w", err)
	}
	if !visible {
		return Level{}, fmt.Errorf("resource %s: %w", l.ResourceID, activity.ErrNotFound)
	}
	rows, err := db.Query(ctx, `
		INSERT INTO fanfare.watch_levels AS l (tenant_id, principal_id, resource_id, level, scope, patterns)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (tenant_id, principal_id, resource_id) DO UPDATE
		SET level = excluded.level, scope = excluded.scope, patterns = excluded.patterns, updated_at = now()
		RETURNING `+columns,
		principal.TenantID, principal.PrincipalID, l.ResourceID, string(l.Level),
		cmp.Or(l.Scope, subscriptions.ScopeResource), distinct(l.Patterns))
	if err != nil {
		return Level{}, fmt.Errorf("set the level: %w", err)
	}
	stored, err := pgx.CollectExactlyOneRow(rows, scan)
	if err != nil {
		return Level{}, fmt.Errorf("set the level: %w", err)
	}
	return stored, nil
}

const selectAmong = `
SELECT ` + columns + `
FROM fanfare.watch_levels AS l
WHERE l.tenant_id = $1 AND l.principal_id = $2 AND l.resource_id = ANY ($3)`

// Get returns the level that decides for a principal and a resource: the one that the principal has
// set for the resource itself, or else the nearest of those with ScopeDescendants on its ancestors;
// nil without any. The error is activity.ErrNotFound if the principal has set none for the resource
// itself, and neither owns it nor holds a role on it or on an ancestor.
func Get(ctx context.Context, db pg.Querier, principal activity.Principal, resource uuid.UUID) (*Level, error) {
	chain, err := directory.Chain(ctx, db, principal, resource)
	if err != nil {
		return nil, fmt.Errorf("read the level: %w", err)
	}
	visible := len(chain) > 0
	if !visible {
		chain = []uuid.UUID{resource}
	}
	rows, err := db.Query(ctx, selectAmong, principal.TenantID, principal.PrincipalID, pg.UUIDs(chain))
	if err != nil {
		return nil, fmt.Errorf("read the level: %w", err)
	}
	set, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("read the level: %w", err)
	}
	for _, id := range chain {
		for i, l := range set {
			if l.ResourceID == id && (id == resource || l.Scope == subscriptions.ScopeDescendants) {
				return &set[i], nil
			}
		}
	}
	if !visible {
		return nil, fmt.Errorf("level of resource %s: %w", resource, activity.ErrNotFound)
	}
	return nil, nil
}

// Remove removes the level that the principal has set for the resource, and reports whether there
// was one.
func Remove(ctx context.Context, db pg.Querier, principal activity.Principal, resource uuid.UUID) (bool, error) {
	rows, err := db.Query(ctx, `
		DELETE FROM fanfare.watch_levels AS l
		WHERE l.tenant_id = $1 AND l.principal_id = $2 AND l.resource_id = $3
		RETURNING l.resource_id`, principal.TenantID, principal.PrincipalID, resource)
	if err != nil {
		return false, fmt.Errorf("remove the level: %w", err)
	}
	removed, err := pgx.CollectRows(rows, pgx.RowTo[[16]byte])
	if err != nil {
		return false, fmt.Errorf("remove the level: %w", err)
	}
	return len(removed) > 0, nil
}

const selectLevels = `
SELECT ` + columns + `
FROM fanfare.watch_levels AS l
WHERE l.tenant_id = $1 AND l.principal_id = $2 AND l.resource_id > $3
ORDER BY l.tenant_id, l.principal_id, l.resource_id
LIMIT $4`

// List returns the levels that the principal has set, ordered by resource id. next is the
// Page.After of the next page, or uuid.Nil after the last.
func List(
	ctx context.Context,
	db pg.Querier,
	principal activity.Principal,
	p subscriptions.Page,
) (list []Level, next uuid.UUID, err error) {
	limit := p.EffectiveLimit()
	rows, err := db.Query(ctx, selectLevels, principal.TenantID, principal.PrincipalID, p.After, limit+1)
	if err != nil {
		return nil, uuid.Nil, fmt.Errorf("list levels: %w", err)
	}
	if list, err = pgx.CollectRows(rows, scan); err != nil {
		return nil, uuid.Nil, fmt.Errorf("list levels: %w", err)
	}
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].ResourceID
	}
	return list, next, nil
}

// distinct returns the distinct patterns in their order, not nil.
func distinct(patterns []string) []string {
	list := make([]string, 0, len(patterns))
	for _, p := range patterns {
		if !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list
}
