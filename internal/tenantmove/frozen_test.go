package tenantmove_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/retention"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/tenantdata"
	"github.com/fanfarehq/fanfare/internal/tenantmove"
	"github.com/fanfarehq/fanfare/outbox"
)

func envelope(tenant uuid.UUID) activity.Envelope {
	return activity.Envelope{
		TenantID: tenant, ActorPrincipalID: uuid.New(), ResourceID: uuid.New(), ResourceType: "project",
		Action: "project.changed",
	}
}

func noChange(context.Context, pgx.Tx, *activity.Envelope) (bool, error) { return true, nil }

// TestFrozenTenant stops a move after the freeze and writes to every table.
func TestFrozenTenant(t *testing.T) {
	t.Parallel()
	c := newCells(t, 3)
	if _, err := c.move(t, tenantmove.FrozenDone, tenantmove.Options{}); !errors.Is(err, errInterrupted) {
		t.Fatal(err)
	}
	_, _, err := outbox.TxActivity(t.Context(), c.source.Pool, envelope(c.tenant), noChange)
	if moving, ok := errors.AsType[*outbox.TenantMovingError](err); !ok || !pg.Unavailable(err) ||
		!strings.Contains(moving.Error(), "tenant "+c.tenant.String()+" is being moved to another database: Repeat") {
		t.Errorf("TxActivity: got %v, want a *TenantMovingError with a hint", err)
	}
	err = pgx.BeginFunc(t.Context(), c.source.Pool, func(tx pgx.Tx) error {
		_, err := outbox.RecordMany(t.Context(), tx, []activity.Envelope{envelope(c.other), envelope(c.tenant)})
		return err
	})
	if _, ok := errors.AsType[*outbox.TenantMovingError](err); !ok {
		t.Errorf("RecordMany: got %v, want a *TenantMovingError", err)
	}
	if _, _, err := outbox.TxActivity(t.Context(), c.source.Pool, envelope(c.other), noChange); err != nil {
		t.Errorf("another tenant: %v", err)
	}
	for _, table := range tenantdata.Tables() {
		for _, e := range table.Frozen {
			statement := map[tenantdata.Event]string{
				tenantdata.Insert: `INSERT INTO fanfare.%[1]s %[2]s
					SELECT %[3]s FROM fanfare.%[1]s WHERE tenant_id = $1 LIMIT 1`,
				tenantdata.Update: `UPDATE fanfare.%[1]s SET tenant_id = tenant_id WHERE tenant_id = $1`,
				tenantdata.Delete: `DELETE FROM fanfare.%[1]s WHERE tenant_id = $1`,
			}[e]
			columns, values := "", "*"
			switch table.Name {
			case "outbox":
				columns, values = "(lane, activity_id, tenant_id, resource_id, recorded_at)",
					"lane, activity_id, tenant_id, resource_id, recorded_at"
			case "role_bindings":
				columns, values = "(tenant_id, principal_id, scope_resource_id, role_name)",
					"tenant_id, principal_id, scope_resource_id, role_name"
			}
			_, err := c.source.Pool.Exec(t.Context(), fmt.Sprintf(statement, table.Name, columns, values), c.tenant)
			if !pg.IsFrozen(err) {
				t.Errorf("%s of fanfare.%s: got %v, want FF005", e, table.Name, err)
			}
		}
	}
	// What the worker and the use of a token write is not refused.
	exec(t, c.source, `UPDATE fanfare.service_tokens SET last_used_at = now() WHERE tenant_id = $1`, c.tenant)
	exec(t, c.source, `
		INSERT INTO fanfare.notifications (
		    tenant_id, principal_id, activity_id, resource_id, reasons, visibility, party)
		SELECT tenant_id, gen_random_uuid(), activity_id, resource_id, 1, 'r', false
		FROM fanfare.notifications WHERE tenant_id = $1 LIMIT 1`, c.tenant)
	if _, err := c.move(t, "", tenantmove.Options{}); err != nil {
		t.Fatal(err)
	}
	_, _, err = outbox.TxActivity(t.Context(), c.source.Pool, envelope(c.tenant), noChange)
	if err == nil || !strings.Contains(err.Error(), "has been moved to another database") {
		t.Errorf("after the move, in the source: got %v, want it refused", err)
	}
	if _, _, err := outbox.TxActivity(t.Context(), c.destination.Pool, envelope(c.tenant), noChange); err != nil {
		t.Errorf("after the move, in the destination: %v", err)
	}
}

// TestNothingExpiresDuringAMove runs retention and redaction while a tenant is being copied.
func TestNothingExpiresDuringAMove(t *testing.T) {
	t.Parallel()
	c := newCells(t, 3)
	exec(t, c.source, `DELETE FROM fanfare.legal_holds`)
	exec(t, c.source, `UPDATE fanfare.retention SET max_entries = 1, max_days = 8, inbox_days = 1, idempotency_days = 1,
		dead_letter_days = 1, parked_days = 1, min_days = 0 WHERE tenant_id = $1`, c.tenant)
	if _, err := c.move(t, tenantmove.CopyingAll, tenantmove.Options{}); !errors.Is(err, errInterrupted) {
		t.Fatal(err)
	}
	before := contents(t, c.source, c.tenant)
	if _, err := retention.NewRunner(c.source.Pool, retention.Options{}).Run(t.Context(), c.tenant, nil); err != nil {
		t.Fatal(err)
	}
	_, err := c.source.Pool.Exec(t.Context(), `
		SELECT fanfare.redact_activities(
		    $1, ARRAY(SELECT id FROM fanfare.activities WHERE tenant_id = $1), $2, 'R', $2)`,
		c.tenant, uuid.New())
	if !pg.IsFrozen(err) {
		t.Errorf("redaction: got %v, want FF005", err)
	}
	if differ := tables(before, contents(t, c.source, c.tenant)); differ != nil {
		t.Errorf("rows have changed:\n%s", strings.Join(differ, "\n"))
	}
	if _, err := c.abort(t); err != nil {
		t.Fatal(err)
	}
	report, err := retention.NewRunner(c.source.Pool, retention.Options{}).Run(t.Context(), c.tenant, nil)
	if err != nil || report.Removed.Activities == 0 {
		t.Errorf("after the abortion: got %+v and %v, want activities removed", report, err)
	}
}

// TestTriggersOfMoves checks that no trigger is left where no tenant is frozen, and that each
// database has only the triggers of its frozen tenants.
func TestTriggersOfMoves(t *testing.T) {
	t.Parallel()
	c := newCells(t, 1)
	count := func(in string) (n int) {
		db := c.source
		if in == "destination" {
			db = c.destination
		}
		err := db.Pool.QueryRow(t.Context(), `
			SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'refuse_frozen%'`).Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if _, err := c.move(t, tenantmove.CopyingAll, tenantmove.Options{}); !errors.Is(err, errInterrupted) {
		t.Fatal(err)
	}
	if s, d := count("source"), count("destination"); s != 0 || d == 0 {
		t.Errorf("while copying: got %d triggers in the source and %d in the destination, want none and some", s, d)
	}
	if _, err := c.move(t, "", tenantmove.Options{}); err != nil {
		t.Fatal(err)
	}
	if s, d := count("source"), count("destination"); s == 0 || d != 0 {
		t.Errorf("afterwards: got %d triggers in the source and %d in the destination, want some and none", s, d)
	}
	// The tenant returns.
	c.source, c.destination = c.destination, c.source
	before := contents(t, c.source, c.tenant)
	if _, err := c.move(t, tenantmove.CopyingAll, tenantmove.Options{}); !errors.Is(err, errInterrupted) {
		t.Fatal(err)
	}
	if _, err := c.abort(t); err != nil {
		t.Fatal(err)
	}
	if moves, err := tenantmove.List(t.Context(), c.destination.Pool, c.tenant); err != nil || len(moves) != 1 ||
		moves[0].Step != tenantmove.Cleared {
		t.Errorf("the return aborted: got %+v and %v, want the row of the first move", moves, err)
	}
	if _, err := c.move(t, "", tenantmove.Options{}); err != nil {
		t.Fatal(err)
	}
	if s, d := count("source"), count("destination"); s == 0 || d != 0 {
		t.Errorf("returned: got %d triggers in the source and %d in the destination, want some and none", s, d)
	}
	after := contents(t, c.destination, c.tenant)
	for _, table := range []string{"outbox", "idempotency_keys"} { // have rows of the records of the first move
		delete(before, table)
	}
	if differ := tables(before, after); differ != nil {
		t.Errorf("before and after differ:\n%s", strings.Join(differ, "\n"))
	}
}
