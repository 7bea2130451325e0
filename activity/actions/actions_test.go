package actions_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/actions"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/activity/taxonomy/generate"
)

// TestGenerated writes the package anew and compares: go generate ./activity/actions mends it.
func TestGenerated(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, command, found := strings.Cut(string(doc), "//go:generate ")
	if !found {
		t.Fatal("doc.go does not say how the package is generated")
	}
	options := generate.Options{Package: "actions", ResourceTypes: map[string]string{}}
	words := strings.Fields(command)
	for i, word := range words {
		if word == "--resource-type" {
			family, resourceType, _ := strings.Cut(words[i+1], "=")
			options.ResourceTypes[family] = resourceType
		}
	}
	files, err := generate.Files(taxonomy.Shipped().Actions(), options)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, f := range files {
		want[f.Name] = string(f.Text)
	}
	got := map[string]string{}
	all, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range all {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(text, []byte(generate.Header)) {
			got[name] = string(text)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("go generate ./activity/actions gives something else: %s", diff)
	}
}

// property is a schema of the shipped taxonomy's payloads.
type property struct {
	Type       string
	Format     string
	Pattern    string
	Enum       []any
	Items      *property
	Additional *property `json:"additionalProperties"`
}

// sample is a value that a property may have.
func (p *property) sample(t *testing.T) any {
	t.Helper()
	switch {
	case len(p.Enum) > 0:
		return p.Enum[len(p.Enum)-1]
	case p.Format == "uuid":
		return uuid.NewString()
	case p.Format == "date-time":
		return "2026-02-03T04:05:06.123456Z"
	case p.Pattern == "^[A-Z]{3}$":
		return "EUR"
	case p.Pattern == "^[0-9a-f]{64}$":
		return strings.Repeat("0f", 32)
	case p.Pattern != "":
		t.Fatalf("the test knows no text for the pattern %q", p.Pattern)
	}
	switch p.Type {
	case "string":
		return "some text"
	case "integer":
		return 7.0
	case "number":
		return 0.5
	case "boolean":
		return false
	case "array":
		return []any{p.Items.sample(t), p.Items.sample(t)}
	case "object":
		if p.Additional == nil {
			return map[string]any{"one": "more"}
		}
		return map[string]any{"one": p.Additional.sample(t)}
	}
	t.Fatalf("the test knows no value of the type %q", p.Type)
	return nil
}

// TestPayloads brings each action's payload through its type and holds what comes out to the
// schema: with everything in it, and with nothing but what is required.
func TestPayloads(t *testing.T) {
	t.Parallel()
	check := taxonomy.Shipped().Check(taxonomy.Strict)
	for _, a := range taxonomy.Shipped().Actions() {
		var schema struct {
			Properties map[string]*property
			Required   []string
		}
		if err := json.Unmarshal(a.Schema, &schema); err != nil {
			t.Fatal(err)
		}
		whole, least := map[string]any{}, map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
			whole[name] = schema.Properties[name].sample(t)
			if slices.Contains(schema.Required, name) {
				least[name] = whole[name]
			}
		}
		for what, payload := range map[string]map[string]any{"all": whole, "what is required": least} {
			in, err := json.Marshal(payload)
			if err != nil {
				t.Fatal(err)
			}
			typed, err := actions.Decode(a.Name, in)
			if err != nil {
				t.Errorf("%s with %s: %v", a.Name, what, err)
				continue
			}
			made := envelope(typed)
			if made.Action != a.Name || made.TenantID != tenant || made.ResourceID != resource || made.ResourceType == "" {
				t.Errorf("%s: got the envelope %+v", a.Name, made)
			}
			out, err := json.Marshal(made.Payload)
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]any
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(payload, got); diff != "" {
				t.Errorf("%s with %s: %s", a.Name, what, diff)
			}
			made.ActorPrincipalID = uuid.New()
			if err := check(t.Context(), &made); err != nil {
				t.Errorf("%s with %s: %v", a.Name, what, err)
			}
			if err := made.Validate(); err != nil {
				t.Errorf("%s with %s: %v", a.Name, what, err)
			}
			stored, err := json.Marshal(made.Payload)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(stored, []byte("[redacted]")) {
				t.Errorf("%s: a key of its payload counts as a secret's: %s", a.Name, stored)
			}
		}
	}
}

var tenant, resource = uuid.New(), uuid.New()

// envelope makes the envelope of a payload that Decode returned.
func envelope(payload any) activity.Envelope {
	return payload.(interface {
		On(tenant, resource uuid.UUID) activity.Envelope
	}).On(tenant, resource)
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]string{
		"nothing.known":  `decode the payload of "nothing.known": the taxonomy does not have this action`,
		"run.completed":  "decode the payload of run.completed: ",
		"signal.created": "decode the payload of signal.created: ",
	} {
		if _, err := actions.Decode(action, []byte(`{"duration_ms":"long","signal_type":7}`)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s…", action, err, want)
		}
	}
}
