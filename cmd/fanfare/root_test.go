package main

import (
	"bytes"
	"context"
	"testing"

	"github.com/fanfarehq/fanfare/internal/nettest"
)

func TestInterrupted(t *testing.T) {
	t.Parallel()
	refused := nettest.Refused(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"outbox", "status", "--database-url", "postgres://u@" + refused + "/d"},
		process{stdout: &stdout, stderr: &stderr})
	if got := stderr.String(); code != exitFailure || got != "fanfare: interrupted\n" {
		t.Errorf("got exit code %d and %q, want %d and interrupted", code, got, exitFailure)
	}
}
