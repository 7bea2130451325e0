package tenantmove_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/tenantdata"
)

func connect(t *testing.T, db *pgtest.DB) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), db.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	if err := tenantdata.Prepare(t.Context(), conn); err != nil {
		t.Fatal(err)
	}
	return conn
}

func export(t *testing.T, db *pgtest.DB, tenant uuid.UUID, pending bool) string {
	t.Helper()
	var file bytes.Buffer
	trailer, err := tenantdata.Export(t.Context(), connect(t, db), tenant, pending, &file, func(string, int64) {})
	if err != nil {
		t.Fatal(err)
	}
	if rows := trailer.Rows(); rows["activities"] == 0 || (rows["outbox"] > 0) != pending {
		t.Errorf("got %v, want activities, and pending ones if they are asked for", rows)
	}
	return file.String()
}

// imported returns the error of an import.
func imported(t *testing.T, db *pgtest.DB, file string) error {
	t.Helper()
	_, _, err := tenantdata.Import(t.Context(), connect(t, db), strings.NewReader(file), func(string, int64) {})
	return err
}

// TestExportAndImport exports a tenant with rows in every table and compares what is imported.
func TestExportAndImport(t *testing.T) {
	t.Parallel()
	c := newCells(t, 20)
	before := contents(t, c.source, c.tenant)
	file := export(t, c.source, c.tenant, true)
	if err := imported(t, c.destination, file); err != nil {
		t.Fatal(err)
	}
	if differ := tables(before, contents(t, c.destination, c.tenant)); differ != nil {
		t.Errorf("before and after differ:\n%s", strings.Join(differ, "\n"))
	}
	if err := imported(t, c.destination, file); err == nil || !strings.Contains(err.Error(), "must have none") {
		t.Errorf("imported again: got %v, want it refused", err)
	}
	third := pgtest.New(t)
	if err := imported(t, third, export(t, c.source, c.tenant, false)); err != nil {
		t.Fatal(err)
	}
	after := contents(t, third, c.tenant)
	for _, table := range []string{"outbox", "parked", "fan_out_jobs"} {
		before[table] = "0 "
	}
	if differ := tables(before, after); differ != nil {
		t.Errorf("without pending activities, before and after differ:\n%s", strings.Join(differ, "\n"))
	}
}

// TestRefusedFiles imports files that are truncated or changed: nothing of them remains.
func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	c := newCells(t, 1)
	file := export(t, c.source, c.tenant, true)
	lines := strings.SplitAfter(file, "\n")
	lines = lines[:len(lines)-1]
	without := func(n int) string { return strings.Join(append(append([]string{}, lines[:n]...), lines[n+1:]...), "") }
	end := 0 // the line that ends the section of principals
	for n, l := range lines {
		if strings.HasPrefix(l, `{"end":{"name":"principals"`) {
			end = n
		}
	}
	for name, tc := range map[string]struct{ file, want string }{
		"empty":             {"", "line 1: the file is truncated"},
		"another format":    {"{\"a\":1}\n", "line 1: is not a line of an exported tenant"},
		"no header":         {strings.Join(lines[1:], ""), "line 1: must be the header"},
		"another version":   {strings.Replace(file, `"version":1`, `"version":9`, 1), "version 9 of the format"},
		"another schema":    {strings.Replace(file, `"schema":`, `"schema":9`, 1), "the file is of the schema 9"},
		"no trailer":        {without(len(lines) - 1), "the file is truncated between two sections"},
		"cut within a line": {file[:len(file)/2], "the file is truncated in the section"},
		"a row removed":     {without(end - 1), "the section principals has 59 rows"},
		"a row doubled": {
			strings.Join(lines[:end], "") + lines[end-1] + strings.Join(lines[end:], ""), "has 61 rows",
		},
		"a text changed":     {strings.Replace(file, `:"Ada 7\n`, `:"Eve 7\n`, 1), "SHA-256"},
		"the header changed": {strings.Replace(file, `"pending":true`, `"pending":false`, 1), "the lines before"},
		"a section renamed": {
			strings.Replace(file, `{"section":{"name":"principals"`, `{"section":{"name":"users"`, 1),
			`the section "users" is unknown`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := pgtest.New(t)
			err := imported(t, db, tc.file)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v, want %q in it", err, tc.want)
			}
			if file := (*tenantdata.FileError)(nil); strings.HasPrefix(tc.want, "line") && !errors.As(err, &file) {
				t.Errorf("got %T, want a *FileError", err)
			}
			left := contents(t, db, c.tenant)
			if differ := tables(none(left), left); differ != nil {
				t.Errorf("rows remain:\n%s", strings.Join(differ, "\n"))
			}
		})
	}
}
