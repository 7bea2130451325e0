// Package preferencelog changes the preferences that a tenant gives its principals, and records
// each change in the activity log in the same transaction.
package preferencelog

import (
	"context"
	"fmt"
	"reflect"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/actions/builtin"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
)

// Set applies a change to the default preference of a tenant and returns the result. If that
// changes anything, it records preferences.changed, whose actor is by. The error is an
// *invalid.Error if the change is invalid.
func Set(
	ctx context.Context, db pg.Beginner, tenant, by uuid.UUID, c preferences.Change,
) (after preferences.TenantDefault, err error) {
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		var before preferences.TenantDefault
		if before, after, err = preferences.PutTenant(ctx, tx, tenant, c); err != nil {
			return err
		}
		changed := difference(before, after)
		if len(changed.Changed) == 0 {
			return nil
		}
		e := changed.On(tenant, tenant)
		e.ActorPrincipalID, e.Visibility = by, activity.TenantVisible
		if _, err := outbox.Record(ctx, tx, e); err != nil {
			return fmt.Errorf("record %s: %w", e.Action, err)
		}
		return nil
	})
	if err != nil {
		return preferences.TenantDefault{}, fmt.Errorf("change the preferences of tenant %s: %w", tenant, err)
	}
	return after, nil
}

// difference returns the fields that differ in value or source.
func difference(before, after preferences.TenantDefault) builtin.PreferencesChanged {
	changed := builtin.PreferencesChanged{Changed: []string{}, From: map[string]any{}, To: map[string]any{}}
	type field struct {
		Value any    `json:"value"`
		From  string `json:"from"`
	}
	fields := func(d preferences.TenantDefault) map[preferences.Field]field {
		return map[preferences.Field]field{
			preferences.FieldMode:          {d.Mode, d.Sources.Mode.String()},
			preferences.FieldCustomActions: {d.CustomActions, d.Sources.CustomActions.String()},
			preferences.FieldMuted:         {d.Muted, d.Sources.Muted.String()},
			preferences.FieldMutedActions:  {d.MutedActions, d.Sources.MutedActions.String()},
		}
	}
	was, is := fields(before), fields(after)
	for _, name := range preferences.AllFields() {
		if !reflect.DeepEqual(was[name], is[name]) {
			changed.Changed = append(changed.Changed, string(name))
			changed.From[string(name)], changed.To[string(name)] = was[name], is[name]
		}
	}
	return changed
}
