package terminal

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func noEnv(string) string { return "" }

func TestWhatIsNoTerminal(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = null.Close() }()
	if out := new(bytes.Buffer); Is(out) || Redraws(out, noEnv) || Colors(out, noEnv) {
		t.Error("a buffer: got a terminal, want none")
	}
	for _, out := range []*os.File{file, null} {
		if Is(out) || Redraws(out, noEnv) || Colors(out, noEnv) {
			t.Errorf("%s: got a terminal, want none", out.Name())
		}
	}
}
