package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/cells"
	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/database"
)

func newCellsCommand(p process) *cobra.Command {
	group := newGroup("cells", "Show the cells of an installation, and the cell of a tenant",
		`Show the cells of an installation, and the cell of a tenant. A cell is a database with the data of
some tenants; the file of --cells lists the cells. docs/operating.md describes it.`)
	group.AddCommand(newCellsListCommand(p), newCellsOfCommand(p))
	return group
}

// shownCell is a cell in the output of fanfare cells list.
type shownCell struct {
	Name             string   `json:"name"`
	DatabaseURL      string   `json:"database_url"` // without its password
	ReadDatabaseURLs []string `json:"read_database_urls"`
	Slots            []string `json:"slots"`
	SlotCount        int      `json:"slot_count"`
	ListedTenants    int      `json:"listed_tenants"`
}

func showCell(c *cells.Cell) shownCell {
	shown := shownCell{
		Name: c.Name, DatabaseURL: database.RedactURL(c.DatabaseURL), ReadDatabaseURLs: []string{}, Slots: []string{},
		ListedTenants: len(c.Tenants),
	}
	for _, url := range c.ReadDatabaseURLs {
		shown.ReadDatabaseURLs = append(shown.ReadDatabaseURLs, database.RedactURL(url))
	}
	for _, r := range c.Slots {
		shown.Slots = append(shown.Slots, r.String())
		shown.SlotCount += r.Last - r.First + 1
	}
	return shown
}

func newCellsListCommand(p process) *cobra.Command {
	asJSON := false
	command := &cobra.Command{
		Use:   "list --cells FILE",
		Short: "List the cells",
		Long: `List the cells of the file: their names, their databases without passwords, their slots, and the
number of the tenants that they list. The databases are not used.

The exit code is 2 if the file is invalid; each error is printed with its line.`,
		Example: `  fanfare cells list --cells cells.yaml
  fanfare cells list --cells cells.yaml --json`,
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withSettings(p, command, config.CellsOnly(), func(_ context.Context, c *config.Config) error {
		list := []shownCell{}
		rows := [][]string{{"CELL", "DATABASE", "STANDBYS", "SLOTS", "LISTED TENANTS"}}
		for _, cell := range c.Cells().Cells() {
			s := showCell(cell)
			list = append(list, s)
			rows = append(rows, []string{
				s.Name, s.DatabaseURL, strconv.Itoa(len(s.ReadDatabaseURLs)), strings.Join(s.Slots, ","),
				strconv.Itoa(s.ListedTenants),
			})
		}
		if asJSON {
			return writeJSON(p.stdout, list)
		}
		return writeTable(p.stdout, rows)
	})
}

// cellOfTenant is the output of fanfare cells of.
type cellOfTenant struct {
	TenantID uuid.UUID `json:"tenant_id"`
	Slot     int       `json:"slot"`
	Cell     string    `json:"cell"`
	By       string    `json:"by"`             // what decides: tenants, slots or move
	From     string    `json:"from,omitempty"` // the cell by the file, if the tenant has moved
}

func newCellsOfCommand(p process) *cobra.Command {
	var tenant uuid.UUID
	asJSON := false
	command := &cobra.Command{
		Use:   "of <tenant-id> --cells FILE",
		Short: "Show the cell of a tenant",
		Long: `Show the cell that a tenant belongs to: the one that lists it, the one that has its slot, or the one
that it has moved to. A move that the file does not have yet is read in the database of the cell.

The exit code is 1 if the tenant belongs to no cell.`,
		Example: `  fanfare cells of 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f --cells cells.yaml`,
		Args:    idArgument("tenant", &tenant),
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withSettings(p, command, config.CellsOnly(), func(ctx context.Context, c *config.Config) error {
		found, err := findCell(ctx, c.Cells(), tenant)
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(p.stdout, found)
		}
		why := map[string]string{
			"tenants": "which lists it",
			"slots":   "which has its slot " + strconv.Itoa(found.Slot),
			"move":    "to which it has moved from cell " + found.From,
		}
		_, err = fmt.Fprintf(p.stdout, "Tenant %s belongs to cell %s, %s.\n", tenant, found.Cell, why[found.By])
		return err
	})
}

// findCell returns the cell of a tenant, and why it is that one.
func findCell(ctx context.Context, file *cells.File, tenant uuid.UUID) (cellOfTenant, error) {
	found := cellOfTenant{TenantID: tenant, Slot: cells.SlotOf(tenant), By: "slots"}
	name, err := cellOf(ctx, file, tenant)
	if err != nil {
		return cellOfTenant{}, err
	}
	byFile, listed := file.Of(tenant)
	switch found.Cell = name; {
	case name != byFile.Name:
		found.By, found.From = "move", byFile.Name
	case listed:
		found.By = "tenants"
	}
	return found, nil
}
