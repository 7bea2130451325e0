// Package envelopetest reads the cases that every way of recording must treat alike.
package envelopetest

import (
	_ "embed"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

//go:embed envelopes.json
var file []byte

// Case is a case of envelopes.json: a change of a valid envelope, and its result.
//
// In the file, «x×100» stands for x repeated a hundred times, and the value of a field whose name
// ends in ~ is the field's JSON in a string.
type Case struct {
	Name      string                     `json:"name"`
	With      map[string]json.RawMessage `json:"with"`       // fields that are set
	Without   string                     `json:"without"`    // the field that is removed
	Text      string                     `json:"text"`       // the envelope's JSON itself
	Field     string                     `json:"field"`      // the rejected field
	Refused   bool                       `json:"refused"`    // rejected without a field
	State     string                     `json:"state"`      // the SQLSTATE; empty means 22023
	Others    []string                   `json:"others"`     // further fields that Go rejects, which reports them all
	Go        *bool                      `json:"go"`         // false: an activity.Envelope cannot represent it
	Stored    map[string]*string         `json:"stored"`     // columns of the activity, as text
	StoredNot map[string]string          `json:"stored_not"` // values that columns must not have
	IP        string                     `json:"ip"`         // the address whose hash is stored
}

// Rejected reports whether the envelope violates a rule.
func (c Case) Rejected() bool { return c.Refused || c.Field != "" }

// JSON returns the case's envelope.
func (c Case) JSON(t testing.TB) string {
	t.Helper()
	if c.Text != "" {
		return c.Text
	}
	fields := map[string]json.RawMessage{
		"tenant_id":          json.RawMessage(`"11111111-1111-4111-8111-111111111111"`),
		"actor_principal_id": json.RawMessage(`"22222222-2222-4222-8222-222222222222"`),
		"resource_id":        json.RawMessage(`"33333333-3333-4333-8333-333333333333"`),
		"resource_type":      json.RawMessage(`"signal"`),
		"action":             json.RawMessage(`"signal.created"`),
	}
	delete(fields, c.Without)
	for name, value := range c.With {
		if plain, found := strings.CutSuffix(name, "~"); found {
			var text string
			if err := json.Unmarshal(value, &text); err != nil {
				t.Fatal(err)
			}
			name, value = plain, json.RawMessage(text)
		}
		fields[name] = value
	}
	var members []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		key, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, string(key)+":"+string(fields[name]))
	}
	return "{" + strings.Join(members, ",") + "}"
}

// Cases returns all cases.
func Cases(t testing.TB) []Case {
	t.Helper()
	repeated := regexp.MustCompile(`«([^»]+)×(\d+)»`)
	body := repeated.ReplaceAllFunc(file, func(match []byte) []byte {
		parts := repeated.FindSubmatch(match)
		times, err := strconv.Atoi(string(parts[2]))
		if err != nil {
			t.Fatal(err)
		}
		return []byte(strings.Repeat(string(parts[1]), times))
	})
	var cases []Case
	if err := json.Unmarshal(body, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("envelopes.json holds no case")
	}
	return cases
}
