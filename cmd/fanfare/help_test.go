package main

import (
	"encoding/json"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/nettest"
)

// TestHelpOfEveryCommand checks the help of every command.
func TestHelpOfEveryCommand(t *testing.T) {
	t.Parallel()
	root, _ := newRootCommand(process{})
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		path := strings.Fields(c.CommandPath())[1:]
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%v: short help %q, want a phrase", path, c.Short)
		}
		out := must(t, nil, append(path, "--help")...)
		if !strings.Contains(out, "Usage:\n") {
			t.Errorf("%v --help: got %s", path, out)
		}
		for _, s := range config.Database() {
			if flag := c.Flags().Lookup(s.Name); flag != nil && !strings.Contains(out, s.Variable()) {
				t.Errorf("%v --help does not name %s:\n%s", path, s.Variable(), out)
			}
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
}

// TestHelpOfDaemons checks that the help lists every setting, in order, with its variable and
// default.
func TestHelpOfDaemons(t *testing.T) {
	t.Parallel()
	for command, settings := range map[string][]config.Setting{
		"worker": config.Worker(), "serve": config.Serve(), "run": config.Run(),
	} {
		out := must(t, nil, command, "--help")
		at := 0
		for _, s := range settings {
			if s.Flag() == "" {
				if strings.Contains(out, "--"+s.Name+" ") || !strings.Contains(out, s.Variable()+" ") {
					t.Errorf("%s: the secret %s has a flag, or its variable is not in the help", command, s.Name)
				}
				continue
			}
			i := strings.Index(out[at:], "--"+s.Name+" ")
			if i < 0 {
				t.Fatalf("%s: --%s is missing or out of order:\n%s", command, s.Name, out)
			}
			at += i
			line, _, _ := strings.Cut(out[at:], "\n")
			for _, want := range []string{s.Usage, "[" + s.Variable() + "]"} {
				if !strings.Contains(line, want) {
					t.Errorf("%s: --%s: got %q, want %q in it", command, s.Name, line, want)
				}
			}
			if s.Default != "" && s.Default != "false" && !strings.Contains(line, "(default "+s.Default+")") {
				t.Errorf("%s: --%s: got %q, want the default %s in it", command, s.Name, line, s.Default)
			}
		}
	}
}

// TestReferenceOfSettings compares the documentation with fanfare config --markdown.
func TestReferenceOfSettings(t *testing.T) {
	t.Parallel()
	reference := must(t, nil, "config", "--markdown")
	operating, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(operating), "\n## Settings\n")
	section, _, _ = strings.Cut(section, "\n## ")
	table := ""
	for line := range strings.Lines(section) {
		if strings.HasPrefix(line, "|") {
			table += line
		}
	}
	if diff := cmp.Diff(reference, table); diff != "" {
		t.Errorf("docs/operating.md differs from fanfare config --markdown (-want +got):\n%s", diff)
	}
	for _, s := range config.All() {
		flag := ""
		if s.Flag() != "" {
			flag = "`" + s.Flag() + "` " + s.Kind()
		}
		if row := "| " + flag + " | `" + s.Variable() + "` | "; !strings.Contains(reference, row) {
			t.Errorf("the reference lacks %q:\n%s", row, reference)
		}
	}
}

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	refused := nettest.Refused(t)
	environ := map[string]string{"FANFARE_DATABASE_URL": "postgres://u@" + refused + "/d"}
	for _, c := range []struct{ line, want string }{
		{"deliver", `unknown command "deliver" for "fanfare"`},
		{"migrate sideways", `unknown command "sideways" for "fanfare migrate"`},
		{"outbox list", `unknown command "list" for "fanfare outbox"`},
		{"worker now", `unknown command "now" for "fanfare worker"`},
		{"worker --speed 9", "unknown flag: --speed"},
		{"worker --workers", "flag needs an argument: --workers"},
		{"migrate down", "--to is required"},
		{"migrate down --to -1", "--to -1: must not be negative"},
		{"migrate down --to x", `invalid argument "x"`},
		{"outbox replay", "either the id of an activity, --all or another flag that selects dead letters is required"},
		{"outbox replay --all x", "either the id of an activity, --all or another flag that selects dead letters"},
		{"outbox replay x", `activity "x": must be a UUID`},
		{"outbox park", "exactly one argument is required: the id of the activity"},
		{"outbox park 00000000-0000-0000-0000-000000000000 --for 1m", "must be a UUID"},
		{"outbox park 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f", "--for is required"},
		{"outbox status --tenant acme", `must be a UUID`},
		{"demo --color red", "--color must be auto, always or never"},
		{"demo --duration -1s", "--duration must not be negative"},
		{"outbox dead --limit 0", "--limit 0: must be at least 1"},
		{"config --json --markdown", "--json and --markdown cannot be combined"},
		{"tenant move", "--tenant is required"},
		{
			"tenant move --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f --abort --keep-source",
			"--abort and --keep-source cannot be combined",
		},
		{
			"tenant move --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f --drain-timeout -1s",
			"--drain-timeout must not be negative",
		},
		{
			"tenant move --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f --clear-delay -1s",
			"--clear-delay must not be negative",
		},
		{
			"tenant move --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f --to-database-url postgres://h/d --to b",
			"--to names a cell, so --cells is required",
		},
		{"tenant status --tenant acme", "must be a UUID"},
		{"tenant export", "--tenant is required"},
		{"tenant export --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f --json", "--json requires --output"},
		{"tenant import", "exactly one argument is required: the file"},
	} {
		t.Run(c.line, func(t *testing.T) {
			t.Parallel()
			r := fanfare(t, environ, strings.Fields(c.line)...)
			if r.code != exitUsage || r.stdout != "" || !strings.Contains(r.stderr, c.want) ||
				!strings.Contains(r.stderr, "--help'") {
				t.Errorf("got exit code %d, stdout %q, stderr %q; want %d, nothing, %q and a reference to the help",
					r.code, r.stdout, r.stderr, exitUsage, c.want)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	long := must(t, nil, "version")
	if !strings.HasPrefix(long, "fanfare ") || !strings.Contains(long, runtime.Version()) {
		t.Errorf("got %q", long)
	}
	if short := must(t, nil, "--version"); short != long {
		t.Errorf("--version: got %q, want the output of version: %q", short, long)
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	if out := must(t, nil, "completion", "bash"); !strings.Contains(out, "fanfare") {
		t.Errorf("got %.100q", out)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	environ := map[string]string{
		"FANFARE_DATABASE_URL":       "postgres://fan:hunter2@db.example:5433/app?sslmode=disable",
		"FANFARE_CENTRIFUGO_API_KEY": "hunter2",
		"FANFARE_WORKER":             "8",
	}
	out := must(t, environ, "config", "--json", "--workers", "8")
	if strings.Contains(out, "hunter2") {
		t.Errorf("a secret is shown:\n%s", out)
	}
	var got config.Description
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	shown := map[string]config.Value{}
	for _, s := range got.Settings {
		shown[s.Name] = s
	}
	for name, want := range map[string]struct {
		flag, variable, value string
		source                config.Source
	}{
		"database-url": {
			"--database-url", "FANFARE_DATABASE_URL",
			"postgres://fan:[redacted]@db.example:5433/app", config.FromEnvironment,
		},
		"centrifugo-api-key": {
			"--centrifugo-api-key", "FANFARE_CENTRIFUGO_API_KEY", "[redacted]", config.FromEnvironment,
		},
		"workers":   {"--workers", "FANFARE_WORKERS", "8", config.FromFlag},
		"log-level": {"--log-level", "FANFARE_LOG_LEVEL", "info", config.FromDefault},
	} {
		want := config.Value{
			Name: name, Flag: want.flag, Variable: want.variable, Value: want.value, Source: want.source,
		}
		if shown[name] != want {
			t.Errorf("--%s: got %+v, want %+v", name, shown[name], want)
		}
	}
	if len(got.Unknown) != 1 || got.Unknown[0] != "FANFARE_WORKER" {
		t.Errorf("unknown variables: got %v, want FANFARE_WORKER", got.Unknown)
	}

	invalid := fanfare(t, environ, "config", "--batch-size", "many")
	if invalid.code != exitUsage || !strings.Contains(invalid.stdout, "--batch-size") ||
		!strings.Contains(invalid.stderr, "--batch-size (FANFARE_BATCH_SIZE)") {
		t.Errorf("an invalid setting: got exit code %d, stdout\n%s\nstderr\n%s", invalid.code, invalid.stdout,
			invalid.stderr)
	}
	if !strings.Contains(invalid.stdout, "Unknown variables: FANFARE_WORKER\n") {
		t.Errorf("unknown variables are not shown:\n%s", invalid.stdout)
	}
}
