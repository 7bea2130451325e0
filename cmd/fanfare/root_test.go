package main

import (
	"bytes"
	"context"
	"testing"
)

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"outbox", "status", "--database-url", "postgres://u@127.0.0.1:1/d"},
		process{stdout: &stdout, stderr: &stderr})
	if got := stderr.String(); code != exitFailure || got != "fanfare: interrupted\n" {
		t.Errorf("got exit code %d and %q, want %d and interrupted", code, got, exitFailure)
	}
}
