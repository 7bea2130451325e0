package preferences

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// Stored is the preference that holds for a principal, with what the principal has set itself.
type Stored struct {
	Preference
	Sources     Sources
	Own         Fields
	MutedActors []uuid.UUID // the actors of whose activities the principal is not notified
	UpdatedAt   time.Time   // zero if the principal has no stored preference
}

// Get returns the preference of a principal. It returns ModeMutations for an unknown mode.
func Get(ctx context.Context, db pg.Querier, principal activity.Principal) (Stored, error) {
	rows, err := db.Query(ctx, `
		SELECT p.filter_mode, p.custom_actions, p.muted, p.muted_actions, p.muted_actors, p.updated_at,
		       t.filter_mode, t.custom_actions, t.muted, t.muted_actions
		FROM (SELECT $1::uuid AS tenant_id, $2::uuid AS principal_id) AS x
		LEFT JOIN fanfare.preferences AS p ON p.tenant_id = x.tenant_id AND p.principal_id = x.principal_id
		LEFT JOIN fanfare.tenant_preferences AS t ON t.tenant_id = x.tenant_id`,
		principal.TenantID, principal.PrincipalID)
	if err != nil {
		return Stored{}, fmt.Errorf("read preferences: %w", err)
	}
	s, err := pgx.CollectExactlyOneRow(rows, scanStored)
	if err != nil {
		return Stored{}, fmt.Errorf("read preferences: %w", err)
	}
	return s, nil
}

// Put applies a change in one statement and returns the resulting preference. It stores each
// distinct pattern and actor once. An empty change stores no preference. The error is an
// *invalid.Error if the change is invalid.
func Put(ctx context.Context, db pg.Querier, principal activity.Principal, c Change) (Stored, error) {
	if err := c.Validate(); err != nil {
		return Stored{}, err
	}
	if c.IsEmpty() {
		return Get(ctx, db, principal)
	}
	rows, err := db.Query(ctx, `
		WITH p AS (
			INSERT INTO fanfare.preferences AS p (
				tenant_id, principal_id, filter_mode, custom_actions, muted, muted_actions, muted_actors
			)
			VALUES ($1, $2, $3, $4, $5, $6, coalesce($7::uuid[], '{}'))
			ON CONFLICT (tenant_id, principal_id) DO UPDATE
			SET filter_mode = CASE WHEN 'filter_mode' = ANY ($8) THEN NULL ELSE coalesce($3, p.filter_mode) END,
			    custom_actions =
			        CASE WHEN 'custom_actions' = ANY ($8) THEN NULL ELSE coalesce($4, p.custom_actions) END,
			    muted = CASE WHEN 'muted' = ANY ($8) THEN NULL ELSE coalesce($5, p.muted) END,
			    muted_actions = CASE WHEN 'muted_actions' = ANY ($8) THEN NULL ELSE coalesce($6, p.muted_actions) END,
			    muted_actors = coalesce($7, p.muted_actors), updated_at = now()
			RETURNING *
		)
		SELECT p.filter_mode, p.custom_actions, p.muted, p.muted_actions, p.muted_actors, p.updated_at,
		       t.filter_mode, t.custom_actions, t.muted, t.muted_actions
		FROM p
		LEFT JOIN fanfare.tenant_preferences AS t ON t.tenant_id = p.tenant_id`,
		principal.TenantID, principal.PrincipalID, (*string)(c.Mode), distinctPatterns(c.CustomActions), c.Muted,
		distinctPatterns(c.MutedActions), c.mutedActors(), c.inherited())
	if err != nil {
		return Stored{}, fmt.Errorf("write preferences: %w", err)
	}
	s, err := pgx.CollectExactlyOneRow(rows, scanStored)
	if err != nil {
		return Stored{}, fmt.Errorf("write preferences: %w", err)
	}
	return s, nil
}

func scanStored(row pgx.CollectableRow) (s Stored, err error) {
	var (
		tenant Fields
		actors [][16]byte
		at     zeronull.Timestamptz
	)
	targets := append(append(s.Own.targets(), &actors, &at), tenant.targets()...)
	if err = row.Scan(targets...); err != nil {
		return Stored{}, err
	}
	s.Preference, s.Sources = Effective(s.Own, tenant)
	s.withLists()
	s.UpdatedAt = time.Time(at)
	s.MutedActors = make([]uuid.UUID, len(actors))
	for i, id := range actors {
		s.MutedActors[i] = id
	}
	return s, nil
}
