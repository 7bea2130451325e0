package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/database"
	"github.com/fanfarehq/fanfare/internal/tenantmove"
)

func newTenantCommand(p process) *cobra.Command {
	group := newGroup("tenant", "Move, export and import a tenant",
		`Move a tenant from one database to another, or from cell to cell, while both are in use, or export it
to a file and import it elsewhere.`)
	group.AddCommand(newTenantExportCommand(p), newTenantImportCommand(p), newTenantMoveCommand(p),
		newTenantStatusCommand(p))
	return group
}

func newTenantStatusCommand(p process) *cobra.Command {
	var tenant uuid.UUID
	var asJSON bool
	command := &cobra.Command{
		Use:   "status",
		Short: "Show the moves of tenants from and to a database",
		Long: `Show the moves of tenants from and to a database, the oldest first, or from and to all cells.

The row of a tenant that has moved away stays: it keeps writers that missed the move from writing
here. The row of a tenant that has arrived is deleted.`,
		Example: `  fanfare tenant status
  fanfare tenant status --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f --json`,
	}
	command.Flags().Var(&uuidValue{&tenant}, "tenant", "only the move of this tenant")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withSettings(p, command, config.Database(), func(ctx context.Context, c *config.Config) error {
		moves, err := movesOf(ctx, c, tenant)
		switch {
		case err != nil:
			return err
		case asJSON:
			return writeJSON(p.stdout, moves)
		case len(moves) == 0:
			_, err := fmt.Fprintln(p.stdout, "No tenant is being moved or has been moved away.")
			return err
		}
		rows := [][]string{{"TENANT", "ROLE", "STEP", "OTHER DATABASE", "STARTED", "FROZEN", "MOVED"}}
		if c.Cells() != nil {
			rows[0] = append([]string{"CELL"}, rows[0]...)
		}
		for _, m := range moves {
			row := []string{
				m.Tenant.String(), string(m.Role), string(m.Step), m.Peer, m.StartedAt.Format(time.RFC3339),
				timeOrNone(m.FrozenAt), timeOrNone(m.MovedAt),
			}
			if m.Cell != "" {
				row = append([]string{m.Cell}, row...)
			}
			rows = append(rows, row)
		}
		return writeTable(p.stdout, rows)
	})
}

// cellMove is a row of a move, with the name of the cell that it is in.
type cellMove struct {
	Cell string `json:"cell,omitempty"`
	tenantmove.Row
}

// movesOf returns the rows of moves in the database, or in those of the cells.
func movesOf(ctx context.Context, c *config.Config, tenant uuid.UUID) ([]cellMove, error) {
	configs := []*config.Config{c}
	if file := c.Cells(); file != nil {
		configs = nil
		for _, cell := range file.Cells() {
			if len(c.CellNames) == 0 || slices.Contains(c.CellNames, cell.Name) {
				configs = append(configs, c.ForCell(cell))
			}
		}
	}
	all := []cellMove{}
	for _, one := range configs {
		err := usePool(ctx, one, func(pool *pgxpool.Pool) error {
			moves, err := tenantmove.List(ctx, pool, tenant)
			for _, m := range moves {
				all = append(all, cellMove{one.Cell, m})
			}
			return err
		})
		if err = database.Explain(err); err != nil && one.Cell != "" {
			err = &cellError{one.Cell, err}
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// timeOrNone returns a time as text, or "-" for none.
func timeOrNone(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return at.Format(time.RFC3339)
}
