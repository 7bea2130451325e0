// Package seed loads directories, subscriptions and preferences into Fanfare's tables in bulk.
package seed

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// Rows are the rows to load, of any number of tenants.
type Rows struct {
	Principals    []Principal
	Resources     []Resource
	Roles         []Role
	Subscriptions []Subscription
	Preferences   []Preference
	Memberships   []Membership
	Levels        []Level
	Defaults      []Default
}

// Principal is a row of fanfare.principals.
type Principal struct {
	activity.Principal
	Kind     string // default "user"
	Name     string
	Inactive bool
}

// Resource is a row of fanfare.resources. A parent or an owner of uuid.Nil is stored as NULL.
type Resource struct {
	TenantID, ID, ParentID, OwnerID uuid.UUID
	Type, Name                      string
}

// Role is a row of fanfare.role_bindings.
type Role struct {
	activity.Principal
	ResourceID uuid.UUID
	Name       string
	Revoked    bool
}

// Subscription is a row of fanfare.subscriptions.
type Subscription struct {
	activity.Principal
	ResourceID uuid.UUID
	Scope      string // "resource" or "descendants"
	Revoked    bool
}

// Preference is a row of fanfare.preferences. A field that is zero or nil is stored as NULL: the
// principal has not set it.
type Preference struct {
	activity.Principal
	Mode         string
	Patterns     []string
	Muted        *bool
	MutedActions []string
	MutedActors  []uuid.UUID
}

// Membership is a row of fanfare.memberships.
type Membership struct {
	activity.Principal
	GroupID uuid.UUID
}

// Level is a row of fanfare.watch_levels.
type Level struct {
	activity.Principal
	ResourceID   uuid.UUID
	Level, Scope string
	Patterns     []string
}

// Default is a row of fanfare.tenant_preferences. A field that is zero or nil is stored as NULL.
type Default struct {
	TenantID     uuid.UUID
	Mode         string
	Patterns     []string
	Muted        *bool
	MutedActions []string
}

// DB is a connection or a pool.
type DB interface {
	pg.Execer
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error)
}

// Load writes the rows by COPY, then vacuums and analyzes the tables.
func (r *Rows) Load(ctx context.Context, db DB) error {
	now := time.Now()
	for _, table := range []struct {
		name    string
		columns []string
		rows    pgx.CopyFromSource
	}{
		{
			"principals",
			[]string{"tenant_id", "id", "kind", "display_name", "active"},
			source(r.Principals, func(p Principal) []any {
				return []any{p.TenantID, p.PrincipalID, cmp.Or(p.Kind, "user"), p.Name, !p.Inactive}
			}),
		},
		{
			"resources",
			[]string{"tenant_id", "id", "parent_id", "owner_principal_id", "type", "name"},
			source(r.Resources, func(x Resource) []any {
				return []any{x.TenantID, x.ID, nullable(x.ParentID), nullable(x.OwnerID), x.Type, x.Name}
			}),
		},
		{
			"role_bindings",
			[]string{"tenant_id", "principal_id", "scope_resource_id", "role_name", "revoked_at"},
			source(r.Roles, func(x Role) []any {
				return []any{x.TenantID, x.PrincipalID, x.ResourceID, x.Name, revokedAt(x.Revoked, now)}
			}),
		},
		{
			"subscriptions",
			[]string{"tenant_id", "principal_id", "resource_id", "scope", "revoked_at"},
			source(r.Subscriptions, func(s Subscription) []any {
				return []any{s.TenantID, s.PrincipalID, s.ResourceID, s.Scope, revokedAt(s.Revoked, now)}
			}),
		},
		{
			"preferences",
			[]string{
				"tenant_id", "principal_id", "filter_mode", "custom_actions", "muted", "muted_actions", "muted_actors",
			},
			source(r.Preferences, func(p Preference) []any {
				return []any{
					p.TenantID, p.PrincipalID, nullableText(p.Mode), p.Patterns, p.Muted, p.MutedActions,
					append([]uuid.UUID{}, p.MutedActors...),
				}
			}),
		},
		{
			"memberships",
			[]string{"tenant_id", "group_id", "principal_id"},
			source(r.Memberships, func(m Membership) []any { return []any{m.TenantID, m.GroupID, m.PrincipalID} }),
		},
		{
			"watch_levels",
			[]string{"tenant_id", "principal_id", "resource_id", "level", "scope", "patterns"},
			source(r.Levels, func(l Level) []any {
				return []any{
					l.TenantID, l.PrincipalID, l.ResourceID, l.Level, l.Scope, append([]string{}, l.Patterns...),
				}
			}),
		},
		{
			"tenant_preferences",
			[]string{"tenant_id", "filter_mode", "custom_actions", "muted", "muted_actions"},
			source(r.Defaults, func(d Default) []any {
				return []any{d.TenantID, nullableText(d.Mode), d.Patterns, d.Muted, d.MutedActions}
			}),
		},
	} {
		if _, err := db.CopyFrom(ctx, pgx.Identifier{"fanfare", table.name}, table.columns, table.rows); err != nil {
			return fmt.Errorf("load %s: %w", table.name, err)
		}
		if _, err := db.Exec(ctx, "VACUUM (ANALYZE) fanfare."+table.name); err != nil {
			return fmt.Errorf("vacuum %s: %w", table.name, err)
		}
	}
	return nil
}

func source[T any](rows []T, values func(T) []any) pgx.CopyFromSource {
	return pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) { return values(rows[i]), nil })
}

func nullable(id uuid.UUID) any {
	if id == uuid.Nil {
		return nil
	}
	return id
}

func nullableText(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func revokedAt(revoked bool, now time.Time) any {
	if revoked {
		return now
	}
	return nil
}
