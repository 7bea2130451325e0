// Package actionstest tests a package that fanfare taxonomy generate wrote: against the taxonomy,
// and against the pages that document its actions.
package actionstest

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
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/activity/taxonomy/generate"
)

// Generated generates the package in the working directory again and compares the files. The
// resource types are those of the go:generate directive in the package's doc.go.
func Generated(t *testing.T, name string, actions []taxonomy.Action) {
	t.Helper()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, command, found := strings.Cut(string(doc), "//go:generate ")
	if !found {
		t.Fatal("doc.go has no go:generate comment")
	}
	options := generate.Options{Package: name, ResourceTypes: map[string]string{}}
	arguments := strings.Fields(command)
	for i, argument := range arguments {
		if argument == "--resource-type" {
			family, resourceType, _ := strings.Cut(arguments[i+1], "=")
			options.ResourceTypes[family] = resourceType
		}
	}
	files, err := generate.Files(actions, options)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, f := range files {
		want[f.Name] = string(f.Text)
	}
	UpToDate(t, want)
}

// UpToDate compares the generated files of the working directory with those wanted.
func UpToDate(t *testing.T, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, GeneratedFiles(t, ".")); diff != "" {
		t.Errorf("the package is not up to date; run go generate (-want +got):\n%s", diff)
	}
}

// GeneratedFiles returns the texts of the generated files of a directory by their names.
func GeneratedFiles(t *testing.T, directory string) map[string]string {
	t.Helper()
	files := map[string]string{}
	paths, err := filepath.Glob(filepath.Join(directory, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.HasPrefix(text, []byte(generate.Header)) {
			files[filepath.Base(path)] = string(text)
		}
	}
	return files
}

// property is the schema of a payload's key.
type property struct {
	Type       string
	Format     string
	Pattern    string
	Enum       []any
	Items      *property
	Properties map[string]*property
	Additional *property `json:"additionalProperties"`
}

// sample returns a value that satisfies the schema.
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
		t.Fatalf("no sample for the pattern %q", p.Pattern)
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
		object := map[string]any{}
		for name, inner := range p.Properties {
			object[name] = inner.sample(t)
		}
		switch {
		case p.Additional != nil:
			object["one"] = p.Additional.sample(t)
		case len(object) == 0:
			object["one"] = "more"
		}
		return object
	}
	t.Fatalf("no sample for the type %q", p.Type)
	return nil
}

// Payloads decodes payloads of every action into the action's type, one with every key of the
// schema and one with the required keys alone, and checks that the envelope of the type contains
// the same payload and satisfies the taxonomy.
func Payloads(t *testing.T, actions *taxonomy.Taxonomy, decode func(action string, payload []byte) (any, error)) {
	t.Helper()
	check := actions.Check(taxonomy.Strict)
	for _, a := range actions.Actions() {
		var schema struct {
			Properties map[string]*property
			Required   []string
		}
		if err := json.Unmarshal(a.Schema, &schema); err != nil {
			t.Fatal(err)
		}
		complete, minimal := map[string]any{}, map[string]any{}
		for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
			complete[name] = schema.Properties[name].sample(t)
			if slices.Contains(schema.Required, name) {
				minimal[name] = complete[name]
			}
		}
		for keys, payload := range map[string]map[string]any{"every key": complete, "the required keys": minimal} {
			in, err := json.Marshal(payload)
			if err != nil {
				t.Fatal(err)
			}
			typed, err := decode(a.Name, in)
			if err != nil {
				t.Errorf("%s with %s: %v", a.Name, keys, err)
				continue
			}
			tenant, resource := uuid.New(), uuid.New()
			e := typed.(interface {
				On(tenant, resource uuid.UUID) activity.Envelope
			}).On(tenant, resource)
			if e.Action != a.Name || e.TenantID != tenant || e.ResourceID != resource || e.ResourceType == "" {
				t.Errorf("%s: got the envelope %+v", a.Name, e)
			}
			out, err := json.Marshal(e.Payload)
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]any
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(payload, got); diff != "" {
				t.Errorf("%s with %s (-want +got):\n%s", a.Name, keys, diff)
			}
			e.ActorPrincipalID = uuid.New()
			if err := check(t.Context(), &e); err != nil {
				t.Errorf("%s with %s: %v", a.Name, keys, err)
			}
			if err := e.Validate(); err != nil {
				t.Errorf("%s with %s: %v", a.Name, keys, err)
			}
			stored, err := json.Marshal(e.Payload)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(stored, []byte("[redacted]")) {
				t.Errorf("%s: a key of the payload is redacted as a secret: %s", a.Name, stored)
			}
		}
	}
}
