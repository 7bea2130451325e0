package devstack

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// centrifugoVariable is the environment variable with the binary's path.
const centrifugoVariable = "FANFARE_CENTRIFUGO_BIN"

// ErrNoCentrifugo is returned if no binary of Centrifugo is found.
var ErrNoCentrifugo = errors.New("no Centrifugo found: build it with make bin/centrifugo, " +
	"or set " + centrifugoVariable + " to the path of a v5 binary, or put centrifugo on PATH")

// FindCentrifugo returns the path of Centrifugo: the argument, else the value of the environment
// variable FANFARE_CENTRIFUGO_BIN, else centrifugo beside the running executable, in the checkout's
// bin, or on PATH. If there is none, the error is ErrNoCentrifugo.
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

// moduleRoot returns the root of the checkout of Fanfare that contains dir.
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
