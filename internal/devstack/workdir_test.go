package devstack

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestSweepTakesTheDeadAndSparesTheLiving(t *testing.T) {
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
	spared := []string{
		living.path,
		mkdir(workdirPrefix+"young", ""),
		mkdir(workdirPrefix+"being-born", lockName+".new"),
		mkdir("somebody-elses", lockName),
	}
	unborn := mkdir(workdirPrefix+"unborn", "")
	if err := os.Chtimes(unborn, time.Time{}, time.Now().Add(-2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	swept := []string{mkdir(workdirPrefix+"dead", lockName), unborn}

	sweep(parent)
	for _, path := range spared {
		if !exists(path) {
			t.Errorf("%s: swept away, want spared", filepath.Base(path))
		}
	}
	for _, path := range swept {
		if exists(path) {
			t.Errorf("%s: spared, want swept away", filepath.Base(path))
		}
	}

	if err := living.lock.Close(); err != nil { // as its death would
		t.Fatal(err)
	}
	sweep(parent)
	if exists(living.path) {
		t.Error("the directory outlived its lock and a sweep")
	}
}
