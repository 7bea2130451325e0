package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/fanfarehq/fanfare/internal/cells"
)

// CellsOnly returns the settings of commands that need only the file of the cells.
func CellsOnly() []Setting {
	s := cellsSetting("file of the cells (docs/operating.md)")
	return []Setting{s.withRule(func(c *Config) string {
		if c.CellsFile.path == "" {
			return "is required: the file of the cells"
		}
		return ""
	})}
}

func cellsSetting(usage string) Setting {
	return Setting{"cells", "", usage, cellsFile(func(c *Config) *CellsFile { return &c.CellsFile })}
}

// CellsFile is the file of the cells and its content.
type CellsFile struct {
	path  string
	cells *cells.File // nil if it is not set or not valid
}

// Cells returns the cells, or nil if there is one database alone.
func (c *Config) Cells() *cells.File { return c.CellsFile.cells }

// ForCell returns the settings for one of the cells, with those of its database.
func (c *Config) ForCell(cell *cells.Cell) *Config {
	one := *c
	one.Cell = cell.Name
	one.DatabaseURL, one.ReadDatabaseURLs = cell.DatabaseURL, cell.ReadDatabaseURLs
	return &one
}

// cellsFile is the field of the file of the cells.
func cellsFile(at func(*Config) *CellsFile) field {
	return field{
		kind: "file",
		parse: func(c *Config, path string) string {
			*at(c) = CellsFile{path: path}
			if path == "" {
				return ""
			}
			read, err := cells.Read(path, os.ReadFile)
			if invalid := (*cells.InvalidError)(nil); errors.As(err, &invalid) {
				return err.Error()
			}
			if err != nil {
				return fmt.Sprintf("must be a readable file: %v", err)
			}
			at(c).cells = read
			return ""
		},
		check: func(c *Config) string {
			if at(c).path != "" && len(c.ReadDatabaseURLs) > 0 {
				return "must not be set together with --read-database-url: the file has the standbys of each cell"
			}
			return ""
		},
		show: func(c *Config) string { return at(c).path },
	}
}

// cellNames is the field of names of cells. It may be repeated.
func cellNames(at func(*Config) *[]string) field {
	f := parsed(at, valueType[[]string]{kind: "names", parse: splitList, show: joinList})
	f.repeats = true
	f.check = func(c *Config) string {
		file := c.Cells()
		if slices.ContainsFunc(*at(c), func(name string) bool { return !cells.IsName(name) }) {
			return "must be names of cells, of a-z, 0-9 and -"
		}
		switch {
		case len(*at(c)) == 0 || file == nil && c.CellsFile.path != "":
			return ""
		case file == nil:
			return "requires --cells"
		}
		for i, name := range *at(c) {
			if _, known := file.Named(name); !known {
				return fmt.Sprintf("%q is not a cell of %s; its cells are %s", name, c.CellsFile.path,
					strings.Join(file.Names(), ", "))
			}
			if slices.Contains((*at(c))[:i], name) {
				return fmt.Sprintf("%q is named twice", name)
			}
		}
		return ""
	}
	return f
}

// SelectedCells returns the cells that a daemon serves, in the order of the file: those that are
// named, or all.
func (c *Config) SelectedCells() (selected []*cells.Cell) {
	file := c.Cells()
	if file == nil {
		return nil
	}
	for _, cell := range file.Cells() {
		if len(c.CellNames) == 0 || slices.Contains(c.CellNames, cell.Name) {
			selected = append(selected, cell)
		}
	}
	return selected
}

// CellsPath returns the path of the file of the cells, or "".
func (c *Config) CellsPath() string { return c.CellsFile.path }
