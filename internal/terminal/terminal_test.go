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

func TestTerminal(t *testing.T) {
	t.Parallel()
	pty, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pty.Close() }()
	for name, tc := range map[string]struct {
		env             map[string]string
		redraws, colors bool
	}{
		"plain":         {nil, true, true},
		"no colors":     {map[string]string{"NO_COLOR": "1"}, true, false},
		"dumb terminal": {map[string]string{"TERM": "dumb"}, false, false},
	} {
		getenv := func(key string) string { return tc.env[key] }
		if !Is(pty) {
			t.Errorf("%s: got no terminal, want one", name)
		}
		if got := Redraws(pty, getenv); got != tc.redraws {
			t.Errorf("%s: Redraws: got %v, want %v", name, got, tc.redraws)
		}
		if got := Colors(pty, getenv); got != tc.colors {
			t.Errorf("%s: Colors: got %v, want %v", name, got, tc.colors)
		}
	}
}
