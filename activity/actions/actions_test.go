package actions_test

import (
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/activity/actions"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/actionstest"
)

func TestGenerated(t *testing.T) {
	t.Parallel()
	actionstest.Generated(t, "actions", taxonomy.Default().Actions())
}

func TestPayloads(t *testing.T) {
	t.Parallel()
	actionstest.Payloads(t, taxonomy.Default(), actions.Decode)
}

func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	payload := []byte(`{"duration_ms":"long","method":7}`)
	for action, want := range map[string]string{
		"nothing.known": `decode the payload of "nothing.known": the taxonomy does not contain this action`,
		"job.completed": "decode the payload of job.completed: ",
		"auth.signup":   "decode the payload of auth.signup: ",
	} {
		if _, err := actions.Decode(action, payload); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s…", action, err, want)
		}
	}
}
