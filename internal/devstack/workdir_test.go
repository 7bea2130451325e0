package devstack

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/waittest"
)

func TestSweepRemovesAbandonedDirectories(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	mkdir := func(name, lock string) string {
		path := filepath.Join(parent, name)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		if lock != "" {
			if err := os.WriteFile(filepath.Join(path, lock), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	living := &workdir{path: mkdir(workdirPrefix+"living", "")}
	if err := living.hold(); err != nil {
		t.Fatal(err)
	}
	kept := []string{
		living.path,
		mkdir(workdirPrefix+"young", ""),
		mkdir(workdirPrefix+"starting", lockName+".new"),
		mkdir("foreign", lockName),
	}
	unlocked := mkdir(workdirPrefix+"unlocked", "")
	if err := os.Chtimes(unlocked, time.Time{}, time.Now().Add(-2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	removed := []string{mkdir(workdirPrefix+"dead", lockName), unlocked}

	sweep(parent)
	for _, path := range kept {
		if !exists(path) {
			t.Errorf("%s: removed, want it kept", filepath.Base(path))
		}
	}
	for _, path := range removed {
		if exists(path) {
			t.Errorf("%s: kept, want it removed", filepath.Base(path))
		}
	}

	if err := living.lock.Close(); err != nil { // as the process's death does
		t.Fatal(err)
	}
	// A process that another test starts holds a copy of the lock until it executes its program.
	waittest.Until(t, "the sweep of a directory whose lock was released", func() bool {
		sweep(parent)
		return !exists(living.path)
	})
}
