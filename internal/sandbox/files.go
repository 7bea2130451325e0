package sandbox

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/devstack"
)

// The ids of the sample. They are the same in each sandbox.
var (
	tenant    = uuid.MustParse("acae0000-0000-4000-8000-000000000001")
	ada       = uuid.MustParse("acae0000-0000-4000-8000-0000000000a1")
	grace     = uuid.MustParse("acae0000-0000-4000-8000-0000000000a2")
	linus     = uuid.MustParse("acae0000-0000-4000-8000-0000000000a3")
	workspace = uuid.MustParse("acae0000-0000-4000-8000-0000000000b1")
	project   = uuid.MustParse("acae0000-0000-4000-8000-0000000000b2")
	document  = uuid.MustParse("acae0000-0000-4000-8000-0000000000b3")
)

// ids inserts the ids into the sample's SQL.
var ids = strings.NewReplacer(
	"{tenant}", tenant.String(), "{ada}", ada.String(), "{grace}", grace.String(), "{linus}", linus.String(),
	"{workspace}", workspace.String(), "{project}", project.String(), "{document}", document.String(),
)

// The programs of the guide. Each has the commands record, inbox and listen.
var (
	//go:embed sample/sample.go
	goProgram string
	//go:embed sample/sample.py
	pythonProgram string
	//go:embed sample/sample.js
	nodeProgram string
)

// writeFiles writes the programs of the guide and a file with its variables to a temporary
// directory, in files that only this user can read, and returns the directory.
func (s *sandbox) writeFiles() (string, error) {
	dir, remove, err := devstack.TempDir()
	if err != nil {
		return "", err
	}
	s.stops = append(s.stops, func(context.Context) error { return remove() })
	var variables strings.Builder
	for _, v := range [][2]string{
		{"DEV", dir},
		{"DATABASE_URL", s.serviceURL},
		{"OWNER_URL", s.ownerURL},
		{"API", s.apiURL},
		{"CONSOLE", s.consoleURL},
		{"TOKEN", s.token},
		{"TENANT", tenant.String()},
		{"ADA", ada.String()},
		{"GRACE", grace.String()},
		{"PROJECT", project.String()},
	} {
		fmt.Fprintf(&variables, "export %s='%s'\n", v[0], v[1])
	}
	for name, content := range map[string]string{
		"env": variables.String(), "sample.go": goProgram, "sample.py": pythonProgram, "sample.js": nodeProgram,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return "", err
		}
	}
	return dir, nil
}
