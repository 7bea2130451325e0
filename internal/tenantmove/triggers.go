package tenantmove

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/tenantdata"
)

// triggerName returns the name of a trigger of a freeze.
func triggerName(e tenantdata.Event) string { return "refuse_frozen_" + strings.ToLower(string(e)) }

// frozenTenants returns the tenants that are frozen in a database.
func frozenTenants(ctx context.Context, db pg.Querier) ([]string, error) {
	rows, err := db.Query(ctx, `
		SELECT tenant_id FROM fanfare.tenant_moves WHERE frozen_at IS NOT NULL ORDER BY tenant_id`)
	if err != nil {
		return nil, fmt.Errorf("read the frozen tenants: %w", err)
	}
	tenants, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var id uuid.UUID
		err := row.Scan((*[16]byte)(&id))
		return id.String(), err
	})
	if err != nil {
		return nil, fmt.Errorf("read the frozen tenants: %w", err)
	}
	return tenants, nil
}

// armTriggers makes the triggers of the tables refuse changes of every tenant that is frozen in the
// database, as the transaction sees it.
func armTriggers(ctx context.Context, tx pgx.Tx, s *tenantdata.Scope) error {
	tenants, err := frozenTenants(ctx, tx)
	if err != nil {
		return err
	}
	var statements []string
	for _, t := range s.Freezable() {
		for _, e := range t.Frozen {
			statements = append(statements, trigger(s, t, e, tenants))
		}
	}
	if _, err := tx.Exec(ctx, strings.Join(statements, ";\n")); err != nil {
		return fmt.Errorf("create the triggers: %w", err)
	}
	return nil
}

// disarm removes the tenant, which is frozen no longer, from the triggers of a database, and drops
// them if no other tenant is frozen there. It locks one table at a time, since dropping a trigger
// waits for readers too. They let the tenant's rows pass already, so it is no error if the locks
// cannot be had: the next move replaces them.
func (m *mover) disarm(ctx context.Context, conn *pgx.Conn) error {
	for _, t := range m.scope.Freezable() {
		names := []string{"fanfare." + t.Name}
		err := retryLocked(ctx, conn, names, m.o.FreezeTimeout, m.note, func(timeout time.Duration) error {
			tenants, err := frozenTenants(ctx, conn)
			if err != nil {
				return err
			}
			mode, statements := "SHARE ROW EXCLUSIVE", []string{}
			for _, e := range t.Frozen {
				statements = append(statements, trigger(m.scope, t, e, tenants))
			}
			if len(tenants) == 0 {
				mode = "ACCESS EXCLUSIVE"
				for i, e := range t.Frozen {
					statements[i] = fmt.Sprintf("DROP TRIGGER IF EXISTS %s ON fanfare.%s", triggerName(e), t.Name)
				}
			}
			return withLock(ctx, conn, names, mode, timeout, func(tx pgx.Tx) error {
				now, err := frozenTenants(ctx, tx)
				switch {
				case err != nil:
					return err
				case !slices.Equal(now, tenants):
					return nil // another move has replaced the triggers
				}
				_, err = tx.Exec(ctx, strings.Join(statements, ";\n"))
				return err
			})
		})
		if pg.Contended(err) {
			m.note("triggers of the move remain on fanfare." + t.Name + ", which is in use; they have no effect")
			continue
		}
		if err != nil {
			return fmt.Errorf("replace the triggers: %w", err)
		}
	}
	return nil
}

// trigger returns the statement that creates one trigger. Its condition is evaluated without a
// call, so that the rows of other tenants cost next to nothing.
func trigger(s *tenantdata.Scope, t tenantdata.Table, e tenantdata.Event, tenants []string) string {
	list := "ANY ('{" + strings.Join(tenants, ",") + "}'::uuid[])"
	event, condition := string(e), "NEW.tenant_id = "+list
	switch e {
	case tenantdata.Delete:
		condition = "OLD.tenant_id = " + list
	case tenantdata.Update:
		condition += " OR OLD.tenant_id = " + list
		if len(t.Ignored) > 0 {
			var columns []string
			for _, c := range s.Columns(t) {
				if !slices.Contains(t.Ignored, c) {
					columns = append(columns, pgx.Identifier{c}.Sanitize())
				}
			}
			event += " OF " + strings.Join(columns, ", ")
		}
	}
	return fmt.Sprintf(`CREATE OR REPLACE TRIGGER %s BEFORE %s ON fanfare.%s
		FOR EACH ROW WHEN (%s) EXECUTE FUNCTION fanfare.refuse_frozen()`, triggerName(e), event, t.Name, condition)
}
