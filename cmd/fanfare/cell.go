package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/cellmoves"
	"github.com/fanfarehq/fanfare/internal/cells"
	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/database"
)

// cellKey is the key of the cell's name in the context of a command with --all-cells.
type cellKey struct{}

// databaseOf returns the settings of the database that a command uses: that of --database-url or
// that of a cell, which is the one that --all-cells has come to, that of --cell or that of
// --tenant.
func databaseOf(ctx context.Context, command *cobra.Command, c *config.Config) (*config.Config, error) {
	file := c.Cells()
	if file == nil {
		return c, nil
	}
	name, _ := ctx.Value(cellKey{}).(string)
	switch tenant := tenantFlag(command); {
	case name != "":
	case len(c.CellNames) == 1:
		name = c.CellNames[0]
	case len(c.CellNames) > 1:
		return nil, &usageError{"--cell must name one cell: the command uses one database"}
	case tenant != uuid.Nil:
		var err error
		if name, err = cellOf(ctx, file, tenant); err != nil {
			return nil, err
		}
	default:
		return nil, &usageError{fmt.Sprintf("%s is required with --cells; the cells are %s", cellFlags(command),
			strings.Join(file.Names(), ", "))}
	}
	cell, _ := file.Named(name)
	return c.ForCell(cell), nil
}

// cellFlags names the flags of a command that select a cell.
func cellFlags(command *cobra.Command) string {
	flags := "--cell"
	for _, other := range []string{"tenant", "all-cells"} {
		if command.Flags().Lookup(other) != nil {
			flags += " or --" + other
		}
	}
	return flags
}

// tenantFlag returns the value of --tenant, or uuid.Nil.
func tenantFlag(command *cobra.Command) uuid.UUID {
	if flag := command.Flags().Lookup("tenant"); flag != nil {
		if value, ok := flag.Value.(*uuidValue); ok {
			return *value.id
		}
	}
	return uuid.Nil
}

// cellOf returns the name of the cell that a tenant belongs to: by the file, and by the moves in
// the databases of the cells.
func cellOf(ctx context.Context, file *cells.File, tenant uuid.UUID) (string, error) {
	cell, _ := file.Of(tenant)
	if cell == nil {
		return "", fmt.Errorf("tenant %s belongs to no cell: list it in the file, or add its slot %d",
			tenant, cells.SlotOf(tenant))
	}
	for range file.Names() {
		next, err := movedTo(ctx, cell, tenant)
		switch {
		case err != nil:
			return "", &cellError{cell.Name, database.Explain(err)}
		case next == "":
			return cell.Name, nil
		}
		from := cell.Name
		if cell, _ = file.Named(next); cell == nil {
			return "", fmt.Errorf("tenant %s has moved from cell %s to %s, which is not a cell of the file",
				tenant, from, next)
		}
	}
	return cell.Name, nil
}

// movedTo returns the name of the cell that a tenant has moved to from another one, or "".
func movedTo(ctx context.Context, from *cells.Cell, tenant uuid.UUID) (name string, err error) {
	conn, err := database.Connect(ctx, from.DatabaseURL)
	if err != nil {
		return "", err
	}
	defer func(conn *pgx.Conn) { _ = conn.Close(context.WithoutCancel(ctx)) }(conn)
	return cellmoves.Of(ctx, conn, tenant)
}

// cellError is the error of a command with one of the cells.
type cellError struct {
	name string
	err  error
}

func (e *cellError) Error() string {
	return fmt.Sprintf("cell %s: %s", e.name, cells.Remedy(e.err.Error()))
}
func (e *cellError) Unwrap() error { return e.err }

// completeCells makes the shell complete the names of cells.
func completeCells(p process, command *cobra.Command) {
	if command.Flags().Lookup("cell") == nil {
		return
	}
	complete := func(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		path := c.Flags().Lookup("cells").Value.String()
		if path == "" {
			path = p.getenv("FANFARE_CELLS")
		}
		file, err := cells.Read(path, os.ReadFile)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return file.Names(), cobra.ShellCompDirectiveNoFileComp
	}
	for _, name := range []string{"cell", "to"} {
		if flag := command.Flags().Lookup(name); flag == nil || name == "to" && flag.Usage != toCellUsage {
			continue
		}
		if err := command.RegisterFlagCompletionFunc(name, complete); err != nil {
			panic("complete --" + name + ": " + err.Error()) // registered twice
		}
	}
}
