package preferences

import (
	"strconv"
	"strings"
	"testing"
)

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	var c cache
	for i := range 2 * cacheSize {
		pattern := "signal.*" + strconv.Itoa(i)
		p, err := c.compile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.String(); got != pattern {
			t.Fatalf("got pattern %q, want %q", got, pattern)
		}
	}
	if got := len(c.patterns); got != cacheSize {
		t.Errorf("got %d patterns, want %d", got, cacheSize)
	}
}

func TestCacheDoesNotKeepInvalidPatterns(t *testing.T) {
	t.Parallel()
	var c cache
	for range 2 {
		if _, err := c.compile(strings.Repeat("a", MaxPatternBytes+1)); err == nil {
			t.Error("got no error, want a *PatternError")
		}
	}
	if got := len(c.patterns); got != 0 {
		t.Errorf("got %d patterns, want 0", got)
	}
}
