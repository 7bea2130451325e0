// Package archtest checks the imports and the language of the module. Imports run downhill, so that
// a reader who follows an activity never climbs back, and a service that records activities depends
// on no more than recording takes.
package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/fanfarehq/fanfare"

// listed is a package as go list describes it.
type listed struct {
	ImportPath string
	Imports    []string // of its files that are not tests
	Standard   bool
	Module     *struct{ Path string }
}

func goList(t *testing.T, arguments ...string) []listed {
	t.Helper()
	cmd := exec.CommandContext(
		t.Context(),
		"go",
		append([]string{"list", "-json=ImportPath,Imports,Standard,Module"}, arguments...)...)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var packages []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// floor holds the packages that every package may import, the public ones included. They import
// nothing of the module but each other.
var floor = []string{
	"activity/invalid",
	"activity/payload",
	"activity/secrets",
	"activity/secrets/internal/detectors",
	"internal/fnmatch",
	"internal/frontier",
	"internal/guard",
	"internal/jsontext",
	"internal/pg",
	"internal/terminal",
	"internal/uuidv7",
	"internal/wait",
}

// testOnly holds the packages that only tests import, and each other.
var testOnly = []string{
	"internal/actionstest", "internal/activitytest", "internal/browsertest", "internal/centrifugotest",
	"internal/console/stage", "internal/console/stage/cmd/stage", "internal/directorytest", "internal/jwttest",
	"internal/leaks", "internal/logtest", "internal/nettest", "internal/pgtest", "internal/waittest",
}

// TestImportsRunDownhill holds the packages that an activity passes on its way to a table of what
// each may import, besides the floor. The packages that are not in the table are above them.
func TestImportsRunDownhill(t *testing.T) {
	t.Parallel()
	downhill := map[string][]string{
		"migrations":                         nil,
		"activity":                           nil,
		"activity/pglog":                     {"activity"},
		"activity/memlog":                    {"activity"},
		"activity/besteffort":                {"activity"},
		"activity/redaction":                 {"activity", "activity/pglog"},
		"internal/centrifugo":                {"activity"},
		"activity/actions":                   {"activity"},
		"activity/actions/builtin":           {"activity"},
		"activity/taxonomy":                  {"activity", "activity/taxonomy/template"},
		"activity/taxonomy/template":         {"activity"},
		"activity/taxonomy/generate":         {"activity/taxonomy"},
		"activity/taxonomy/research":         nil,
		"activity/taxonomy/research/actions": {"activity"},
		"activity/export":                    {"activity", "activity/pglog"},
		"activity/retention":                 {"activity", "activity/actions/builtin", "outbox"},
		"outbox":                             {"activity", "activity/pglog"},
		"watchers": {
			"activity", "preferences", "watchers/directory", "watchers/subscriptions",
		},
		"watchers/directory":     {"activity"},
		"watchers/subscriptions": {"activity", "watchers/directory"},
		"watchers/levels": {
			"activity", "preferences", "watchers/directory", "watchers/subscriptions",
		},
		"preferences": {"activity"},
		"internal/inbox": {
			"activity", "activity/pglog", "watchers", "watchers/directory", "internal/centrifugo", "internal/feed",
		},
		"internal/feed": {"activity", "activity/pglog", "watchers/directory"},
		"internal/render": {
			"activity",
			"activity/taxonomy",
			"activity/taxonomy/template",
			"watchers/directory",
		},
		"internal/fanout": {
			"activity",
			"outbox",
			"watchers",
			"watchers/directory",
			"preferences",
			"internal/inbox",
			"internal/render",
			"internal/centrifugo",
		},
		"internal/identity": {"activity", "activity/actions/builtin", "outbox"},
		"internal/cells":    {"internal/database"},
		"internal/config": {
			"preferences", "internal/cells", "internal/centrifugo", "internal/database", "internal/identity",
		},
		"internal/database":        nil,
		"internal/preferencelog":   {"activity", "activity/actions/builtin", "outbox", "preferences"},
		"internal/notificationlog": {"activity", "activity/actions/builtin", "outbox"},
		"internal/outboxlog":       {"activity", "activity/actions/builtin", "outbox"},
		"internal/subscriptionlog": {
			"activity", "activity/actions/builtin", "outbox", "watchers/directory", "watchers/subscriptions",
		},
		"internal/taxonomylog": {
			"activity", "activity/actions/builtin", "activity/taxonomy", "outbox",
		},
	}
	seen := map[string]bool{}
	for _, p := range goList(t, "./...") {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		allowed, known := downhill[name]
		onFloor := slices.Contains(floor, name)
		seen[name] = true
		for _, path := range p.Imports {
			imported, ours := strings.CutPrefix(path, module+"/")
			switch {
			case !ours:
				if strings.HasPrefix(path, "github.com/centrifugal/gocent/") && name != "internal/centrifugo" {
					t.Errorf("%s imports %s, want only internal/centrifugo to", name, path)
				}
			case strings.HasPrefix(imported, "cmd/"):
				t.Errorf("%s imports %s, want nothing to import a command", name, imported)
			case name == "internal/acceptance/oracle":
				t.Errorf("%s imports %s, want it to share no code with what it judges", name, imported)
			case strings.HasPrefix(imported, "internal/acceptance") && name != "internal/demo" &&
				name != "internal/console/stage" && !strings.HasPrefix(name, "internal/acceptance"):
				t.Errorf("%s imports %s, want it in acceptance runs, the demo and the stage alone", name, imported)
			case slices.Contains(testOnly, imported) && !slices.Contains(testOnly, name):
				t.Errorf("%s imports %s, want it in tests alone", name, imported)
			case slices.Contains(floor, imported):
			case onFloor:
				t.Errorf("%s imports %s, want a package of the floor to import nothing above it", name, imported)
			case known && !slices.Contains(allowed, imported):
				t.Errorf("%s imports %s, want of ours at most %q", name, imported, allowed)
			case !known && !strings.HasPrefix(name, "internal/") && !strings.HasPrefix(name, "cmd/") &&
				strings.HasPrefix(imported, "internal/"):
				t.Errorf("%s, which others may import, imports %s", name, imported)
			}
		}
	}
	for _, name := range slices.AppendSeq(slices.Clone(floor), maps.Keys(downhill)) {
		if !seen[name] {
			t.Errorf("the table names %s, which does not exist", name)
		}
	}
}

// TestDomainDependsOnNoDatabase keeps the domain, and the log in memory that tests use, free of
// pgx.
func TestDomainDependsOnNoDatabase(t *testing.T) {
	t.Parallel()
	for _, p := range goList(t, "-deps", "./activity", "./activity/memlog") {
		if strings.HasPrefix(p.ImportPath, "github.com/jackc/") {
			t.Errorf("activity or activity/memlog depends on %s", p.ImportPath)
		}
	}
}

// TestWhatAServicePullsIn looks at everything that import "…/outbox" brings along.
func TestWhatAServicePullsIn(t *testing.T) {
	t.Parallel()
	allowed := map[string]string{
		module:                           "",
		"github.com/google/uuid":         "",
		"github.com/jackc/pgx/v5":        "",
		"github.com/jackc/pgpassfile":    "of pgx",
		"github.com/jackc/pgservicefile": "of pgx",
		"github.com/jackc/puddle/v2":     "of pgx",
		"golang.org/x/text":              "of pgx",
		"golang.org/x/sync":              "of pgx, and the worker's errgroup",
		"go.uber.org/zap":                "",
		"go.uber.org/multierr":           "of zap",
	}
	for _, p := range goList(t, "-deps", "./outbox") {
		if p.Module != nil {
			if _, ok := allowed[p.Module.Path]; !ok {
				t.Errorf("outbox pulls in %s of %s", p.ImportPath, p.Module.Path)
			}
		}
		if name, ours := strings.CutPrefix(p.ImportPath, module+"/"); ours && name != "outbox" &&
			name != "activity" && name != "activity/pglog" && !slices.Contains(floor, name) {
			t.Errorf("outbox pulls in %s", name)
		}
		// zap can serve its level over HTTP, and so imports net/http; no other package does.
		if !p.Standard && p.ImportPath != "go.uber.org/zap" && slices.Contains(p.Imports, "net/http") {
			t.Errorf("outbox pulls in net/http by %s", p.ImportPath)
		}
	}
}
