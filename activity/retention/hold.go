package retention

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/actions/builtin"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// Hold is a legal hold: it keeps activities from being removed, whatever the policies are. It
// covers all activities of a tenant, those on one resource (not on the resources below it), or
// those of one actor.
type Hold struct {
	ID               uuid.UUID  `json:"id"`
	TenantID         uuid.UUID  `json:"tenant_id"`
	ResourceID       *uuid.UUID `json:"resource_id"` // nil for any resource
	ActorPrincipalID *uuid.UUID `json:"actor_principal_id"`
	Reason           string     `json:"reason"`
	CreatedBy        uuid.UUID  `json:"created_by"`
	CreatedAt        time.Time  `json:"created_at"`
	ReleasedBy       *uuid.UUID `json:"released_by"`
	ReleasedAt       *time.Time `json:"released_at"` // nil while the hold is effective
}

// maxReason is the maximum length of the reason of a hold, in characters.
const maxReason = 500

func (h Hold) validate() error {
	refused := invalid.Error{Subject: "hold"}
	refuse := func(field, value, rule string) {
		refused.Fields = append(refused.Fields, invalid.Field{Name: field, Value: value, Rule: rule})
	}
	if h.TenantID == uuid.Nil {
		refuse("tenant_id", "", "is required")
	}
	if h.CreatedBy == uuid.Nil {
		refuse("created_by", "", "is required")
	}
	if h.ResourceID != nil && h.ActorPrincipalID != nil {
		refuse("actor_principal_id", h.ActorPrincipalID.String(),
			"must not be given together with resource_id: place two holds")
	}
	switch n := utf8.RuneCountInString(h.Reason); {
	case n == 0:
		refuse("reason", "", "is required")
	case n > maxReason:
		refuse("reason", fmt.Sprint(n, " characters"), fmt.Sprintf("must be at most %d characters", maxReason))
	case !utf8.ValidString(h.Reason) || strings.IndexByte(h.Reason, 0) >= 0:
		refuse("reason", "", "must be valid UTF-8 without NUL")
	}
	if len(refused.Fields) > 0 {
		return &refused
	}
	return nil
}

// Place creates a hold and returns it. It waits for the current step of a run that is in progress;
// from its return on, no activity under the hold is removed. The hold is recorded in the tenant's
// log as retention.hold_placed. The error is an *invalid.Error if the hold is invalid.
func Place(ctx context.Context, db pg.Beginner, h Hold) (Hold, error) {
	if err := h.validate(); err != nil {
		return Hold{}, err
	}
	var err error
	if h.ID, err = uuid.NewV7(); err != nil {
		return Hold{}, fmt.Errorf("place a hold: %w", err)
	}
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		// The hold is inserted before it is recorded. A run that waits for the log's lock has
		// locked the holds: a transaction that had written to the log first would deadlock with it.
		if err := tx.QueryRow(ctx, `
			INSERT INTO fanfare.legal_holds (id, tenant_id, resource_id, actor_principal_id, created_by, reason)
			VALUES ($1, $2, $3, $4, $5, $6)
			RETURNING created_at`,
			h.ID, h.TenantID, h.ResourceID, h.ActorPrincipalID, h.CreatedBy, h.Reason).Scan(&h.CreatedAt); err != nil {
			return err
		}
		placed := builtin.RetentionHoldPlaced{
			HoldID:           h.ID,
			Reason:           h.Reason,
			ResourceID:       valueOrNil(h.ResourceID),
			ActorPrincipalID: valueOrNil(h.ActorPrincipalID),
		}
		return record(ctx, tx, h.CreatedBy, placed.On(h.TenantID, h.TenantID))
	})
	if err != nil {
		return Hold{}, fmt.Errorf("place a hold: %w", err)
	}
	h.CreatedAt = h.CreatedAt.UTC()
	return h, nil
}

// Release ends a hold and returns it. The error is activity.ErrNotFound if the tenant has no
// effective hold with the id. The release is recorded in the tenant's log as
// retention.hold_released.
func Release(ctx context.Context, db pg.Beginner, tenant, id, actor uuid.UUID) (Hold, error) {
	var h Hold
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			UPDATE fanfare.legal_holds AS h SET released_at = now(), released_by = $3
			WHERE h.tenant_id = $1 AND h.id = $2 AND h.released_at IS NULL
			RETURNING `+holdColumns, tenant, id, actor)
		if err != nil {
			return err
		}
		if h, err = pgx.CollectExactlyOneRow(rows, scanHold); errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("hold %s: %w", id, activity.ErrNotFound)
		} else if err != nil {
			return err
		}
		released := builtin.RetentionHoldReleased{
			HoldID:           h.ID,
			Reason:           h.Reason,
			ResourceID:       valueOrNil(h.ResourceID),
			ActorPrincipalID: valueOrNil(h.ActorPrincipalID),
		}
		return record(ctx, tx, actor, released.On(h.TenantID, h.TenantID))
	})
	if err != nil {
		return Hold{}, fmt.Errorf("release a hold: %w", err)
	}
	return h, nil
}

// valueOrNil returns the id that a pointer points to, uuid.Nil for a nil pointer.
func valueOrNil(id *uuid.UUID) uuid.UUID {
	if id == nil {
		return uuid.Nil
	}
	return *id
}

const holdColumns = `h.id, h.tenant_id, h.resource_id, h.actor_principal_id, h.reason, h.created_by, h.created_at,
	h.released_by, h.released_at`

func scanHold(row pgx.CollectableRow) (Hold, error) {
	var h Hold
	err := row.Scan(&h.ID, &h.TenantID, &h.ResourceID, &h.ActorPrincipalID, &h.Reason, &h.CreatedBy, &h.CreatedAt,
		&h.ReleasedBy, &h.ReleasedAt)
	h.CreatedAt = h.CreatedAt.UTC()
	if h.ReleasedAt != nil {
		*h.ReleasedAt = h.ReleasedAt.UTC()
	}
	return h, err
}

// HoldQuery selects holds.
type HoldQuery struct {
	TenantID uuid.UUID // uuid.Nil selects every tenant's
	After    uuid.UUID // only holds with ids above this one
	Released bool      // whether to include released holds
	Limit    int       // the maximum number of holds
}

// Holds returns the selected holds, oldest first.
func Holds(ctx context.Context, db pg.Querier, q HoldQuery) ([]Hold, error) {
	rows, err := db.Query(ctx, `
		SELECT `+holdColumns+`
		FROM fanfare.legal_holds AS h
		WHERE ($1::uuid IS NULL OR h.tenant_id = $1) AND h.id > $2 AND ($3 OR h.released_at IS NULL)
		ORDER BY h.id
		LIMIT $4`, nullIfNil(q.TenantID), q.After, q.Released, q.Limit)
	if err != nil {
		return nil, fmt.Errorf("list holds: %w", err)
	}
	holds, err := pgx.CollectRows(rows, scanHold)
	if err != nil {
		return nil, fmt.Errorf("list holds: %w", err)
	}
	return holds, nil
}
