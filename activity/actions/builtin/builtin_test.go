package builtin_test

import (
	"testing"

	"github.com/fanfarehq/fanfare/activity/actions/builtin"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/actionstest"
)

func TestGenerated(t *testing.T) {
	t.Parallel()
	actionstest.Generated(t, "builtin", taxonomy.Builtins().Actions())
}

func TestPayloads(t *testing.T) {
	t.Parallel()
	actionstest.Payloads(t, taxonomy.Builtins(), builtin.Decode)
}
