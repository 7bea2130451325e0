package devstack

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// centrifugoVariable names the environment variable with the binary's path.
const centrifugoVariable = "FANFARE_CENTRIFUGO_BIN"

// ErrNoCentrifugo is returned when no Centrifugo binary is found.
var ErrNoCentrifugo = errors.New("no Centrifugo found: build it with make bin/centrifugo, " +
	"or name a v5 binary in " + centrifugoVariable + ", or put it on PATH as centrifugo")

// FindCentrifugo returns the binary that is named, by argument or environment,
// else the one beside the running executable, in the checkout's bin or on PATH,
// else ErrNoCentrifugo.
func FindCentrifugo(named string) (string, error) {
	if named == "" {
		named = os.Getenv(centrifugoVariable)
	}
	if named != "" {
		path, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("centrifugo binary: %w", err)
		}
		return filepath.Abs(path)
	}
	var candidates []string
	if executable, err := os.Executable(); err == nil {
		candidates = append(candidates, filepath.Join(filepath.Dir(executable), "centrifugo"))
	}
	if dir, err := os.Getwd(); err == nil {
		if root, ok := moduleRoot(dir); ok {
			candidates = append(candidates, filepath.Join(root, "bin", "centrifugo"))
		}
	}
	for _, path := range append(candidates, "centrifugo") {
		if path, err := exec.LookPath(path); err == nil {
			return path, nil
		}
	}
	return "", ErrNoCentrifugo
}

// moduleRoot returns the root of the checkout of Fanfare that dir is in.
func moduleRoot(dir string) (root string, ok bool) {
	for ; ; dir = filepath.Dir(dir) {
		content, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(content, []byte("module github.com/fanfarehq/fanfare\n")) {
			return dir, true
		}
		if dir == filepath.Dir(dir) {
			return "", false
		}
	}
}
