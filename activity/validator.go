package activity

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/secrets"
)

// validator collects violations. Each method adds at most one violation of a field.
type validator struct {
	violations []invalid.Field
}

// err returns an *invalid.Error with the violations, or nil if there are none.
func (v *validator) err(subject string) error {
	if len(v.violations) == 0 {
		return nil
	}
	return &invalid.Error{Subject: subject, Fields: v.violations}
}

// refuse adds a violation. It redacts secrets in the value: errors end up in logs.
func (v *validator) refuse(field, value, rule string) {
	value = first(100, secrets.RedactText(strings.ToValidUTF8(value, "\uFFFD")))
	v.violations = append(v.violations, invalid.Field{Name: field, Value: value, Rule: rule})
}

func (v *validator) required(field string, given bool) bool {
	if !given {
		v.refuse(field, "", "is required")
	}
	return given
}

func (v *validator) text(field, value string) bool {
	if utf8.ValidString(value) && strings.IndexByte(value, 0) < 0 {
		return true
	}
	v.refuse(field, strings.ReplaceAll(value, "\x00", "\uFFFD"), "must be valid UTF-8 without NUL")
	return false
}

func (v *validator) length(field, value string, low, high int) {
	if n := utf8.RuneCountInString(value); v.text(field, value) && (n < low || n > high) {
		v.refuse(field, value, fmt.Sprintf("must be %d to %d characters", low, high))
	}
}

func (v *validator) maxLength(field, value string, high int) {
	if v.text(field, value) && utf8.RuneCountInString(value) > high {
		v.refuse(field, value, fmt.Sprintf("must be at most %d characters", high))
	}
}

// noSecret refuses a secret in a name. Names are stored as they are, and an application may build
// them from what a user typed.
func (v *validator) noSecret(field, value string) {
	refused := slices.ContainsFunc(v.violations, func(f invalid.Field) bool { return f.Name == field })
	if !refused && secrets.InText(value) {
		v.refuse(field, "", "must not contain a secret")
	}
}

func (v *validator) year(field string, value time.Time) {
	if year := value.UTC().Year(); !value.IsZero() && (year < 1 || year > 9999) {
		v.refuse(field, fmt.Sprint("year ", year), "must be in the years 0001 to 9999")
	}
}

func (v *validator) oneOf(field, value string, allowed ...string) {
	if value != "" && !slices.Contains(allowed, value) {
		v.refuse(field, value, "must be one of "+strings.Join(allowed, ", "))
	}
}

// first returns the first characters of a text.
func first(characters int, text string) string {
	if len(text) <= characters {
		return text
	}
	for i := range text {
		if characters--; characters < 0 {
			return text[:i]
		}
	}
	return text
}
