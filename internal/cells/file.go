package cells

import (
	"slices"

	"github.com/google/uuid"
)

// Cell is one cell of a file.
type Cell struct {
	Name             string
	DatabaseURL      string      // with its password; do not print it
	ReadDatabaseURLs []string    // of hot standbys; the same
	Tenants          []uuid.UUID // that are listed, in the order of the file
	Slots            []Range     // in the order of the file
}

// File holds the valid cells of a file. It does not change, and is safe for concurrent use.
type File struct {
	cells    []*Cell
	byName   map[string]*Cell
	byTenant map[uuid.UUID]*Cell
	slots    []slotsOf // in ascending order
}

// slotsOf are slots of a cell.
type slotsOf struct {
	Range
	cell *Cell
}

// newFile returns the file with valid cells.
func newFile(cells []*Cell) *File {
	f := &File{cells: cells, byName: map[string]*Cell{}, byTenant: map[uuid.UUID]*Cell{}}
	for _, c := range cells {
		f.byName[c.Name] = c
		for _, tenant := range c.Tenants {
			f.byTenant[tenant] = c
		}
		for _, r := range c.Slots {
			f.slots = append(f.slots, slotsOf{r, c})
		}
	}
	slices.SortFunc(f.slots, func(a, b slotsOf) int { return a.First - b.First })
	return f
}

// Cells returns the cells in the order of the file. The caller does not change them.
func (f *File) Cells() []*Cell { return slices.Clone(f.cells) }

// Names returns the names of the cells in the order of the file.
func (f *File) Names() []string {
	names := make([]string, len(f.cells))
	for i, c := range f.cells {
		names[i] = c.Name
	}
	return names
}

// Named returns the cell with a name.
func (f *File) Named(name string) (c *Cell, known bool) {
	c, known = f.byName[name]
	return c, known
}

// Of returns the cell of a tenant by the file, and whether the cell lists the tenant. It returns
// nil if the tenant has no cell.
func (f *File) Of(tenant uuid.UUID) (c *Cell, listed bool) {
	if c, listed = f.byTenant[tenant]; listed {
		return c, true
	}
	slot := SlotOf(tenant)
	i, found := slices.BinarySearchFunc(f.slots, slot, func(s slotsOf, slot int) int {
		switch {
		case s.Last < slot:
			return -1
		case s.First > slot:
			return 1
		}
		return 0
	})
	if !found {
		return nil, false
	}
	return f.slots[i].cell, false
}
