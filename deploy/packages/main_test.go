package packages_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// root is the repository, dist what goreleaser has built.
const (
	root = "../.."
	dist = root + "/dist"
)

func TestMain(m *testing.M) {
	if _, err := os.Stat(filepath.Join(dist, "artifacts.json")); err != nil {
		fmt.Fprintln(os.Stderr, "packages: nothing is built; run make packages:", err)
		os.Exit(1)
	}
	tools, err := filepath.Abs(root + "/.tools/release")
	if err == nil {
		err = errors.Join(
			os.Setenv("PATH", tools+":"+os.Getenv("PATH")+":/usr/sbin:/sbin"),
			os.Setenv("PYTHONPATH", filepath.Join(tools, "kubernetes")),
		)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "packages:", err)
		os.Exit(1)
	}
	pgtest.Main(m)
}

// artifact is an entry of artifacts.json.
type artifact struct {
	Name   string `json:"name"`
	Path   string `json:"path"`
	Type   string `json:"type"`
	OS     string `json:"goos"`
	Arch   string `json:"goarch"`
	Format string `json:"-"`
}

// artifacts returns what goreleaser has built of a type, with paths that the tests can open.
func artifacts(t *testing.T, kind string) []artifact {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dist, "artifacts.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all, found []artifact
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if a.Type == kind {
			a.Path, a.Format = filepath.Join(root, a.Path), filepath.Ext(a.Name)
			found = append(found, a)
		}
	}
	if len(found) == 0 {
		t.Fatalf("dist contains no %s", kind)
	}
	return found
}

// version returns the version of the release that dist contains.
func version(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dist, "metadata.json"))
	if err != nil {
		t.Fatal(err)
	}
	var metadata struct {
		Version string `json:"version"`
	}
	if err := json.Unmarshal(text, &metadata); err != nil {
		t.Fatal(err)
	}
	return metadata.Version
}

// output runs a program and returns what it prints; a failure fails the test.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, text)
	}
	return string(text)
}

// refused runs a program that must fail, and returns what it prints.
func refused(t *testing.T, name string, args ...string) string {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err == nil {
		t.Fatalf("%s %s succeeded:\n%s", name, strings.Join(args, " "), text)
	}
	return string(text)
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
