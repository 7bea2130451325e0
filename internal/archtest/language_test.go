package archtest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// rejected lists expressions that docs/glossary.md and CONTRIBUTING.md rule out, each with what to write instead.
// A line matches a pattern only if it contains one of the words in lower case, which is much faster to find.
var rejected = []struct{ words, pattern, instead string }{
	{"so many", `\bso many\b`, "the maximum number of …"},
	{"tells |says ", `\b(tells|says) (whether|if)\b`, "reports whether"},
	{"tell", `\btells? (of|what|which|how|why|apart)\b`, "describes, reports, distinguishes"},
	{"says ", `\bsays (who|which|what|how|where|why)\b`, "specifies, identifies, describes"},
	{"has had ", `\bhas had (its|their) time\b`, "has expired"},
	{"there is", `\b(what|who) there is( not)?\b`, "name the thing"},
	{"ever", `\b[Ww]ho(m)?ever\b`, "the caller, a principal that …"},
	{"nobody|somebody", `(^|[^"])\b([Nn]obody|[Ss]omebody)\b`, "no principal, a principal, no process"},
	{"stood |stands ", `\b(stood|stands) (already|there)\b`, "already exists"},
	{"told|hear", `\b\w*([Tt]old|TOLD)\b|\bhears? of\b`, "is notified"},
	{"broadcast", `\b[Bb]roadcast[ _]jobs?\b`, "fan-out job"},
	{"by hand", `\bby hand\b`, "manually"},
	{"mistake", `\bmistakes?\b`, "error, diagnostic"},
	{
		"latecomer|lastwords|wayout|oncephrased|setback|standing_activity",
		`\b(latecomer|lastWords|wayOut|oncePhrased|setback|standing_activity)\b`, "see docs/glossary.md",
	},
	{
		"sighting|phrasebook|nolog|outlines",
		`\b(Sightings?|Phrasebook|NoLog|Outlines)\b`, "AccessQuery, Catalog, NopLog, Headers",
	},
}

// rejector finds what one entry of rejected rules out.
type rejector struct {
	words   []string
	pattern *regexp.Regexp
	instead string
}

func newRejectors() (all []rejector) {
	for _, r := range rejected {
		all = append(all, rejector{strings.Split(r.words, "|"), regexp.MustCompile(r.pattern), r.instead})
	}
	return all
}

// find returns the rejected expression in a line, given also in lower case, or "".
func (r rejector) find(line, lower string) string {
	contains := func(word string) bool { return strings.Contains(lower, word) }
	if !slices.ContainsFunc(r.words, contains) {
		return ""
	}
	return r.pattern.FindString(line)
}

// TestRejected checks that an expression of each entry is found.
func TestRejected(t *testing.T) {
	t.Parallel()
	examples := []string{
		"so many rows", "it says whether", "It tells of", "says who", "has had its time", "what there is", "Whoever",
		"Somebody is", "stands already", "is told", "Broadcast jobs", "by hand", "mistakes", "lastWords", "NoLog",
	}
	for i, r := range newRejectors() {
		if line := examples[i]; r.find(line, strings.ToLower(line)) == "" {
			t.Errorf("got nothing in %q, want what %q matches", line, r.pattern)
		}
	}
}

// TestLanguage holds the tracked texts to one language and one width.
func TestLanguage(t *testing.T) {
	t.Parallel()
	rejectors := newRejectors()
	for _, name := range trackedTexts(t) {
		content, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(content), "\n") {
			for _, problem := range append(words(line, rejectors), widths(name, line)...) {
				t.Errorf("%s:%d: %s", name, i+1, problem)
			}
		}
	}
}

func words(line string, rejectors []rejector) (problems []string) {
	lower := strings.ToLower(line)
	for _, r := range rejectors {
		if found := r.find(line, lower); found != "" {
			problems = append(problems, fmt.Sprintf("got %q, want %s", found, r.instead))
		}
	}
	return problems
}

// widths holds lines to 120 columns and comments to 100. revive holds Go's lines, but not its comments.
func widths(name, line string) (problems []string) {
	limit := 120
	text := strings.TrimSpace(line)
	comment := strings.HasSuffix(name, ".go") && strings.HasPrefix(text, "// ") ||
		strings.HasSuffix(name, ".sql") && strings.HasPrefix(text, "--")
	switch {
	case comment:
		limit = 100
	case strings.HasSuffix(name, ".md") && (strings.HasPrefix(text, "|") || strings.Contains(text, "](")):
		return nil // a table's row and a link cannot be broken
	case strings.HasPrefix(text, "//go:generate "):
		return nil // a directive cannot be broken
	}
	if width := utf8.RuneCountInString(strings.ReplaceAll(line, "\t", "    ")); width > limit {
		problems = append(problems, fmt.Sprintf("got %d columns, want at most %d", width, limit))
	}
	return problems
}

// trackedTexts lists the sources and documents in git, without data that tests are fed with.
func trackedTexts(t *testing.T) (names []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--",
		"*.go", "*.sql", "*.md", "*.yaml", "*.yml", "*.toml", "*.html", "*.ts", "*.css", "Makefile")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	for name := range bytes.SplitSeq(bytes.TrimRight(out, "\x00"), []byte{0}) {
		path := string(name)
		generated := strings.HasSuffix(path, "/schema.d.ts") || strings.HasPrefix(path, "internal/console/dist/")
		if path != "internal/archtest/language_test.go" && !strings.Contains(path, "testdata/fuzz/") && !generated {
			names = append(names, path)
		}
	}
	if len(names) < 100 {
		t.Fatalf("got %d tracked texts, want all of them", len(names))
	}
	return names
}
