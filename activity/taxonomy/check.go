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

// MaxUnknown is how many actions that are not registered Warnings tells apart.
const MaxUnknown = 1000

// OtherActions stands in Warnings for the unregistered actions beyond MaxUnknown.
const OtherActions = "(others)"

// Check returns the hook that holds envelopes to the taxonomy before they are recorded. In every
// mode it fills the severity, visibility and category that an envelope does not give, takes the
// values of the taxonomy's secret keys away, and drops what the payload does not keep. Strict
// refuses what breaks a rule with an *invalid.Error that names all rules broken; Warn lets
// it pass and counts it. A mode that is none of the three is Strict, "" is Off.
//
// The rules are those of the database, in its order (docs/taxonomy.md), and then the payload's
// whole schema, which only Check knows. They hold for the payload as it would be stored, its
// secrets redacted, and that is what the envelope then holds. What breaks the envelope's own rules
// is refused for that alone.
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
		return t.violated(
			mode,
			false,
			e,
			[]invalid.Field{
				{Name: "action", Value: shortened(e.Action), Rule: "is not registered in the taxonomy"},
			},
		)
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
	broken, err := found.check(payload, e)
	if err != nil || len(broken) == 0 {
		return err
	}
	return t.violated(mode, true, e, broken)
}

// violated refuses an envelope, or counts it.
func (t *Taxonomy) violated(mode Mode, registered bool, e *activity.Envelope, broken []invalid.Field) error {
	if err := e.Validate(); err != nil {
		return err
	}
	if mode != Warn {
		return &invalid.Error{Fields: broken}
	}
	t.warnings.add(e.Action, registered)
	return nil
}

// Warnings returns how many envelopes of each action broke a rule and passed.
func (t *Taxonomy) Warnings() map[string]uint64 { return t.warnings.all() }

// redact replaces the envelope's payload by the redacted payload, and returns it. ok is false if the
// envelope violates its own rules, or cannot be examined before they are checked; err is then the
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

// tooLarge refuses a payload that no installation takes.
func tooLarge(size int) error {
	return &invalid.Error{Fields: []invalid.Field{
		{
			Name:  "payload",
			Value: fmt.Sprint(size, " bytes"),
			Rule:  fmt.Sprintf("must be at most %d bytes", activity.MaxPayloadBytes),
		},
	}}
}

// secretKeysIn returns the secret keys if a payload may have any of them, for looking at each of
// its keys takes a while.
func (t *Taxonomy) secretKeysIn(raw []byte) []string {
	if len(t.secretKeys) == 0 {
		return nil
	}
	if bytes.IndexByte(raw, '\\') >= 0 { // an escape may hide a letter
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

// drops takes from a decoded payload what is not kept, and reports whether there was any.
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

// check returns the rules that a decoded payload breaks, in their order. An error is of the
// envelope's own rules.
func (e *entry) check(payload map[string]any, envelope *activity.Envelope) (broken []invalid.Field, err error) {
	size, ok := storedSize(payload, 0)
	if !ok ||
		size > activity.MaxPayloadBytes { // a short number may be a long one written out, and so costly to look at
		return nil, cmp.Or(envelope.Validate(), tooLarge(size))
	}
	for _, key := range e.Required {
		if _, given := payload[key]; !given {
			broken = append(broken, invalid.Field{Name: fieldOf(key), Rule: "is required by " + e.Name})
		}
	}
	if e.MaxPayloadBytes > 0 && size > e.MaxPayloadBytes {
		broken = append(broken, invalid.Field{
			Name: "payload", Value: fmt.Sprint(size, " bytes"), Rule: fmt.Sprintf("must be at most %d bytes", e.MaxPayloadBytes),
		})
	}
	if e.schema == nil {
		return broken, nil
	}
	var invalidErr *jsonschema.ValidationError
	if err := e.schema.Validate(payload); errors.As(err, &invalidErr) {
		for _, f := range violations(e.Name, invalidErr) {
			if !slices.Contains(broken, f) {
				broken = append(broken, f)
			}
		}
	} else if err != nil {
		return nil, fmt.Errorf("check the payload of %s: %w", e.Name, err)
	}
	return broken, nil
}
