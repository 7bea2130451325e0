package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/cells"
	"github.com/fanfarehq/fanfare/internal/nettest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

const cellsExample = `cells:
  - name: eu-1
    database_url: postgres://fanfare:hunter2@eu-1.example:5433/app
    read_database_urls: [postgres://fanfare:hunter2@eu-2.example:5433/app]
    slots: [0-9999, 20000-65535]
  - name: large
    database_url: postgres://fanfare:hunter2@large.example:5433/app
    tenants: [018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f]
`

func TestCellsList(t *testing.T) {
	t.Parallel()
	environ := map[string]string{"FANFARE_CELLS": writeCells(t, cellsExample)}
	got := must(t, environ, "cells", "list")
	want := `CELL DATABASE STANDBYS SLOTS LISTED TENANTS
eu-1 postgres://fanfare:[redacted]@eu-1.example:5433/app 1 0-9999,20000-65535 0
large postgres://fanfare:[redacted]@large.example:5433/app 0 1
`
	if strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var list []shownCell
	text := must(t, environ, "cells", "list", "--json")
	if err := json.Unmarshal([]byte(text), &list); err != nil || len(list) != 2 || list[0].SlotCount != 55536 ||
		list[1].ListedTenants != 1 || strings.Contains(text, "hunter2") {
		t.Errorf("got %s (%v)", text, err)
	}
	r := fanfare(t, nil, "cells", "list", "--cells", writeCells(t, cellsExample+"  - {name: Big, slots: 5}\n"))
	if r.code != exitUsage || strings.Contains(r.stderr, "hunter2") ||
		!strings.Contains(r.stderr, `line 9: name "Big" must be`) || !strings.Contains(r.stderr, "overlaps 0-9999") ||
		!strings.Contains(r.stderr, "database_url is required") {
		t.Errorf("got exit code %d and %s, want 2 and every error", r.code, r.stderr)
	}
	if r := fanfare(t, nil, "cells", "list"); r.code != exitUsage ||
		!strings.Contains(r.stderr, "--cells (FANFARE_CELLS): is required") {
		t.Errorf("without a file: got exit code %d and %s", r.code, r.stderr)
	}
}

func TestCellsUsage(t *testing.T) {
	t.Parallel()
	path, refused := writeCells(t, cellsExample), nettest.Refused(t)
	const tenant = " --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f"
	for line, want := range map[string]string{
		"outbox status":                            "--cell or --tenant or --all-cells is required with --cells",
		"migrate up":                               "--cell or --all-cells is required with --cells; the cells are",
		"activity list --cell eu-1":                "--tenant is required",
		"outbox status --cell asia":                `"asia" is not a cell of ` + path + "; its cells are eu-1, large",
		"outbox status --cell eu-1 --cell large":   "--cell must name one cell",
		"worker --cell eu-1 --cell eu-1":           `"eu-1" is named twice`,
		"outbox status --all-cells --cell eu-1":    "--all-cells and --cell cannot be combined",
		"outbox status --all-cells" + tenant:       "--all-cells and --tenant cannot be combined",
		"outbox replay --all-cells " + tenant[10:]: "--all-cells and an id cannot be combined",
		"taxonomy apply - --all-cells":             "--all-cells and - cannot be combined",
		"worker --database-url postgres://u@h/d":   "must not be set together with --cells",
		"serve --read-database-url postgres://h/d": "must not be set together with --read-database-url",
		"cells of acme":                            `tenant "acme": must be a UUID`,
	} {
		environ := map[string]string{"FANFARE_CELLS": path}
		r := fanfare(t, environ, strings.Fields(line)...)
		if r.code != exitUsage || !strings.Contains(r.stderr, want) || strings.Contains(r.stderr, "hunter2") {
			t.Errorf("%s: got exit code %d and %q, want 2 and %q", line, r.code, r.stderr, want)
		}
	}
	if r := fanfare(t, map[string]string{"FANFARE_DATABASE_URL": "postgres://u@" + refused + "/d"},
		"outbox", "status", "--cell", "a"); r.code != exitUsage || !strings.Contains(r.stderr, "requires --cells") {
		t.Errorf("a cell without cells: got exit code %d and %q", r.code, r.stderr)
	}
	if r := fanfare(t, map[string]string{"FANFARE_DATABASE_URL": "postgres://u@" + refused + "/d"},
		"outbox", "status", "--all-cells"); r.code != exitUsage || !strings.Contains(r.stderr, "--cells") {
		t.Errorf("all cells without cells: got exit code %d and %q", r.code, r.stderr)
	}
}

func TestCompleteCells(t *testing.T) {
	t.Parallel()
	path := writeCells(t, cellsExample)
	for _, args := range [][]string{
		{"outbox", "status", "--cells", path, "--cell", ""}, {"worker", "--cell", ""},
	} {
		out := must(t, map[string]string{"FANFARE_CELLS": path}, append([]string{"__complete"}, args...)...)
		if !strings.HasPrefix(out, "eu-1\nlarge\n") {
			t.Errorf("%v: got %q, want the names", args, out)
		}
	}
}

// TestCellOfTenant finds the cell of a tenant: by its id, its slot and for the commands with
// --tenant.
func TestCellOfTenant(t *testing.T) {
	t.Parallel()
	c := newTwoCells(t, pgtest.New(t), pgtest.New(t))
	for want, w := range map[string]world{
		fmt.Sprintf("Tenant %s belongs to cell a, which lists it.\n", c.a.tenant): c.a,
		fmt.Sprintf("Tenant %s belongs to cell b, which has its slot %d.\n", c.b.tenant,
			cells.SlotOf(c.b.tenant)): c.b,
	} {
		if got := must(t, c.commands(), "cells", "of", w.tenant.String()); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		c.newToken(t, w, "activity:read")
		if got := w.number(t, `SELECT count(*) FROM fanfare.service_tokens WHERE tenant_id = $1`, w.tenant); got != 1 {
			t.Errorf("got %d tokens in the database of the tenant, want 1", got)
		}
	}
	slot := c.a.number(t, `SELECT ('x' || left(encode(sha256(uuid_send($1)), 'hex'), 4))::bit(16)::int`, c.a.tenant)
	if want := cells.SlotOf(c.a.tenant); int(slot) != want { // docs/operating.md has this expression
		t.Errorf("in SQL: got slot %d, want %d", slot, want)
	}
	var found cellOfTenant
	text := must(t, c.commands(), "cells", "of", c.a.tenant.String(), "--json")
	if err := json.Unmarshal([]byte(text), &found); err != nil || found.Cell != "a" || found.By != "tenants" {
		t.Errorf("got %s (%v)", text, err)
	}
	file := writeCells(t, "cells:\n  - {name: a, database_url: '"+c.a.db.URL+"'}\n")
	r := fanfare(t, nil, "cells", "of", uuid.NewString(), "--cells", file)
	if r.code != exitFailure || !strings.Contains(r.stderr, "belongs to no cell") {
		t.Errorf("a tenant without a cell: got exit code %d and %q", r.code, r.stderr)
	}
}

// TestAllCells runs commands for two cells and one whose database is away.
func TestAllCells(t *testing.T) {
	t.Parallel()
	a, b := newWorld(t, pgtest.New(t)), newWorld(t, pgtest.New(t))
	file := writeCells(t, fmt.Sprintf("cells:\n  - {name: a, database_url: '%s'}\n"+
		"  - {name: away, database_url: 'postgres://u:hunter2@%s/d'}\n  - {name: b, database_url: '%s'}\n",
		a.db.URL, nettest.Refused(t), b.db.URL))
	environ := map[string]string{"FANFARE_CELLS": file}
	a.record(t)
	for _, args := range [][]string{
		{"outbox", "status"},
		{"outbox", "dead"},
		{"outbox", "replay", "--all"},
		{"migrate", "status"},
		{"migrate", "up"},
		{"retention", "show"},
		{"retention", "run", "--dry-run"},
		{"retention", "hold", "list"},
		{"retention", "set", "--max-days", "90"},
	} {
		r := fanfare(t, environ, append(args, "--all-cells")...)
		if r.code != exitFailure || !strings.HasPrefix(r.stdout, "Cell a:\n") ||
			!strings.Contains(r.stdout, "\n\nCell away:\n\nCell b:\n") {
			t.Errorf("%v: got exit code %d and\n%s\nwant 1 and each cell under a heading", args, r.code, r.stdout)
		}
		if !strings.Contains(r.stderr, "fanfare: 1 of 3 cells failed:\n  cell away: PostgreSQL is unreachable") ||
			strings.Contains(r.stderr, "hunter2") || !strings.Contains(r.stderr, "correct the cell's database_url") {
			t.Errorf("%v: got %q, want the cell that is away", args, r.stderr)
		}
	}
	var status []struct {
		Cell    string
		Error   string
		Pending *int64
	}
	r := fanfare(t, environ, "outbox", "status", "--all-cells", "--json")
	if err := json.Unmarshal([]byte(r.stdout), &status); err != nil || len(status) != 3 || r.code != exitFailure ||
		status[0].Cell != "a" || *status[0].Pending != 1 || status[1].Pending != nil || status[1].Error == "" ||
		*status[2].Pending != 0 || status[2].Cell != "b" {
		t.Errorf("got exit code %d and %s (%v)", r.code, r.stdout, err)
	}
	var letters []struct {
		Cell  string
		Items []any
	}
	r = fanfare(t, environ, "outbox", "dead", "--all-cells", "--json")
	if err := json.Unmarshal([]byte(r.stdout), &letters); err != nil || len(letters) != 3 || letters[2].Items == nil {
		t.Errorf("got %s (%v)", r.stdout, err)
	}

	healthy := writeCells(t, fmt.Sprintf(
		"cells:\n  - {name: a, database_url: '%s'}\n  - {name: b, database_url: '%s'}\n", a.db.URL, b.db.URL))
	environ["FANFARE_CELLS"], environ["FANFARE_CELL"] = healthy, "a"
	if out := must(t, environ, "migrate", "status", "--all-cells"); strings.Count(out, ", the latest.") != 2 {
		t.Errorf("got %s, want both cells, whatever the environment names", out)
	}
	if out := must(t, environ, "migrate", "status"); strings.Contains(out, "Cell ") {
		t.Errorf("got %s, want the cell of the environment", out)
	}
}

// TestDoctorOfCells examines each cell, and warns of a move that the file does not have.
func TestDoctorOfCells(t *testing.T) {
	t.Parallel()
	c := newTwoCells(t, pgtest.New(t), pgtest.New(t))
	environ := c.environ()
	for _, name := range []string{"FANFARE_JWT_SECRET", "FANFARE_JWT_ISSUER", "FANFARE_JWT_AUDIENCE"} {
		delete(environ, name)
	}
	c.a.setMove(t, "moved", "b")
	out := must(t, environ, "doctor", "--all-cells")
	want := "tenant " + c.a.tenant.String() + " has moved to cell b"
	before, after, _ := strings.Cut(out, "Cell b:\n")
	if !strings.HasPrefix(out, "Cell a:\n") || !strings.Contains(before, want) ||
		!strings.Contains(before, "list it in the tenants of that cell") || strings.Contains(after, want) ||
		!strings.Contains(after, "✓ cells-moves ") {
		t.Errorf("got\n%s", out)
	}
	if out := must(t, environ, "doctor", "--cell", "b", "--json"); !strings.Contains(out, `"cells-moves"`) {
		t.Errorf("got %s", out)
	}
}
