package cells_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/cells"
)

// FuzzParse parses any content. A valid file has a cell for at most one name per tenant, and an
// error shows no password.
func FuzzParse(f *testing.F) {
	for _, content := range []string{
		valid, listing, "", "cells: [", "cells:\n  - *x\n", "a: &a [*a]\n", "cells: {name: a}\n",
		"cells:\n  - {name: a, database_url: postgres://u:hunter2@h/d, slots: 0-65535}\n",
		"postgres://u:hunter2@h/d: x\n", "cells:\n  - postgres://u:hunter2@h/d\n", "<<: {cells: []}\n",
		"cells:\n  - {name: 'postgres://u:hunter2@h/d', tenants: 'postgres://u:hunter2@h/d'}\n",
	} {
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content string) {
		// Only the passwords of URLs are recognized, whatever surrounds them.
		plain := strings.ReplaceAll(strings.ReplaceAll(content, "u:hunter2@h", ""), "password=hunter2", "")
		file, err := cells.Parse([]byte(content), files{"us-1.url": "postgres://u:hunter2@h/d"}.read)
		if err != nil {
			if strings.Contains(err.Error(), "hunter2") && !strings.Contains(plain, "hunter2") {
				t.Errorf("a password is shown: %v", err)
			}
			return
		}
		owners := 0
		for _, c := range file.Cells() {
			for _, r := range c.Slots {
				owners += r.Last - r.First + 1
			}
			for _, tenant := range c.Tenants {
				if got, listed := file.Of(tenant); got != c || !listed {
					t.Errorf("%s: got %v, want %s", tenant, got, c.Name)
				}
			}
		}
		if owners > cells.Slots {
			t.Errorf("got %d slots of cells, want at most %d", owners, cells.Slots)
		}
		tenant := uuid.New()
		cell, _ := file.Of(tenant)
		covered := false
		for _, c := range file.Cells() {
			for _, r := range c.Slots {
				if slot := cells.SlotOf(tenant); r.First <= slot && slot <= r.Last {
					covered = true
					if cell != c {
						t.Errorf("slot %d: got %v, want %s", slot, cell, c.Name)
					}
				}
			}
		}
		if !covered && cell != nil {
			t.Errorf("got %s for a slot that no cell has", cell.Name)
		}
	})
}
