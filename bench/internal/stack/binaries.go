package stack

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/fanfarehq/fanfare/internal/devstack"
)

// FindCentrifugo returns the path of a Centrifugo of a major version: the one that is named, else
// the installed one if it has the version, else centrifugo or centrifugo-v5 beside this executable
// or in the checkout's bin.
func FindCentrifugo(named string, major int) (string, error) {
	var candidates []string
	switch path, err := devstack.FindCentrifugo(named); {
	case named != "" && err != nil:
		return "", err
	case err == nil:
		candidates = append(candidates, path)
	}
	if named == "" {
		name := "centrifugo"
		if major == 5 {
			name = "centrifugo-v5"
		}
		if executable, err := os.Executable(); err == nil {
			candidates = append(candidates, filepath.Join(filepath.Dir(executable), name))
		}
		if root, ok := devstack.Checkout(); ok {
			candidates = append(candidates, filepath.Join(root, "bin", name))
		}
	}
	for _, path := range candidates {
		if version, err := devstack.CentrifugoVersion(path); err == nil && version.Major == major {
			return path, nil
		}
	}
	return "", fmt.Errorf("no Centrifugo v%d found: build it with make bin/centrifugo bin/centrifugo-v5, "+
		"or name it with --centrifugo-v%d", major, major)
}
