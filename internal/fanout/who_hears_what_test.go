package fanout_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestWhoHearsWhat runs the examples of docs/who-hears-what.md as they are printed. Each has a
// tenant of its own, in which the first example is run before.
func TestWhoHearsWhat(t *testing.T) {
	t.Parallel()
	const page, begin, end = "../../docs/who-hears-what.md", "\n```text\n", "\n```\n"
	s := newStage(t, startCentrifugo(t))
	s.anyShares = true
	preamble, count := "", 0
	for text, line := readFile(t, page), 1; ; count++ {
		before, rest, found := strings.Cut(text, begin)
		if !found {
			break
		}
		example, after, closed := strings.Cut(rest, end)
		if !closed {
			t.Fatal("the last example is not closed")
		}
		line += strings.Count(before+begin, "\n")
		if preamble == "" {
			preamble = example
		} else {
			s.runLines("before", 1, fmt.Sprintf("tenant example%d\n%s", count, preamble))
			s.runLines(page, line, example)
		}
		line += strings.Count(example+end, "\n") - 1
		text = "\n" + after
	}
	if count < 15 {
		t.Errorf("got %d examples, want at least 15", count)
	}
}
