package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/internal/capacity"
	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/daemon"
)

var update = flag.Bool("update", false, "write the outputs and the table of costs into docs/capacity.md")

const capacityPage = "../../docs/capacity.md"

// consoleBlocks are the commands of the page, each with its output.
var consoleBlocks = regexp.MustCompile("(?s)```console\n\\$ fanfare (.*?)\n\n(.*?)```")

// costsBlock is the table of costs of the page.
var costsBlock = regexp.MustCompile(`(?s)\| cost \| value \|.*?\n\n`)

// TestCapacityPage holds the outputs and the costs in docs/capacity.md to the command.
func TestCapacityPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(capacityPage)
	if err != nil {
		t.Fatal(err)
	}
	commands := 0
	want := consoleBlocks.ReplaceAllFunc(page, func(block []byte) []byte {
		commands++
		line := string(consoleBlocks.FindSubmatch(block)[1])
		return fmt.Appendf(nil, "```console\n$ fanfare %s\n\n%s```", line, must(t, nil, words(line)...))
	})
	if commands < 3 || !costsBlock.Match(want) {
		t.Fatalf("got %d commands in %s, want at least 3, and the table of costs", commands, capacityPage)
	}
	want = costsBlock.ReplaceAllLiteral(want, []byte(costsTable()+"\n"))
	if *update {
		if err := os.WriteFile(capacityPage, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(page, want) {
		t.Errorf("%s differs from the command; go test ./cmd/fanfare -run TestCapacityPage -update corrects it:\n%s",
			capacityPage, cmp.Diff(string(page), string(want)))
	}
}

// words splits a command line, in which \ continues a line and quotes surround a word.
func words(line string) (list []string) {
	line = strings.ReplaceAll(line, "\\\n", " ")
	for _, word := range regexp.MustCompile(`'[^']*'|\S+`).FindAllString(line, -1) {
		list = append(list, strings.Trim(word, "'"))
	}
	return list
}

func costsTable() string {
	var table strings.Builder
	table.WriteString("| cost | value | what | measured by |\n|---|---|---|---|\n")
	costs := capacity.Measured()
	for _, d := range capacity.Descriptions() {
		c := costs.Costs[d.Name]
		value := capacity.FormatCount(c.Value) + " µs"
		if strings.HasSuffix(string(d.Name), "_bytes") {
			value = capacity.FormatBytes(c.Value)
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | `%s` |\n", d.Name, value, d.What, c.Command)
	}
	return table.String()
}

func TestCapacityJSON(t *testing.T) {
	t.Parallel()
	var plan struct {
		capacity.Plan
		Costs capacity.Costs `json:"costs"`
	}
	read := func(args ...string) {
		t.Helper()
		out := must(t, nil, append([]string{"capacity", "--json"}, args...)...)
		plan.Plan = capacity.Plan{}
		if err := json.Unmarshal([]byte(out), &plan); err != nil {
			t.Fatal(err)
		}
	}
	read("--activities", "1000/s", "--watchers", "20")
	if plan.Load.Activities != 1000 || plan.Load.Peak != 3000 || plan.Load.Watchers != 20 || plan.Cells < 1 ||
		len(plan.Limits) != 5 || len(plan.Needs) != 12 {
		t.Errorf("got %+v", plan)
	}
	// Twice the cost of recording takes more of PostgreSQL.
	before := plan.PostgresCores
	record := plan.Costs.Costs[capacity.RecordPostgres]
	record.Value *= 2
	plan.Costs.Costs[capacity.RecordPostgres] = record
	text, err := json.Marshal(plan.Costs)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "costs.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	read("--activities", "1000/s", "--watchers", "20", "--costs", path)
	if plan.PostgresCores <= before {
		t.Errorf("with twice the cost of recording: got %v cores of PostgreSQL, want more than %v", plan.PostgresCores,
			before)
	}
	if err := os.WriteFile(path, []byte(`{"costs": {}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	r := fanfare(t, nil, "capacity", "--activities", "1/s", "--costs", path)
	if r.code != exitFailure || !strings.Contains(r.stderr, "record_service_us is required") {
		t.Errorf("costs that are incomplete: got exit code %d and %q", r.code, r.stderr)
	}
}

func TestCapacityUsage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "--activities is required, such as --activities 1000/s"},
		{[]string{"--activities", "1000"}, `"1000" for "--activities" flag: must be a rate such as 1000/s`},
		{[]string{"--activities", "1/s", "--payload", "800"}, `"--payload" flag: must be a size such as 800 bytes`},
		{[]string{"--activities", "1/s", "--log-retention", "90"}, `must be a period such as 12 hours, 90 days`},
		{[]string{"--activities", "1/s", "--wide-share", "0.1"}, `must be a share from 0% to 100%`},
		{[]string{"--activities", "1/s", "--watchers", "-1"}, `must be a number from 0 such as 20`},
		{[]string{"--activities", "10/s", "--peak", "5/s"}, `peak "5" must be at least the average of 10/s`},
		{[]string{"--activities", "10/s", "--core-share", "0%"}, `core-share "0" must be a number from 0.05 to 1`},
		{[]string{"--activities", "10/s", "now"}, "unknown command"},
	} {
		r := fanfare(t, nil, append([]string{"capacity"}, c.args...)...)
		if r.code != exitUsage || !strings.Contains(r.stderr, c.want) {
			t.Errorf("%v: got exit code %d and %q, want 2 and %q", c.args, r.code, r.stderr, c.want)
		}
	}
}

// TestConnectionsOfPlans compares the numbers of connections of a plan with those of the daemons.
func TestConnectionsOfPlans(t *testing.T) {
	t.Parallel()
	for _, inbox := range []bool{true, false} {
		settings := config.All()
		args := []string{"--workers=7", fmt.Sprintf("--inbox=%v", inbox)}
		loaded := loadSettings(t, settings, args)
		if got, want := int(capacity.WorkerConnections(7, inbox)), daemon.WorkerConnections(loaded); got != want {
			t.Errorf("inbox %v: got %d connections of a worker, want %d", inbox, got, want)
		}
		if got, want := capacity.APIConnections, loaded.APIConnections+3; got != want {
			t.Errorf("got %d connections of an API server, want %d", got, want)
		}
	}
	out := must(t, nil, "capacity", "--help")
	if i := slices.Index(strings.Fields(out), "--activities"); i < 0 || !strings.Contains(out, "docs/capacity.md") {
		t.Errorf("help: got\n%s", out)
	}
}

// loadSettings returns settings from a command line.
func loadSettings(t testing.TB, settings []config.Setting, args []string) *config.Config {
	t.Helper()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.AddFlags(flags, settings)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	loaded := config.Load(settings, flags, func(string) string { return "" })
	return &loaded.Config
}
