package next

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReleases finds the newest of the release tags that are reachable, and the migrations that a
// commit after it has changed.
func TestReleases(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		identity := []string{"-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"}
		if _, err := git(t.Context(), root, append(identity, args...)...); err != nil {
			t.Fatal(err)
		}
	}
	commit := func(files map[string]string) {
		t.Helper()
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(root, "migrations", name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		run("add", "--all")
		run("commit", "--quiet", "--message", "files")
	}
	if err := os.Mkdir(filepath.Join(root, "migrations"), 0o700); err != nil {
		t.Fatal(err)
	}
	run("init", "--quiet")
	commit(map[string]string{"001_a.sql": "a", "002_b.sql": "b", "003_c.sql": "c"})
	run("tag", "other")
	if tag, err := NewestRelease(t.Context(), root); !errors.Is(err, ErrNoRelease) {
		t.Errorf("without a release: got %q, %v, want ErrNoRelease", tag, err)
	}
	run("tag", "v1.9.0")
	run("tag", "v1.10.0")
	if tag, err := NewestRelease(t.Context(), root); err != nil || tag != "v1.10.0" {
		t.Errorf("newest release: got %q, %v, want v1.10.0", tag, err)
	}
	commit(map[string]string{"004_d.sql": "d", "migrations.go": "x"})
	if changed, err := Changed(t.Context(), root, "v1.10.0"); err != nil || len(changed) > 0 {
		t.Errorf("a new migration: got %q, %v, want none", changed, err)
	}
	run("mv", "migrations/003_c.sql", "migrations/003_e.sql")
	commit(map[string]string{"001_a.sql": "other"})
	changed, err := Changed(t.Context(), root, "v1.10.0")
	if want := []string{"migrations/001_a.sql", "migrations/003_c.sql"}; err != nil || !slices.Equal(changed, want) {
		t.Errorf("changed migrations: got %q, %v, want %q", changed, err, want)
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	got, err := Render("contract/notifications_note.sql", 35, 41)
	if err != nil {
		t.Fatal(err)
	}
	if want := "\n-- Programs before: from 041: "; !strings.Contains(got, want) {
		t.Errorf("got %s, want the line %q", got, want)
	}
}
