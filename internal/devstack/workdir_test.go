package devstack

import (
	"os"
	"path/filepath"
	"testing"
	"time"
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
	sweep(parent)
	if exists(living.path) {
		t.Error("the directory exists after its lock was released and a sweep")
	}
}
