package builtin_test

import (
	"os/exec"
	"testing"

	"github.com/fanfarehq/fanfare/activity/actions/builtin"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/actionstest"
)

func TestGenerated(t *testing.T) {
	t.Parallel()
	again := t.TempDir()
	output, err := exec.CommandContext(t.Context(), "go", "run", "generate.go", "--output", again).CombinedOutput()
	if err != nil {
		t.Fatalf("generate: %v\n%s", err, output)
	}
	actionstest.UpToDate(t, actionstest.GeneratedFiles(t, again))
}

func TestPayloads(t *testing.T) {
	t.Parallel()
	actionstest.Payloads(t, taxonomy.Builtins(), builtin.Decode)
}
