package taxonomy_test

import (
	"os"
	"strings"
	"testing"
)

// textCase is a case of a text file: "== name", the input, "=>", and the wanted lines.
type textCase struct {
	name, input string
	want        []string
}

// readCases reads the cases of a file. Text before the first case is a comment, and empty lines
// after "=>" separate cases.
func readCases(t testing.TB, file string) (cases []textCase) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, part := range strings.Split("\n"+string(text), "\n== ") {
		if i == 0 {
			continue
		}
		name, rest, _ := strings.Cut(part, "\n")
		input, output, ok := strings.Cut("\n"+rest, "\n=>\n")
		if !ok {
			t.Fatalf("%s: %s has no line =>", file, name)
		}
		c := textCase{name: name, input: strings.TrimPrefix(input, "\n")}
		for line := range strings.Lines(output) {
			if line = strings.TrimSuffix(line, "\n"); line != "" {
				c.want = append(c.want, line)
			}
		}
		cases = append(cases, c)
	}
	return cases
}
