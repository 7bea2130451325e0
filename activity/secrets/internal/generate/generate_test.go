package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const root = "../../../.."

func TestGeneratedFilesAreUpToDate(t *testing.T) {
	t.Parallel()
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s is stale: run go generate ./activity/secrets (-want +got):\n%s", name, diff)
		}
	}
}

func TestPageWithoutMarkersIsRefused(t *testing.T) {
	t.Parallel()
	for _, page := range []string{"", beginMarker, endMarker, endMarker + beginMarker} {
		if got, err := updatePage(page); err == nil {
			t.Errorf("updatePage(%q): got %q, want an error", page, got)
		}
	}
}
