package generate_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/activity/taxonomy/generate"
)

// actionOf returns an action whose category is its family.
func actionOf(name, schema string) taxonomy.Action {
	family, _, _ := strings.Cut(name, ".")
	a := taxonomy.Action{Name: name, Description: "Something happened.", Category: family}
	if schema != "" {
		a.Schema = json.RawMessage(schema)
	}
	return a
}

func files(t testing.TB, actions ...taxonomy.Action) []generate.File {
	t.Helper()
	made, err := generate.Files(actions, generate.Options{Package: "actions"})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func text(t testing.TB, made []generate.File, name string) string {
	t.Helper()
	for _, f := range made {
		if f.Name == name {
			return string(f.Text)
		}
	}
	t.Fatalf("there is no file %s", name)
	return ""
}

// object returns a schema with the optional property x.
func object(x string) string { return `{"type":"object","properties":{"x":` + x + `}}` }

func required(x string) string {
	return `{"type":"object","required":["x"],"properties":{"x":` + x + `}}`
}

// types are schemas of payloads and the generated types, without comments and extra spaces.
var types = map[string]struct{ schema, want string }{
	"none":                  {"", "map[string]any"},
	"true":                  {"true", "map[string]any"},
	"an object of anything": {`{"type":"object"}`, "map[string]any"},
	"an object of nothing":  {`{"type":"object","additionalProperties":false}`, "struct{}"},
	"several kinds":         {`{"type":["object"],"properties":{"x":{"type":"string"}}}`, "map[string]any"},
	"a choice": {
		`{"type":"object","oneOf":[{"required":["a"]},{"required":["b"]}],"properties":{"a":{}}}`,
		"map[string]any",
	},
	"a reference": {
		`{"type":"object","$ref":"#/$defs/a","$defs":{"a":{"type":"object"}},"properties":{"a":{}}}`,
		"map[string]any",
	},
	"a name that no tag holds":  {`{"type":"object","properties":{"a,b":{"type":"string"}}}`, "map[string]any"},
	"a name that Go cannot say": {`{"type":"object","properties":{"é":{"type":"string"}}}`, "map[string]any"},
	"a name without letters":    {`{"type":"object","properties":{"_-":{"type":"string"}}}`, "map[string]any"},
	"a name that begins oddly": {
		`{"type":"object","properties":{"2fa":{"type":"string"}}}`,
		"struct { N2fa string `json:\"2fa,omitzero\"` }",
	},
	"the method's name": {
		`{"type":"object","properties":{"on":{"type":"string"}}}`,
		"struct { OnValue string `json:\"on,omitzero\"` }",
	},
	"an initialism": {
		`{"type":"object","properties":{"api-url_id":{"type":"string"}}}`,
		"struct { APIURLID string `json:\"api-url_id,omitzero\"` }",
	},
	"a string":             {object(`{"type":"string"}`), "struct { X string `json:\"x,omitzero\"` }"},
	"a string, required":   {required(`{"type":"string"}`), "struct { X string `json:\"x\"` }"},
	"an integer":           {object(`{"type":"integer"}`), "struct { X *int `json:\"x,omitzero\"` }"},
	"an integer, required": {required(`{"type":"integer"}`), "struct { X int `json:\"x\"` }"},
	"a number":             {object(`{"type":"number"}`), "struct { X *float64 `json:\"x,omitzero\"` }"},
	"a boolean":            {object(`{"type":"boolean"}`), "struct { X *bool `json:\"x,omitzero\"` }"},
	"an id": {
		object(`{"type":"string","format":"uuid"}`),
		"struct { X uuid.UUID `json:\"x,omitzero\"` }",
	},
	"a time, required": {
		required(`{"type":"string","format":"date-time"}`),
		"struct { X time.Time `json:\"x\"` }",
	},
	"a string or null":           {object(`{"type":["string","null"]}`), "struct { X *string `json:\"x,omitzero\"` }"},
	"a number or null, required": {required(`{"type":["null","number"]}`), "struct { X *float64 `json:\"x\"` }"},
	"a string or a number": {
		object(`{"type":["string","number"]}`),
		"struct { X json.RawMessage `json:\"x,omitzero\"` }",
	},
	"anything":   {object(`{}`), "struct { X json.RawMessage `json:\"x,omitzero\"` }"},
	"a constant": {object(`{"const":1}`), "struct { X json.RawMessage `json:\"x,omitzero\"` }"},
	"a choice within": {
		object(`{"anyOf":[{"type":"string"}]}`),
		"struct { X json.RawMessage `json:\"x,omitzero\"` }",
	},
	"null": {object(`{"type":"null"}`), "struct { X json.RawMessage `json:\"x,omitzero\"` }"},
	"strings": {
		object(`{"type":"array","items":{"type":"string"}}`),
		"struct { X []string `json:\"x,omitzero\"` }",
	},
	"a list of anything": {object(`{"type":"array"}`), "struct { X []any `json:\"x,omitzero\"` }"},
	"a list of odd things": {
		object(`{"type":"array","items":{"type":["string","number"]}}`),
		"struct { X []json.RawMessage `json:\"x,omitzero\"` }",
	},
	"a list of lists": {
		object(`{"type":"array","items":{"type":"array","items":{"type":"integer"}}}`),
		"struct { X [][]int `json:\"x,omitzero\"` }",
	},
	"a list of objects": {
		object(`{"type":"array","items":{"type":"object","properties":{"n":{"type":"integer"}}}}`),
		"struct { X []ThingChangedXItem `json:\"x,omitzero\"` }",
	},
	"an object within": {
		object(`{"type":"object","properties":{"n":{"type":"integer"}}}`),
		"struct { X *ThingChangedX `json:\"x,omitzero\"` }",
	},
	"an object within, required": {
		required(`{"type":"object","properties":{"n":{"type":"integer"}}}`),
		"struct { X ThingChangedX `json:\"x\"` }",
	},
	"an odd object within": {
		object(`{"type":"object","properties":{"a,b":{"type":"integer"}}}`),
		"struct { X map[string]any `json:\"x,omitzero\"` }",
	},
	"an object of anything in it": {object(`{"type":"object"}`), "struct { X map[string]any `json:\"x,omitzero\"` }"},
	"an object of numbers": {
		object(`{"type":"object","additionalProperties":{"type":"number"}}`),
		"struct { X map[string]float64 `json:\"x,omitzero\"` }",
	},
	"the required first": {
		`{"type":"object","required":["z"],` +
			`"properties":{"a":{"type":"string"},"z":{"type":"string"},"b":{"type":"string"}}}`,
		"struct { Z string `json:\"z\"` A string `json:\"a,omitzero\"` B string `json:\"b,omitzero\"` }",
	},
}

var (
	declared = regexp.MustCompile(`(?s)type ThingChanged (.*?)\n\n`)
	comments = regexp.MustCompile(`(?m)^\s*//.*$`)
)

func TestTypes(t *testing.T) {
	t.Parallel()
	for name, tc := range types {
		made := text(t, files(t, actionOf("thing.changed", tc.schema)), "thing.go")
		found := declared.FindStringSubmatch(comments.ReplaceAllString(made, ""))
		if found == nil {
			t.Errorf("%s: there is no type in\n%s", name, made)
			continue
		}
		if got := strings.Join(strings.Fields(found[1]), " "); got != tc.want {
			t.Errorf("%s: got %s, want %s", name, got, tc.want)
		}
	}
}

// TestGeneratedPackageCompiles compiles the types of all cases with an overlay.
func TestGeneratedPackageCompiles(t *testing.T) {
	t.Parallel()
	var actions []taxonomy.Action
	n := 0
	for _, tc := range types {
		n++
		actions = append(actions, actionOf("kind"+strings.Repeat("x", n)+"_linux_test.changed", tc.schema))
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	made := files(t, actions...)
	if len(made) != n+1 {
		t.Errorf("got %d files, want %d", len(made), n+1)
	}
	for _, f := range made {
		place := filepath.Join(directory, f.Name)
		if err := os.WriteFile(place, f.Text, 0o600); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[filepath.Join(root, "activity", "odd", f.Name)] = place
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(directory, "overlay.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(
		t.Context(),
		"go",
		"build",
		"-overlay",
		filepath.Join(directory, "overlay.json"),
		"./activity/odd",
	)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Errorf("go build: %v\n%s", err, out)
	}
}

func TestComments(t *testing.T) {
	t.Parallel()
	a := actionOf("thing.changed", `{"type":"object","required":["list"],"properties":{
		"size":{"type":"string","description":"How\nlarge\n//go:build ignore","enum":["s","m"],"deprecated":true},
		"list":{"type":"array","items":{"type":"string"}}}}`)
	a.Description, a.Keep = "A thing\r\nwas changed.", []string{"size"}
	made := text(t, files(t, a), "thing.go")
	for _, want := range []string{
		"// ThingChanged is the payload of thing.changed: A thing was changed. No other keys are stored.\n",
		"\t// How large //go:build ignore. One of s, m. Deprecated.\n",
		"\t// It must not be nil; an empty value is []string{}.\n",
	} {
		if !strings.Contains(made, want) {
			t.Errorf("there is no %q in\n%s", want, made)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		actions []taxonomy.Action
		options generate.Options
		want    string
	}{
		"a keyword for a name": {
			nil,
			generate.Options{Package: "type"},
			`the package's name "type" must be an identifier of Go, and not main`,
		},
		"two actions of one name": {
			[]taxonomy.Action{actionOf("a.b_c", ""), actionOf("a.b.c", "")},
			generate.Options{Package: "x"},
			"the taxonomy cannot be written as Go:\n" +
				"  a.b.c and a.b_c would have the same name ABC\n" +
				"  the name of a.b.c and the name of a.b_c would have the same name NameABC",
		},
		"two keys of one name": {
			[]taxonomy.Action{
				actionOf("a.b", `{"type":"object","properties":{"run_id":{},"run-id":{}}}`),
			},
			generate.Options{Package: "x"},
			"the taxonomy cannot be written as Go:\n  run-id of a.b and run_id of a.b would have the same name RunID",
		},
		"a part with an action's name": {
			[]taxonomy.Action{
				actionOf("a.b", object(`{"type":"object","properties":{"n":{"type":"string"}}}`)),
				actionOf("a.b.x", ""),
			},
			generate.Options{Package: "x"},
			"the taxonomy cannot be written as Go:\n  a part of a.b and a.b.x would have the same name ABX",
		},
		"a resource type of an unknown family": {
			[]taxonomy.Action{actionOf("a.b", "")},
			generate.Options{Package: "x", ResourceTypes: map[string]string{"b": "c"}},
			"the taxonomy cannot be written as Go:\n  no action begins with \"b\", whose resource type is given",
		},
	} {
		if _, err := generate.Files(tc.actions, tc.options); err == nil || err.Error() != tc.want {
			t.Errorf("%s:\ngot  %v\nwant %s", name, err, tc.want)
		}
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	directory := filepath.Join(t.TempDir(), "new", "actions")
	same := func(what string, got, want []string) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	write := func(actions ...taxonomy.Action) (written, removed []string) {
		t.Helper()
		written, removed, err := generate.Write(directory, files(t, actions...))
		if err != nil {
			t.Fatal(err)
		}
		return written, removed
	}
	written, removed := write(actionOf("a.b", ""), actionOf("b.c", ""))
	same("at first, written", written, []string{"a.go", "actions.go", "b.go"})
	same("at first, removed", removed, nil)
	written, removed = write(actionOf("a.b", ""), actionOf("b.c", ""))
	same("the same, written", written, nil)
	same("the same, removed", removed, nil)
	own := filepath.Join(directory, "own.go")
	if err := os.WriteFile(own, []byte("package actions\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	written, removed = write(actionOf("b.c", ""))
	same("one less, written", written, []string{"actions.go"})
	same("one less, removed", removed, []string{"a.go"})

	_, _, err := generate.Write(directory, files(t, actionOf("own.b", "")))
	if want := own + " is not a generated file; no file was written"; err == nil || err.Error() != want {
		t.Errorf("over another file: got %v, want %s", err, want)
	}
	left, err := filepath.Glob(filepath.Join(directory, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	same("at the end", left, []string{filepath.Join(directory, "actions.go"), filepath.Join(directory, "b.go"), own})
}

// TestCategoriesBecomeFiles gives actions categories that no file can be named after, or the same
// file.
func TestCategoriesBecomeFiles(t *testing.T) {
	t.Parallel()
	var actions []taxonomy.Action
	for i, category := range []string{"a b", "AB", "a_b_test", "é", "Actions", "linux_amd64"} {
		a := actionOf("x.n"+strings.Repeat("i", i), "")
		a.Category = category
		actions = append(actions, a)
	}
	var got []string
	for _, f := range files(t, actions...) {
		got = append(got, f.Name)
	}
	if diff := cmp.Diff([]string{"ab.go", "abtest.go", "actions.go", "linuxamd64.go"}, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestLinesAreBounded gives an action long texts, names and lists of values.
func TestLinesAreBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("lorem ipsum ", 40)
	a := actionOf("thing.changed_"+strings.Repeat("very_", 8)+"much", `{"type":"object","properties":{
		"a":{"type":"string","description":"`+long+`","enum":["s`+strings.Repeat(`","s`, 80)+`"]},
		"b":{"type":"object","properties":{"c":{"type":"string","description":"`+long+`"}}}}}`)
	a.Description = long
	for _, f := range files(t, a) {
		for line := range strings.Lines(string(f.Text)) {
			line = strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "\t", "    ")
			limit := 120
			if strings.HasPrefix(strings.TrimSpace(line), "//") {
				limit = 100
			}
			if len(line) > limit {
				t.Errorf("%s: a line has %d columns, want at most %d: %s", f.Name, len(line), limit, line)
			}
		}
	}
}
