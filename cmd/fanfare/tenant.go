package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/tenantmove"
)

func newTenantCommand(p process) *cobra.Command {
	group := newGroup("tenant", "Move a tenant to another database",
		`Move a tenant from one database to another while both are in use.`)
	group.AddCommand(newTenantMoveCommand(p), newTenantStatusCommand(p))
	return group
}

func newTenantStatusCommand(p process) *cobra.Command {
	var tenant uuid.UUID
	var asJSON bool
	command := &cobra.Command{
		Use:   "status",
		Short: "Show the moves of tenants from and to a database",
		Long: `Show the moves of tenants from and to a database, the oldest first.

The row of a tenant that has moved away stays: it keeps writers that missed the move from writing
here. The row of a tenant that has arrived is deleted.`,
		Example: `  fanfare tenant status
  fanfare tenant status --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f --json`,
	}
	command.Flags().Var(&uuidValue{&tenant}, "tenant", "only the move of this tenant")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		moves, err := tenantmove.List(ctx, pool, tenant)
		if err != nil {
			return err
		}
		if asJSON {
			if moves == nil {
				moves = []tenantmove.Row{}
			}
			return writeJSON(p.stdout, moves)
		}
		if len(moves) == 0 {
			_, err := fmt.Fprintln(p.stdout, "No tenant is being moved or has been moved away.")
			return err
		}
		rows := [][]string{{"TENANT", "ROLE", "STEP", "OTHER DATABASE", "STARTED", "FROZEN", "MOVED"}}
		for _, m := range moves {
			rows = append(rows, []string{
				m.Tenant.String(), string(m.Role), string(m.Step), m.Peer, m.StartedAt.Format(time.RFC3339),
				timeOrNone(m.FrozenAt), timeOrNone(m.MovedAt),
			})
		}
		return writeTable(p.stdout, rows)
	})
}

// timeOrNone returns a time as text, or "-" for none.
func timeOrNone(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return at.Format(time.RFC3339)
}
