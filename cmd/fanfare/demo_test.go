package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestDemo(t *testing.T) {
	t.Parallel()
	out := must(t, nil, "demo", "--json", "--duration", "0")
	if lines := strings.Count(out, "\n"); lines < 3 {
		t.Errorf("got %d lines:\n%s", lines, out)
	}
	for line := range strings.Lines(out) {
		if !json.Valid([]byte(line)) {
			t.Errorf("got a line that is not JSON: %s", line)
		}
	}
}
