package cells

import (
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/database"
)

// checkNames reports duplicate names.
func (p *parser) checkNames() {
	lines := map[string]int{}
	for _, c := range p.cells {
		name := c.cell.Name
		if first, again := lines[name]; again && name != "" {
			p.refuse(c.line, "name", name, fmt.Sprintf("is also that of the cell at line %d", first))
			continue
		}
		lines[name] = c.line
	}
}

// checkDatabases reports databases of two cells: two workers for one outbox would each believe that
// they serve a cell of their own.
func (p *parser) checkDatabases() {
	type owner struct{ cell, line int }
	owners := map[string]owner{}
	for i, c := range p.cells {
		p.cell = c.cell.Name
		for _, d := range c.databases {
			places := database.Places(d.url)
			for _, place := range places {
				if o, known := owners[place]; known && o.cell != i {
					p.refuse(d.line, d.field, "", fmt.Sprintf("leads to the database %s of another cell, at line %d",
						place, o.line))
					break
				}
			}
			for _, place := range places {
				if _, known := owners[place]; !known {
					owners[place] = owner{i, d.line}
				}
			}
		}
	}
	p.cell = ""
}

// checkTenants reports tenants that are listed twice.
func (p *parser) checkTenants() {
	lines := map[uuid.UUID]int{}
	for _, c := range p.cells {
		p.cell = c.cell.Name
		for i, tenant := range c.cell.Tenants {
			if first, again := lines[tenant]; again {
				p.refuse(c.tenantLines[i], "tenants", tenant.String(), fmt.Sprintf("is also listed at line %d", first))
				continue
			}
			lines[tenant] = c.tenantLines[i]
		}
	}
	p.cell = ""
}

// checkSlots reports ranges that overlap another one.
func (p *parser) checkSlots() {
	type slots struct {
		Range
		cell string
		line int
	}
	var all []slots
	for _, c := range p.cells {
		for i, r := range c.cell.Slots {
			all = append(all, slots{r, c.cell.Name, c.slotLines[i]})
		}
	}
	slices.SortStableFunc(all, func(a, b slots) int { return a.First - b.First })
	reach := 0 // the index of the range with the greatest end so far
	for i := 1; i < len(all); i++ {
		if before := all[reach]; before.overlaps(all[i].Range) {
			first, second := before, all[i]
			if first.line > second.line {
				first, second = second, first
			}
			p.cell = second.cell
			p.refuse(second.line, "slots", second.String(), fmt.Sprintf("overlaps %s of line %d", first, first.line))
		}
		if all[i].Last > all[reach].Last {
			reach = i
		}
	}
	p.cell = ""
}
