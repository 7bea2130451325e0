package actions_test

import (
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/activity/taxonomy/research"
	"github.com/fanfarehq/fanfare/activity/taxonomy/research/actions"
	"github.com/fanfarehq/fanfare/internal/actionstest"
)

func researchTaxonomy(t *testing.T) *taxonomy.Taxonomy {
	t.Helper()
	parsed, err := taxonomy.Parse(strings.NewReader(research.File))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestGenerated(t *testing.T) {
	t.Parallel()
	actionstest.Generated(t, "actions", researchTaxonomy(t).Actions())
}

func TestPayloads(t *testing.T) {
	t.Parallel()
	actionstest.Payloads(t, researchTaxonomy(t), actions.Decode)
}
