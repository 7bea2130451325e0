package cells_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/cells"
)

// files are the files that a test's content names.
type files map[string]string

func (f files) read(name string) ([]byte, error) {
	content, ok := f[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return []byte(content), nil
}

const valid = `
cells:
  - name: eu-1
    database_url: postgres://fanfare:hunter2@eu-1.example:5433/app
    read_database_urls: [postgres://fanfare:hunter2@eu-1b.example:5433/app]
    slots: 0-32767
  - name: us-1
    database_url_file: us-1.url
    slots: [32768-40000, 50000, 60000-65535]
  - name: large
    database_url: host=large.example dbname=app password=hunter2
    tenants:
      - 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f
      - 0192d3c1-6b7a-7f00-9d1e-3c4d5e6f7a8b
`

func TestParse(t *testing.T) {
	t.Parallel()
	file, err := cells.Read("dir/cells.yaml", files{
		"dir/cells.yaml": valid, "dir/us-1.url": " postgres://h/d \n",
	}.read)
	if err != nil {
		t.Fatal(err)
	}
	want := []*cells.Cell{
		{
			Name: "eu-1", DatabaseURL: "postgres://fanfare:hunter2@eu-1.example:5433/app",
			ReadDatabaseURLs: []string{"postgres://fanfare:hunter2@eu-1b.example:5433/app"},
			Slots:            []cells.Range{{0, 32767}},
		},
		{
			Name: "us-1", DatabaseURL: "postgres://h/d",
			Slots: []cells.Range{{32768, 40000}, {50000, 50000}, {60000, 65535}},
		},
		{
			Name: "large", DatabaseURL: "host=large.example dbname=app password=hunter2",
			Tenants: []uuid.UUID{
				uuid.MustParse("018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f"),
				uuid.MustParse("0192d3c1-6b7a-7f00-9d1e-3c4d5e6f7a8b"),
			},
		},
	}
	if diff := cmp.Diff(want, file.Cells()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := file.Names(); !cmp.Equal(got, []string{"eu-1", "us-1", "large"}) {
		t.Errorf("got the names %v", got)
	}
	if c, known := file.Named("us-1"); !known || c.Name != "us-1" {
		t.Errorf("us-1: got %v, %v", c, known)
	}
	if _, known := file.Named("asia"); known {
		t.Error("asia: got a cell, want none")
	}
}

// TestSlotOf holds the slots to those that another implementation of SHA-256 computes:
// sha256sum of the 16 bytes.
func TestSlotOf(t *testing.T) {
	t.Parallel()
	for tenant, want := range map[string]int{
		"00000000-0000-0000-0000-000000000001": 0x7c3c,
		"018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f": 0x162a,
		"ffffffff-ffff-ffff-ffff-ffffffffffff": 0x5ac6,
	} {
		if got := cells.SlotOf(uuid.MustParse(tenant)); got != want {
			t.Errorf("%s: got slot %d, want %d", tenant, got, want)
		}
	}
}

// TestOf checks every slot, at the ends of ranges and in gaps.
func TestOf(t *testing.T) {
	t.Parallel()
	file, err := cells.Parse([]byte(valid), files{"us-1.url": "postgres://h/d"}.read)
	if err != nil {
		t.Fatal(err)
	}
	nameOf := func(slot int) string {
		switch {
		case slot <= 32767:
			return "eu-1"
		case slot <= 40000, slot == 50000, slot >= 60000:
			return "us-1"
		}
		return ""
	}
	seen := map[string]int{}
	for i := range 20_000 {
		tenant := uuid.NewSHA1(uuid.Nil, []byte{byte(i), byte(i >> 8)})
		cell, listed := file.Of(tenant)
		got := ""
		if cell != nil {
			got = cell.Name
		}
		if want := nameOf(cells.SlotOf(tenant)); got != want || listed {
			t.Fatalf("slot %d: got %q, listed %v; want %q", cells.SlotOf(tenant), got, listed, want)
		}
		seen[got]++
	}
	if len(seen) != 3 {
		t.Errorf("got the cells %v, want both and none", seen)
	}
	cell, listed := file.Of(uuid.MustParse("018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f"))
	if !listed || cell.Name != "large" {
		t.Errorf("a listed tenant: got %+v, %v; want the cell that lists it", cell, listed)
	}
}

func TestInvalid(t *testing.T) {
	t.Parallel()
	cell := func(lines ...string) string {
		return "cells:\n  - name: a\n    database_url: postgres://h/a\n    " + strings.Join(lines, "\n    ") + "\n"
	}
	two := func(lines ...string) string {
		return cell("slots: 0-99") + "  - name: b\n    " + strings.Join(lines, "\n    ") + "\n"
	}
	for name, c := range map[string]struct {
		content string
		want    []string
	}{
		"an empty file":   {"", []string{"line 1: the file is empty"}},
		"no YAML":         {"cells: [", []string{"is not YAML"}},
		"a list":          {"- a\n", []string{`line 1: "a list" must be a mapping of keys to values`}},
		"no cells":        {"{}\n", []string{"line 1: cells is required"}},
		"an empty list":   {"cells: []\n", []string{"line 1: cells must have at least one cell"}},
		"another key":     {cell() + "version: 1\n", []string{"version is not a key of the file; its key is cells"}},
		"two documents":   {cell() + "---\n" + cell(), []string{"the file must contain one document"}},
		"a duplicate key": {cell("slots: 1", "slots: 2"), []string{"slots is a duplicate of line 4"}},
		"an unknown key": {
			cell("database-url: x"),
			[]string{"line 4: cell a: database-url is not a key of a cell; the keys are name, "},
		},
		"an alias": {
			"cells:\n  - &x {name: a, database_url: postgres://h/a}\n  - *x\n",
			[]string{`line 3: cells "an alias"`},
		},
		"no name": {"cells:\n  - database_url: postgres://h/a\n", []string{"line 2: name is required"}},
		"a name": {
			"cells:\n  - {name: EU, database_url: postgres://h/a}\n",
			[]string{`name "EU" must be 1 to 32 characters`},
		},
		"a long name": {
			"cells:\n  - {name: " + strings.Repeat("a", 33) + ", database_url: postgres://h/a}\n",
			[]string{"must be 1 to 32"},
		},
		"no database": {"cells:\n  - name: a\n", []string{"line 2: cell a: database_url is required, here or by"}},
		"two ways": {
			cell("database_url_file: other"),
			[]string{"cell a: database_url must not be set together with database_url_file"},
		},
		"no file": {
			"cells:\n  - {name: a, database_url_file: absent}\n",
			[]string{`cell a: database_url_file "absent" must be a readable file: open absent: file does not exist`},
		},
		"an invalid file": {
			"cells:\n  - {name: a, database_url_file: wrong}\n",
			[]string{"cell a: database_url_file its content must be postgres://user:password@host:5432/database"},
		},
		"a URL for a file": {
			"cells:\n  - {name: a, database_url_file: 'postgres://u:hunter2@h/a'}\n",
			[]string{`database_url_file "[redacted]" must be the path of a file`},
		},
		"an invalid URL": {
			"cells:\n  - {name: a, database_url: 'postgres://u:hunter2@h:port/d'}\n",
			[]string{"line 2: cell a: database_url must be postgres://user:password@host:5432/database", "port"},
		},
		"an invalid standby": {
			cell("read_database_urls: [host=h]"),
			[]string{"cell a: read_database_urls must be URLs such as postgres://"},
		},
		"no list of standbys": {
			cell("read_database_urls: postgres://u:hunter2@h/d"),
			[]string{`read_database_urls "a scalar" must be a list`},
		},
		"a duplicate name": {
			two("database_url: postgres://h/b") + "  - {name: a, database_url: postgres://h/c}\n",
			[]string{`line 7: name "a" is also that of the cell at line 2`},
		},
		"a database twice": {
			two("database_url: postgres://other:hunter2@H:5432/a?application_name=x"),
			[]string{"cell b: database_url leads to the database h:5432/a of another cell, at line 3"},
		},
		"a standby of another cell": {
			two("database_url: postgres://h/b", "read_database_urls: [postgres://h/a]"),
			[]string{"cell b: read_database_urls leads to the database h:5432/a of another cell, at line 3"},
		},
		"one of several hosts": {
			two("database_url: postgres://x,h/a"), []string{"leads to the database h:5432/a of another cell"},
		},
		"a tenant": {
			cell("tenants: [acme, 00000000-0000-0000-0000-000000000000, 018f3b1c7a5e7cc48f6e2a1b3c4d5e6f]"),
			[]string{
				`tenants "acme" must be UUIDs`, `"00000000-0000-0000-0000-000000000000" must be`,
				`"018f3b1c7a5e7cc48f6e2a`,
			},
		},
		"a tenant twice": {
			two("database_url: postgres://h/b", "tenants: [018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f,",
				"  018F3B1C-7A5E-7CC4-8F6E-2A1B3C4D5E6F]"),
			[]string{`line 8: cell b: tenants "018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f" is also listed at line 7`},
		},
		"slots": {
			cell("slots: [all, 1-, -1, 65536, 0x1, 01, 7-6, {a: b}, '1 - 2']"),
			[]string{
				`slots "all" must be a slot or a range`, `"1-" must be a slot`, `"-1" must be a slot`,
				`"65536" must be a slot`,
				`"0x1" must`, `"01" must`, `"7-6" must not end before it begins`, `"a mapping" must be a range`,
				`"1 - 2" must be`,
			},
		},
		"overlapping slots": {
			two("database_url: postgres://h/b", "slots: [99-100, 50]"),
			[]string{
				`line 7: cell b: slots "99-100" overlaps 0-99 of line 4`,
				`line 7: cell b: slots "50" overlaps 0-99 of line 4`,
			},
		},
		"overlapping slots of one cell": {cell("slots: [0-10, 5-6]"), []string{`slots "5-6" overlaps 0-10 of line 4`}},
		"everything at once": {
			"cells:\n  - {name: A, slots: x}\n  - {name: b, tenants: y}\n  - 7\nother: z\n",
			[]string{
				`name "A"`, `slots "x"`, "line 2: database_url is required", "cell b: database_url is",
				`tenants "a scalar"`,
				"line 4", "other",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			named := files{"wrong": "postgres://u:hunter2@h:port/d", "other": "postgres://h/other"}
			_, err := cells.Parse([]byte(c.content), named.read)
			var invalid *cells.InvalidError
			if !errors.As(err, &invalid) {
				t.Fatalf("got %v, want an *InvalidError", err)
			}
			if len(invalid.Violations) != len(c.want) && name != "an invalid URL" {
				t.Errorf("got %d violations, want %d", len(invalid.Violations), len(c.want))
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v\nwant %q in it", err, want)
				}
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a password is shown: %v", err)
			}
		})
	}
}

// TestStandbysOfOneCell permits a cell whose primary and standbys change places.
func TestStandbysOfOneCell(t *testing.T) {
	t.Parallel()
	_, err := cells.Parse([]byte("cells:\n  - name: a\n"+
		"    database_url: postgres://x,y/d?target_session_attrs=read-write\n"+
		"    read_database_urls: [postgres://x/d, postgres://y/d]\n"), nil)
	if err != nil {
		t.Error(err)
	}
}

func TestManyViolations(t *testing.T) {
	t.Parallel()
	_, err := cells.Parse([]byte("cells:\n"+strings.Repeat("  - {}\n", 60)), nil)
	var invalid *cells.InvalidError
	if !errors.As(err, &invalid) || len(invalid.Violations) != 100 || invalid.More != 20 ||
		!strings.HasSuffix(err.Error(), "and 20 more") {
		t.Errorf("got %v, want 100 violations and the number of the others", err)
	}
}
