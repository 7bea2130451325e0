package archtest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// rejected lists expressions that docs/glossary.md and CONTRIBUTING.md rule out, each with what to write instead.
var rejected = []struct{ pattern, instead string }{
	{`\bso many\b`, "the maximum number of …"},
	{`\b(tells|says) (whether|if)\b`, "reports whether"},
	{`\btells? (of|what|which|how|why|apart)\b`, "describes, reports, distinguishes"},
	{`\bsays (who|which|what|how|where|why)\b`, "specifies, identifies, describes"},
	{`\bhas had (its|their) time\b`, "has expired"},
	{`\b(what|who) there is( not)?\b`, "name the thing"},
	{`\b[Ww]ho(m)?ever\b`, "the caller, a principal that …"},
	{`(^|[^"])\b([Nn]obody|[Ss]omebody)\b`, "no principal, a principal, no process"},
	{`\b(stood|stands) (already|there)\b`, "already exists"},
	{`\b\w*([Tt]old|TOLD)\b|\bhears? of\b`, "is notified"},
	{`\b[Bb]roadcast[ _]jobs?\b`, "fan-out job"},
	{`\bby hand\b`, "manually"},
	{`\bmistakes?\b`, "error, diagnostic"},
	{`\b(latecomer|lastWords|wayOut|oncePhrased|setback|standing_activity)\b`, "see docs/glossary.md"},
	{`\b(Sightings?|Phrasebook|NoLog|Outlines)\b`, "AccessQuery, Catalog, NopLog, Headers"},
}

// TestLanguage holds the tracked texts to one language and one width.
func TestLanguage(t *testing.T) {
	t.Parallel()
	patterns := make([]*regexp.Regexp, len(rejected))
	for i, r := range rejected {
		patterns[i] = regexp.MustCompile(r.pattern)
	}
	for _, name := range trackedTexts(t) {
		content, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(content), "\n") {
			for _, problem := range append(words(line, patterns), widths(name, line)...) {
				t.Errorf("%s:%d: %s", name, i+1, problem)
			}
		}
	}
}

func words(line string, patterns []*regexp.Regexp) (problems []string) {
	for i, pattern := range patterns {
		if found := pattern.FindString(line); found != "" {
			problems = append(problems, fmt.Sprintf("got %q, want %s", found, rejected[i].instead))
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
