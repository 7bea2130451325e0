package preferences

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity/invalid"
)

// The bounds of what is stored.
const (
	MaxPatterns    = 100   // patterns of one field of a preference, or of a level
	MaxMutedActors = 1_000 // actors that a principal mutes
)

// Field names a field that is inherited while it is not set.
type Field string

// The fields.
const (
	FieldMode          Field = "filter_mode"
	FieldCustomActions Field = "custom_actions"
	FieldMuted         Field = "muted"
	FieldMutedActions  Field = "muted_actions"
)

// AllFields returns all fields.
func AllFields() []Field {
	return []Field{FieldMode, FieldCustomActions, FieldMuted, FieldMutedActions}
}

// Change lists the fields to change; a nil field keeps its value.
type Change struct {
	Mode          *Mode
	CustomActions *[]string // replaces all patterns
	Muted         *bool
	MutedActions  *[]string    // replaces all patterns
	MutedActors   *[]uuid.UUID // replaces all; only of a principal
	Inherit       []Field      // to unset, so that they are the tenant's or the installation's again
}

// Validate returns an *invalid.Error with all violations, or nil.
func (c Change) Validate() error {
	var violations []invalid.Field
	if c.Mode != nil && !slices.Contains([]Mode{ModeAll, ModeMutations, ModeCustom}, *c.Mode) {
		violations = append(violations, invalid.Field{
			Name:  string(FieldMode),
			Value: shorten(printable(string(*c.Mode))),
			Rule:  "must be one of all, mutations, custom",
		})
	}
	if c.CustomActions != nil {
		violations = append(violations, CheckPatterns(string(FieldCustomActions), *c.CustomActions)...)
	}
	if c.MutedActions != nil {
		violations = append(violations, CheckPatterns(string(FieldMutedActions), *c.MutedActions)...)
	}
	if c.MutedActors != nil && len(*c.MutedActors) > MaxMutedActors {
		violations = append(violations, invalid.Field{
			Name:  "muted_actors",
			Value: fmt.Sprint(len(*c.MutedActors), " actors"),
			Rule:  fmt.Sprintf("must be at most %d actors", MaxMutedActors),
		})
	}
	violations = append(violations, c.checkInherit()...)
	if len(violations) > 0 {
		return &invalid.Error{Subject: "preferences", Fields: violations}
	}
	return nil
}

func (c Change) checkInherit() (violations []invalid.Field) {
	given := map[Field]bool{
		FieldMode: c.Mode != nil, FieldCustomActions: c.CustomActions != nil,
		FieldMuted: c.Muted != nil, FieldMutedActions: c.MutedActions != nil,
	}
	for i, field := range c.Inherit {
		set, known := given[field]
		rule := ""
		switch {
		case !known:
			rule = "must be one of filter_mode, custom_actions, muted, muted_actions"
		case set:
			rule = "must not be a field that the change sets"
		default:
			continue
		}
		violations = append(violations, invalid.Field{
			Name: fmt.Sprintf("inherit[%d]", i), Value: shorten(printable(string(field))), Rule: rule,
		})
	}
	return violations
}

// CheckPatterns returns the violations of a list of patterns, which is the field with this name.
func CheckPatterns(name string, patterns []string) (violations []invalid.Field) {
	if len(patterns) > MaxPatterns {
		return []invalid.Field{{
			Name:  name,
			Value: fmt.Sprint(len(patterns), " patterns"),
			Rule:  fmt.Sprintf("must be at most %d patterns", MaxPatterns),
		}}
	}
	for i, pattern := range patterns {
		field := fmt.Sprintf("%s[%d]", name, i)
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

// IsEmpty reports whether the change changes nothing.
func (c Change) IsEmpty() bool {
	return c.Mode == nil && c.CustomActions == nil && c.Muted == nil && c.MutedActions == nil &&
		c.MutedActors == nil && len(c.Inherit) == 0
}

// distinctPatterns returns the distinct patterns to store, or nil to keep them.
func distinctPatterns(patterns *[]string) []string {
	if patterns == nil {
		return nil
	}
	return distinct(*patterns)
}

// mutedActors returns the distinct actors to store, or nil to keep them.
func (c Change) mutedActors() [][16]byte {
	if c.MutedActors == nil {
		return nil
	}
	ids := [][16]byte{}
	for _, id := range distinct(*c.MutedActors) {
		ids = append(ids, id)
	}
	return ids
}

func (c Change) inherited() []string {
	names := []string{}
	for _, field := range c.Inherit {
		names = append(names, string(field))
	}
	return names
}

// distinct returns the distinct values in their order. The result is not nil, so that SQL gets an
// empty array and not null.
func distinct[T comparable](values []T) []T {
	list := make([]T, 0, len(values))
	seen := make(map[T]bool, len(values))
	for _, v := range values {
		if !seen[v] {
			seen[v], list = true, append(list, v)
		}
	}
	return list
}

// printable replaces NUL characters and invalid UTF-8, which JSON and PostgreSQL cannot store.
func printable(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
}
