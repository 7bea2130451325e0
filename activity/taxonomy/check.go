package taxonomy

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/secrets"
)

// MaxUnknown is the maximum number of unregistered actions that Warnings counts by name.
const MaxUnknown = 1000

// OtherActions is the name under which Warnings counts the unregistered actions beyond MaxUnknown.
const OtherActions = "(others)"

// Check returns a hook that enforces the taxonomy on envelopes before they are recorded. In every
// mode it sets the severity, visibility and category that an envelope does not have, redacts the
// values of the taxonomy's secret keys, and drops the payload's keys that the action does not keep.
// With Strict the hook returns an *invalid.Error with all violations; with Warn it counts the
// envelope and returns nil. The mode "" is Off, and any other unknown mode is Strict.
//
// The hook checks the rules of the database in the same order (docs/taxonomy.md), followed by the
// complete schema of the payload, which the database does not check. It checks the payload as it
// would be stored, with its secrets redacted, and sets the envelope's payload to that. If the
// envelope is invalid itself, the error is that of [activity.Envelope.Validate].
func (t *Taxonomy) Check(mode Mode) activity.BeforeAppend {
	return func(_ context.Context, e *activity.Envelope) error { return t.enforce(mode, e) }
}

func (t *Taxonomy) enforce(mode Mode, e *activity.Envelope) error {
	off := mode == Off || mode == ""
	found := t.find(e.Action)
	if found == nil {
		if len(t.secretKeys) > 0 {
			if _, ok, err := t.redact(e); !ok {
				return err
			}
		}
		if off {
			return nil
		}
		violation := invalid.Field{
			Name: "action", Value: shortened(e.Action), Rule: "is not registered in the taxonomy",
		}
		return t.violated(mode, false, e, []invalid.Field{violation})
	}
	if e.Severity == "" {
		e.Severity = found.Severity
	}
	if e.Visibility == "" {
		e.Visibility = found.Visibility
	}
	if e.Category == "" {
		e.Category = found.Category
	}
	rules := !off && (found.schema != nil || found.MaxPayloadBytes > 0)
	if !rules && found.keep == nil && len(t.secretKeys) == 0 {
		return nil
	}
	redacted, ok, err := t.redact(e)
	if !ok {
		return err
	}
	if !rules || found.schema == nil && fits(redacted.Raw(), found.MaxPayloadBytes) {
		return found.onlyKeep(redacted, e)
	}
	value, err := decode(redacted.Raw())
	if err != nil {
		return fmt.Errorf("read the redacted payload: %w", err)
	}
	payload := value.(map[string]any)
	if found.drops(payload) {
		if err := found.onlyKeep(redacted, e); err != nil {
			return err
		}
	}
	violations, err := found.check(payload, e)
	if err != nil || len(violations) == 0 {
		return err
	}
	return t.violated(mode, true, e, violations)
}

// violated returns an error for an envelope with violations, or counts the envelope with Warn.
func (t *Taxonomy) violated(mode Mode, registered bool, e *activity.Envelope, violations []invalid.Field) error {
	if err := e.Validate(); err != nil {
		return err
	}
	if mode != Warn {
		return &invalid.Error{Fields: violations}
	}
	t.warnings.add(e.Action, registered)
	return nil
}

// Warnings returns the number of envelopes with violations that Warn accepted, by action.
func (t *Taxonomy) Warnings() map[string]uint64 { return t.warnings.all() }

// redact replaces the envelope's payload by the redacted payload, and returns it. ok is false if
// the envelope is invalid itself, or cannot be examined before it is validated; err is then the
// result of [activity.Envelope.Validate].
func (t *Taxonomy) redact(envelope *activity.Envelope) (payload secrets.JSON, ok bool, err error) {
	raw, err := json.Marshal(envelope.Payload)
	if err != nil || !utf8.Valid(raw) {
		return secrets.JSON{}, false, envelope.Validate()
	}
	if string(raw) == "null" {
		raw = []byte("{}")
	}
	if raw[0] != '{' {
		return secrets.JSON{}, false, envelope.Validate()
	}
	payload = secrets.Redact(raw, t.secretKeysIn(raw)...)
	if size := len(payload.Raw()); size > activity.MaxPayloadBytes {
		return secrets.JSON{}, false, tooLarge(size)
	}
	envelope.Payload = payload
	return payload, true, nil
}

// tooLarge returns the error for a payload above the limit of every installation.
func tooLarge(size int) error {
	return &invalid.Error{Fields: []invalid.Field{sizeViolation(size, activity.MaxPayloadBytes)}}
}

func sizeViolation(size, maxBytes int) invalid.Field {
	return invalid.Field{
		Name: "payload", Value: fmt.Sprint(size, " bytes"), Rule: fmt.Sprintf("must be at most %d bytes", maxBytes),
	}
}

// secretKeysIn returns the secret keys if a payload may contain one of them. It is cheaper than
// comparing every key of the payload.
func (t *Taxonomy) secretKeysIn(raw []byte) []string {
	if len(t.secretKeys) == 0 {
		return nil
	}
	if bytes.IndexByte(raw, '\\') >= 0 { // a key may be escaped
		return t.secretKeys
	}
	text := secrets.LowerASCII(string(raw))
	for _, key := range t.secretKeys {
		if strings.Contains(text, key) {
			return t.secretKeys
		}
	}
	return nil
}

// drops deletes the keys of a decoded payload that the action does not keep, and reports whether it
// deleted any.
func (e *entry) drops(payload map[string]any) bool {
	if e.keep == nil {
		return false
	}
	before := len(payload)
	maps.DeleteFunc(payload, func(key string, _ any) bool { return !e.keep[key] })
	return len(payload) < before
}

// onlyKeep drops the keys of the redacted payload that the action does not keep.
func (e *entry) onlyKeep(redacted secrets.JSON, envelope *activity.Envelope) error {
	if e.keep == nil {
		return nil
	}
	kept, err := redacted.Filter(func(key string) bool { return e.keep[key] })
	if err != nil {
		return fmt.Errorf("drop keys of the redacted payload: %w", err)
	}
	if len(kept.Raw()) < len(redacted.Raw()) {
		envelope.Payload = kept
	}
	return nil
}

// check returns the violations of a decoded payload, in the order of the rules. The error is that
// of an envelope that is invalid itself.
func (e *entry) check(payload map[string]any, envelope *activity.Envelope) (violations []invalid.Field, err error) {
	// A number with an exponent is short in JSON and may be long as jsonb.
	size, ok := storedSize(payload, 0)
	if !ok || size > activity.MaxPayloadBytes {
		return nil, cmp.Or(envelope.Validate(), tooLarge(size))
	}
	for _, key := range e.Required {
		if _, ok := payload[key]; !ok {
			violations = append(violations, invalid.Field{Name: fieldOf(key), Rule: "is required by " + e.Name})
		}
	}
	if e.MaxPayloadBytes > 0 && size > e.MaxPayloadBytes {
		violations = append(violations, sizeViolation(size, e.MaxPayloadBytes))
	}
	if e.schema == nil {
		return violations, nil
	}
	var invalidErr *jsonschema.ValidationError
	if err := e.schema.Validate(payload); errors.As(err, &invalidErr) {
		for _, f := range violationsOf(e.Name, invalidErr) {
			if !slices.Contains(violations, f) {
				violations = append(violations, f)
			}
		}
	} else if err != nil {
		return nil, fmt.Errorf("check the payload of %s: %w", e.Name, err)
	}
	return violations, nil
}
