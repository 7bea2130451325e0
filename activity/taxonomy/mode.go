package taxonomy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// Mode selects what happens to an activity that violates the taxonomy.
type Mode string

// The modes. Every mode applies the defaults of the taxonomy and drops the keys of a payload that
// the action does not keep.
const (
	Off    Mode = "off"    // the activity is recorded
	Warn   Mode = "warn"   // the activity is recorded with a warning
	Strict Mode = "strict" // the activity is refused
)

// ParseMode reads a mode. The error is an *invalid.Error.
func ParseMode(text string) (Mode, error) {
	switch mode := Mode(text); mode {
	case Off, Warn, Strict:
		return mode, nil
	}
	return "", &invalid.Error{Subject: "mode", Fields: []invalid.Field{
		{Name: "mode", Value: shortened(text), Rule: "must be one of off, warn, strict"},
	}}
}

// Enforcement describes the modes of an installation.
type Enforcement struct {
	Installation Mode         `json:"installation"` // of every tenant that has no mode of its own
	Tenants      []TenantMode `json:"tenants"`      // in the order of their ids
}

// TenantMode is the mode that a tenant has of its own.
type TenantMode struct {
	TenantID  uuid.UUID `json:"tenant_id"`
	Mode      Mode      `json:"mode"`
	UpdatedAt time.Time `json:"updated_at"`
}

// SetMode sets the mode of a tenant, or of the installation if tenant is uuid.Nil. The mode applies
// to activities that are recorded after the transaction commits.
func SetMode(ctx context.Context, db pg.Execer, tenant uuid.UUID, mode Mode) error {
	if _, err := ParseMode(string(mode)); err != nil {
		return err
	}
	var err error
	if tenant == uuid.Nil {
		_, err = db.Exec(ctx, `UPDATE fanfare.settings SET enforcement = $1 WHERE enforcement <> $1`, string(mode))
	} else {
		_, err = db.Exec(ctx, `
			INSERT INTO fanfare.enforcement AS e (tenant_id, mode) VALUES ($1, $2)
			ON CONFLICT (tenant_id) DO UPDATE SET mode = excluded.mode, updated_at = now()
			WHERE e.mode <> excluded.mode`, tenant, string(mode))
	}
	if err != nil {
		return fmt.Errorf("set the enforcement mode: %w", err)
	}
	return nil
}

// ClearMode removes a tenant's mode, so that the installation's applies. If tenant is uuid.Nil, the
// installation's mode becomes Off.
func ClearMode(ctx context.Context, db pg.Execer, tenant uuid.UUID) error {
	if tenant == uuid.Nil {
		return SetMode(ctx, db, tenant, Off)
	}
	if _, err := db.Exec(ctx, `DELETE FROM fanfare.enforcement WHERE tenant_id = $1`, tenant); err != nil {
		return fmt.Errorf("clear the enforcement mode: %w", err)
	}
	return nil
}

// ModeOf returns the mode that applies to a tenant.
func ModeOf(ctx context.Context, db pg.RowQuerier, tenant uuid.UUID) (Mode, error) {
	var mode Mode
	err := db.QueryRow(ctx, `
		SELECT coalesce((SELECT e.mode FROM fanfare.enforcement AS e WHERE e.tenant_id = $1), s.enforcement)
		FROM fanfare.settings AS s`, tenant).Scan(&mode)
	if err != nil {
		return "", fmt.Errorf("read the enforcement mode: %w", err)
	}
	return mode, nil
}

// Modes returns the mode of the installation and the modes of all tenants that have one.
func Modes(ctx context.Context, db pg.Querier) (Enforcement, error) {
	rows, err := db.Query(ctx, `
		SELECT s.enforcement, e.tenant_id, e.mode, e.updated_at
		FROM fanfare.settings AS s
		LEFT JOIN fanfare.enforcement AS e ON true
		ORDER BY e.tenant_id`)
	if err != nil {
		return Enforcement{}, fmt.Errorf("read the enforcement modes: %w", err)
	}
	modes := Enforcement{Tenants: []TenantMode{}}
	var (
		tenant *uuid.UUID
		mode   *Mode
		at     *time.Time
	)
	_, err = pgx.ForEachRow(rows, []any{&modes.Installation, &tenant, &mode, &at}, func() error {
		if tenant != nil {
			modes.Tenants = append(modes.Tenants, TenantMode{TenantID: *tenant, Mode: *mode, UpdatedAt: *at})
		}
		return nil
	})
	if err == nil && modes.Installation == "" {
		err = errors.New("fanfare.settings has no row")
	}
	if err != nil {
		return Enforcement{}, fmt.Errorf("read the enforcement modes: %w", err)
	}
	return modes, nil
}
