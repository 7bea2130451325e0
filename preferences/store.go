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

// MaxPatterns is how many patterns a person may keep.
const MaxPatterns = 100

// Stored is a person's preference as it stands.
type Stored struct {
	Preference
	UpdatedAt time.Time // zero while the person has asked for nothing
}

// Get returns what a person asked for, and the defaults, storing nothing, when that is nothing. A
// stored mode that is unknown comes back as the one that it counts as.
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

// Change is what a person asks to be otherwise; nil leaves a field as it is.
type Change struct {
	Mode          *Mode
	CustomActions *[]string // the whole list
	Muted         *bool
}

// Validate returns an *invalid.Error that names every field which breaks a rule, or nil.
func (c Change) Validate() error {
	var broken []invalid.Field
	if c.Mode != nil && !slices.Contains([]Mode{ModeAll, ModeMutations, ModeCustom}, *c.Mode) {
		broken = append(
			broken,
			invalid.Field{
				Name:  "filter_mode",
				Value: shortened(printable(string(*c.Mode))),
				Rule:  "must be one of all, mutations, custom",
			},
		)
	}
	if c.CustomActions != nil {
		broken = append(broken, checkPatterns(*c.CustomActions)...)
	}
	if len(broken) > 0 {
		return &invalid.Error{Subject: "preferences", Fields: broken}
	}
	return nil
}

func checkPatterns(patterns []string) (broken []invalid.Field) {
	if len(patterns) > MaxPatterns {
		return []invalid.Field{{
			Name: "custom_actions", Value: fmt.Sprint(len(patterns), " patterns"), Rule: fmt.Sprintf("must be at most %d patterns", MaxPatterns),
		}}
	}
	for i, pattern := range patterns {
		field := fmt.Sprintf("custom_actions[%d]", i)
		if pattern == "" {
			broken = append(broken, invalid.Field{Name: field, Rule: "must not be empty"})
			continue
		}
		var refused *PatternError
		if _, err := Compile(pattern); errors.As(err, &refused) {
			broken = append(
				broken,
				invalid.Field{Name: field, Value: shortened(printable(pattern)), Rule: refused.Rule},
			)
		}
	}
	return broken
}

// Put makes a change, in one statement, and returns what stands then. Patterns given twice are
// stored once. A change of nothing stores nothing. The error is an *invalid.Error if the
// change breaks a rule.
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

// distinct returns the patterns in their order, each once. It is never nil.
func distinct(patterns []string) []string {
	once := make([]string, 0, len(patterns))
	for _, p := range patterns {
		if !slices.Contains(once, p) {
			once = append(once, p)
		}
	}
	return once
}

// printable returns a text that any encoding can carry.
func printable(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}
