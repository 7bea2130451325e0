package taxonomy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/fanfarehq/fanfare/activity"
)

// MaxUnknown is how many actions that are not registered Warnings tells apart.
const MaxUnknown = 1000

// OtherActions stands in Warnings for the unregistered actions beyond MaxUnknown.
const OtherActions = "(others)"

type counter = atomic.Uint64

// Check returns the hook that holds envelopes to the taxonomy before they are recorded. In every mode it fills the severity,
// visibility and category that an envelope does not give, and drops what the payload does not keep. Strict refuses what breaks a
// rule with an *activity.InvalidError that names all rules broken; Warn lets it pass and counts it. A mode that is none of the
// three is Strict, "" is Off.
//
// The rules are those of the database, in its order (docs/taxonomy.md), and then the payload's whole schema, which only Check
// knows. They hold for the payload as it would be stored, its secrets redacted, and that is what the envelope then holds. What
// breaks the envelope's own rules is refused for that alone.
func (t *Taxonomy) Check(mode Mode) activity.BeforeAppend {
	return func(_ context.Context, e *activity.Envelope) error {
		found := t.byName[e.Action]
		if found == nil {
			if mode == Off || mode == "" {
				return nil
			}
			return t.breached(mode, nil, e, []activity.FieldError{{Field: "action", Value: shortened(e.Action), Rule: "is not registered in the taxonomy"}})
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
		if mode == Off || mode == "" {
			return found.onlyKeep(e)
		}
		broken, err := found.check(e)
		if err != nil || len(broken) == 0 {
			return err
		}
		return t.breached(mode, found, e, broken)
	}
}

// breached refuses an envelope, or counts it.
func (t *Taxonomy) breached(mode Mode, found *entry, e *activity.Envelope, broken []activity.FieldError) error {
	if err := e.Validate(); err != nil {
		return err
	}
	if mode != Warn {
		return &activity.InvalidError{Fields: broken}
	}
	if found != nil {
		found.warned.Add(1)
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	name := e.Action
	if _, known := t.unknown[name]; !known && len(t.unknown) >= MaxUnknown {
		name = OtherActions
	}
	t.unknown[name]++
	return nil
}

// Warnings returns how many envelopes of each action broke a rule and passed.
func (t *Taxonomy) Warnings() map[string]uint64 {
	t.mu.Lock()
	warnings := maps.Clone(t.unknown)
	t.mu.Unlock()
	for name, e := range t.byName {
		if n := e.warned.Load(); n > 0 {
			warnings[name] = n
		}
	}
	return warnings
}

// onlyKeep drops what the payload does not keep.
func (e *entry) onlyKeep(envelope *activity.Envelope) error {
	if e.keep == nil {
		return nil
	}
	_, err := e.payload(envelope)
	return err
}

// payload gives the envelope the payload that would be stored, and returns it decoded.
func (e *entry) payload(envelope *activity.Envelope) (map[string]any, error) {
	raw, err := json.Marshal(envelope.Payload)
	if err != nil || !utf8.Valid(raw) {
		return nil, envelope.Validate()
	}
	if string(raw) == "null" {
		raw = []byte("{}")
	}
	if raw[0] != '{' || len(raw) > activity.MaxPayloadBytes {
		return nil, envelope.Validate()
	}
	raw = activity.Scrub(raw)
	value, err := decode(raw)
	if err != nil {
		return nil, fmt.Errorf("read the redacted payload: %w", err)
	}
	payload := value.(map[string]any)
	if e.keep != nil {
		if raw, err = e.kept(raw, payload); err != nil {
			return nil, err
		}
	}
	envelope.Payload = json.RawMessage(raw)
	return payload, nil
}

// kept returns the payload without the keys that are not kept, and takes them from the decoded one.
func (e *entry) kept(raw json.RawMessage, payload map[string]any) (json.RawMessage, error) {
	before := len(payload)
	maps.DeleteFunc(payload, func(key string, _ any) bool { return !e.keep[key] })
	if len(payload) == before {
		return raw, nil
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(raw, &parts); err != nil {
		return nil, fmt.Errorf("read the redacted payload: %w", err)
	}
	maps.DeleteFunc(parts, func(key string, _ json.RawMessage) bool { return !e.keep[key] })
	return json.Marshal(parts)
}

// check returns the rules that the envelope breaks, in their order. An error is of the envelope's own rules.
func (e *entry) check(envelope *activity.Envelope) (broken []activity.FieldError, err error) {
	if e.keep == nil && e.MaxPayloadBytes == 0 && e.schema == nil {
		return nil, nil
	}
	payload, err := e.payload(envelope)
	if err != nil || payload == nil {
		return nil, err
	}
	size, ok := storedSize(payload, 0)
	if !ok {
		return nil, envelope.Validate()
	}
	for _, key := range e.Required {
		if _, given := payload[key]; !given {
			broken = append(broken, activity.FieldError{Field: fieldOf(key), Rule: "is required by " + e.Name})
		}
	}
	if e.MaxPayloadBytes > 0 && size > e.MaxPayloadBytes {
		broken = append(broken, activity.FieldError{
			Field: "payload", Value: fmt.Sprint(size, " bytes"), Rule: fmt.Sprintf("must be at most %d bytes", e.MaxPayloadBytes),
		})
	}
	if e.schema == nil {
		return broken, nil
	}
	var invalid *jsonschema.ValidationError
	if err := e.schema.Validate(payload); errors.As(err, &invalid) {
		for _, f := range breaches(e.Name, invalid) {
			if !slices.Contains(broken, f) {
				broken = append(broken, f)
			}
		}
	} else if err != nil {
		return nil, fmt.Errorf("check the payload of %s: %w", e.Name, err)
	}
	return broken, nil
}
