package preferencelog_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/preferencelog"
	"github.com/fanfarehq/fanfare/preferences"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestSetRecordsChanges(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	tenant, by := uuid.New(), uuid.New()
	all, no := preferences.ModeAll, false
	for i, step := range []struct {
		change preferences.Change
		want   string // the payload; empty if nothing is recorded
	}{
		{preferences.Change{}, ""},
		{
			preferences.Change{Mode: &all},
			`{"to": {"filter_mode": {"from": "tenant", "value": "all"}}, ` +
				`"from": {"filter_mode": {"from": "installation", "value": "mutations"}}, "changed": ["filter_mode"]}`,
		},
		{preferences.Change{Mode: &all}, ""},
		{
			preferences.Change{Muted: &no, CustomActions: &[]string{}},
			`{"to": {"muted": {"from": "tenant", "value": false}, ` +
				`"custom_actions": {"from": "tenant", "value": []}}, ` +
				`"from": {"muted": {"from": "installation", "value": false}, ` +
				`"custom_actions": {"from": "installation", "value": []}}, "changed": ["custom_actions", "muted"]}`,
		},
		{
			preferences.Change{MutedActions: &[]string{"order.viewed"}},
			`{"to": {"muted_actions": {"from": "tenant", "value": ["order.viewed"]}}, ` +
				`"from": {"muted_actions": {"from": "installation", "value": []}}, "changed": ["muted_actions"]}`,
		},
		{preferences.Change{MutedActions: &[]string{"order.viewed"}}, ""},
	} {
		if _, err := preferencelog.Set(t.Context(), db.Pool, tenant, by, step.change); err != nil {
			t.Fatal(err)
		}
		var got string
		err := db.Pool.QueryRow(t.Context(), `
			SELECT coalesce((
				SELECT string_agg(a.payload::text, '') FROM fanfare.activities AS a
				WHERE a.tenant_id = $1 AND a.resource_id = $1 AND a.actor_principal_id = $2
				  AND a.action = 'preferences.changed' AND a.visibility = 'tenant'
				  AND a.id IN (SELECT o.activity_id FROM fanfare.outbox AS o)
			), '')`, tenant, by).Scan(&got)
		if err != nil || got != step.want {
			t.Errorf("step %d: got the records %s, %v, want %s", i, got, err, step.want)
		}
		if _, err := db.Pool.Exec(t.Context(), `DELETE FROM fanfare.outbox`); err != nil {
			t.Fatal(err)
		}
	}
	unknown := preferences.Mode("some")
	_, err := preferencelog.Set(t.Context(), db.Pool, tenant, by, preferences.Change{Mode: &unknown})
	var input *invalid.Error
	if !errors.As(err, &input) || input.Fields[0].Name != "filter_mode" {
		t.Errorf("an unknown mode: got %v, want an error about the field", err)
	}
}
