package preferences

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// MaxPatterns is the maximum number of patterns of a preference.
const MaxPatterns = 100

// Stored is a preference as stored.
type Stored struct {
	Preference
	UpdatedAt time.Time // zero if the principal has no stored preference
}

// Get returns the preference of a principal, or the default without a stored one. It returns
// ModeMutations for an unknown mode.
func Get(ctx context.Context, db pg.Querier, principal activity.Principal) (Stored, error) {
	rows, err := db.Query(ctx, `
		SELECT filter_mode, custom_actions, muted, updated_at
		FROM fanfare.preferences
		WHERE tenant_id = $1 AND principal_id = $2`, principal.TenantID, principal.PrincipalID)
	if err != nil {
		return Stored{}, fmt.Errorf("read preferences: %w", err)
	}
	s, err := pgx.CollectExactlyOneRow(rows, scanStored)
	if errors.Is(err, pgx.ErrNoRows) {
		return Stored{Preference: Preference{Mode: ModeMutations, CustomActions: []string{}}}, nil
	}
	if err != nil {
		return Stored{}, fmt.Errorf("read preferences: %w", err)
	}
	return s, nil
}

// Change lists the fields to change; a nil field keeps its value.
type Change struct {
	Mode          *Mode
	CustomActions *[]string // replaces all patterns
	Muted         *bool
}

// Validate returns an *invalid.Error with all violations, or nil.
func (c Change) Validate() error {
	var violations []invalid.Field
	if c.Mode != nil && !slices.Contains([]Mode{ModeAll, ModeMutations, ModeCustom}, *c.Mode) {
		violations = append(violations, invalid.Field{
			Name:  "filter_mode",
			Value: shorten(printable(string(*c.Mode))),
			Rule:  "must be one of all, mutations, custom",
		})
	}
	if c.CustomActions != nil {
		violations = append(violations, checkPatterns(*c.CustomActions)...)
	}
	if len(violations) > 0 {
		return &invalid.Error{Subject: "preferences", Fields: violations}
	}
	return nil
}

func checkPatterns(patterns []string) (violations []invalid.Field) {
	if len(patterns) > MaxPatterns {
		return []invalid.Field{{
			Name:  "custom_actions",
			Value: fmt.Sprint(len(patterns), " patterns"),
			Rule:  fmt.Sprintf("must be at most %d patterns", MaxPatterns),
		}}
	}
	for i, pattern := range patterns {
		field := fmt.Sprintf("custom_actions[%d]", i)
		if pattern == "" {
			violations = append(violations, invalid.Field{Name: field, Rule: "must not be empty"})
			continue
		}
		var patternErr *PatternError
		if _, err := Compile(pattern); errors.As(err, &patternErr) {
			violations = append(violations, invalid.Field{
				Name: field, Value: shorten(printable(pattern)), Rule: patternErr.Rule,
			})
		}
	}
	return violations
}

// Put applies a change in one statement and returns the resulting preference. It stores each
// distinct pattern once. An empty change stores no preference. The error is an *invalid.Error if
// the change is invalid.
func Put(ctx context.Context, db pg.Querier, principal activity.Principal, c Change) (Stored, error) {
	if err := c.Validate(); err != nil {
		return Stored{}, err
	}
	if c == (Change{}) {
		return Get(ctx, db, principal)
	}
	var patterns []string
	if c.CustomActions != nil {
		patterns = distinct(*c.CustomActions)
	}
	rows, err := db.Query(ctx, `
		INSERT INTO fanfare.preferences AS p (tenant_id, principal_id, filter_mode, custom_actions, muted)
		VALUES ($1, $2, coalesce($3, 'mutations'), coalesce($4::text[], '{}'), coalesce($5, false))
		ON CONFLICT (tenant_id, principal_id) DO UPDATE
		SET filter_mode = coalesce($3, p.filter_mode), custom_actions = coalesce($4, p.custom_actions),
		    muted = coalesce($5, p.muted), updated_at = now()
		RETURNING filter_mode, custom_actions, muted, updated_at`,
		principal.TenantID, principal.PrincipalID, (*string)(c.Mode), patterns, c.Muted)
	if err != nil {
		return Stored{}, fmt.Errorf("write preferences: %w", err)
	}
	s, err := pgx.CollectExactlyOneRow(rows, scanStored)
	if err != nil {
		return Stored{}, fmt.Errorf("write preferences: %w", err)
	}
	return s, nil
}

func scanStored(row pgx.CollectableRow) (Stored, error) {
	var s Stored
	if err := row.Scan((*string)(&s.Mode), &s.CustomActions, &s.Muted, &s.UpdatedAt); err != nil {
		return Stored{}, err
	}
	if s.Mode != ModeAll && s.Mode != ModeCustom {
		s.Mode = ModeMutations
	}
	return s, nil
}

// distinct returns the distinct patterns in their order. The result is not nil, so that SQL gets an
// empty array and not null.
func distinct(patterns []string) []string {
	list := make([]string, 0, len(patterns))
	for _, p := range patterns {
		if !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list
}

// printable replaces NUL characters and invalid UTF-8, which JSON and PostgreSQL cannot store.
func printable(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}
