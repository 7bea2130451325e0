package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/activity/taxonomy/research"
)

func TestTaxonomyGenerate(t *testing.T) {
	t.Parallel()
	file, directory := taxonomyFile(t, taxonomyOfTest), filepath.Join(t.TempDir(), "deeds")
	generate := func(args ...string) string {
		t.Helper()
		return must(
			t,
			nil,
			append([]string{"taxonomy", "generate", "--package", "deeds", "--output", directory, file}, args...)...)
	}
	at := func(name string) string { return filepath.Join(directory, name) }
	want := "wrote    " + at("actions.go") + "\nwrote    " + at("research.go") + "\n" +
		"wrote    " + at("resources.go") + "\n"
	if got := generate(); got != want {
		t.Errorf("the first time: got\n%s\nwant\n%s", got, want)
	}
	made, err := os.ReadFile(at("resources.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\npackage deeds\n", "type ResourceUpdated struct {\n\tName string `json:\"name\"`\n}",
		`ResourceType: "resource"`,
	} {
		if !strings.Contains(string(made), want) {
			t.Errorf("got no %q in\n%s", want, made)
		}
	}
	if got, want := generate(), directory+": 3 files, up to date\n"; got != want {
		t.Errorf("again: got %q, want %q", got, want)
	}
	if got, want := generate("--resource-type", "resource=thing"), "wrote    "+at("resources.go")+"\n"; got != want {
		t.Errorf("with a resource type: got %q, want %q", got, want)
	}

	if err := os.WriteFile(at("research.go"), []byte("package deeds\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		args []string
		code int
		want string
	}{
		"over a file that was not generated": {
			[]string{"--output", directory, file},
			exitFailure,
			"fanfare: " + at("research.go") + " is not a generated file; no file was written\n",
		},
		"a package without a name": {
			[]string{"--package", "", "--output", directory, file},
			exitFailure,
			`the package's name "" must be an identifier of Go`,
		},
		"half a resource type": {
			[]string{"--resource-type", "auth", file},
			exitUsage,
			`--resource-type "auth" must have the form family=type`,
		},
		"no file":                  {nil, exitUsage, "exactly one argument is required: the file"},
		"a file that is not there": {[]string{at("none.yaml")}, exitFailure, at("none.yaml")},
	} {
		r := fanfare(t, nil, append([]string{"taxonomy", "generate"}, tc.args...)...)
		if r.code != tc.code || !strings.Contains(r.stderr, tc.want) {
			t.Errorf("%s: got exit code %d and %q, want %d and %q", name, r.code, r.stderr, tc.code, tc.want)
		}
	}
}

func TestTaxonomyDefault(t *testing.T) {
	t.Parallel()
	if got := must(t, nil, "taxonomy", "default"); got != taxonomy.DefaultFile {
		t.Errorf("got\n%s\nwant the default file", got)
	}
}

func TestTaxonomyExample(t *testing.T) {
	t.Parallel()
	if got := must(t, nil, "taxonomy", "example", "research"); got != research.File {
		t.Errorf("got\n%s\nwant the research file", got)
	}
	for _, args := range [][]string{{}, {"poetry"}, {"research", "research"}} {
		r := fanfare(t, nil, append([]string{"taxonomy", "example"}, args...)...)
		if r.code != exitUsage || !strings.Contains(r.stderr, "exactly one argument is required: research") {
			t.Errorf("%q: got exit code %d and %q, want a usage error", args, r.code, r.stderr)
		}
	}
}
