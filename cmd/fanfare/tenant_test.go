package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// count returns the result of a query for one number.
func countIn(t *testing.T, db *pgtest.DB, query string, args ...any) (n int) {
	t.Helper()
	if err := db.Pool.QueryRow(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

const ofTenant = `SELECT count(*) FROM fanfare.activities WHERE tenant_id = $1 AND action NOT LIKE 'tenant.%'`

// TestTenantExportAndImport exports a tenant to files and imports it into another database.
func TestTenantExportAndImport(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	w.record(t)
	destination := pgtest.New(t)
	environ := map[string]string{"FANFARE_DATABASE_URL": destination.URL}
	file := filepath.Join(t.TempDir(), "tenant.jsonl.gz")
	out := must(t, w.environ(), "tenant", "export", "--tenant", w.tenant.String(), "-o", file, "--json")
	var counts map[string]map[string]int
	if err := json.Unmarshal([]byte(out), &counts); err != nil || counts["exported"]["activities"] != 1 {
		t.Errorf("export: got %s and %v, want one activity", out, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v and %v, want a file with the mode 0600", info, err)
	}
	if out := must(t, environ, "tenant", "import", file); !strings.Contains(out, "activities ") {
		t.Errorf("import: got %s", out)
	}
	if got := countIn(t, destination, ofTenant, w.tenant); got != 1 {
		t.Errorf("got %d activities, want 1", got)
	}
	// It is the source that delivers what is pending.
	if got := countIn(t, destination, `SELECT count(*) FROM fanfare.outbox`); got != 0 || w.pending(t) != 1 {
		t.Errorf("got %d pending activities in the destination, %d in the source; want 0 and 1", got, w.pending(t))
	}
	r := fanfare(t, environ, "tenant", "import", file)
	if r.code != exitFailure || !strings.Contains(r.stderr, "the database must have none; nothing was imported") {
		t.Errorf("imported again: got exit code %d and %q", r.code, r.stderr)
	}
	if r := fanfare(t, environ, "tenant", "import", filepath.Join(t.TempDir(), "absent")); r.code != exitFailure {
		t.Errorf("no file: got exit code %d", r.code)
	}
}

// TestTenantMoveByURL moves a tenant between the databases of two connection strings.
func TestTenantMoveByURL(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	w.record(t)
	destination := pgtest.New(t)
	environ := w.environ()
	r := fanfare(t, environ, "tenant", "move", "--tenant", w.tenant.String())
	if r.code != exitUsage || !strings.Contains(r.stderr, "FANFARE_TO_DATABASE_URL") {
		t.Errorf("no destination: got exit code %d and %q", r.code, r.stderr)
	}
	environ["FANFARE_TO_DATABASE_URL"] = destination.URL
	move := []string{"tenant", "move", "--tenant", w.tenant.String(), "--drain-timeout", "0s", "--clear-delay", "0s"}
	r = fanfare(t, environ, append(move[:4:4], "--abort")...)
	if r.code != exitFailure || !strings.Contains(r.stderr, "not being moved between these databases") {
		t.Errorf("no move to abort: got exit code %d and %q", r.code, r.stderr)
	}
	out := must(t, environ, append(move, "--keep-source", "--json")...)
	if !strings.Contains(out, `"step": "moved"`) || !strings.Contains(out, `"activities": 1`) {
		t.Errorf("move: got %s", out)
	}
	if here, there := countIn(t, destination, ofTenant, w.tenant), countIn(t, w.db, ofTenant, w.tenant); here != 1 ||
		there != 1 {
		t.Errorf("got %d activities in the destination and %d in the source, want the same", here, there)
	}
	if got := countIn(t, destination, `SELECT count(*) FROM fanfare.outbox`); got != 2 || w.pending(t) != 0 {
		t.Errorf("got %d pending activities in the destination, %d in the source; want 2 with the record, and none",
			got, w.pending(t))
	}
	status := must(t, environ, "tenant", "status")
	if !strings.Contains(status, "source") || !strings.Contains(status, "moved") {
		t.Errorf("status: got %s", status)
	}
	if out := must(t, environ, move...); !strings.Contains(out, "The tenant is in ") {
		t.Errorf("repeated without --keep-source: got %s", out)
	}
	if there := countIn(t, w.db, ofTenant, w.tenant); there != 0 {
		t.Errorf("got %d activities in the source, want none", there)
	}
	r = fanfare(t, environ, append(move[:4:4], "--abort")...)
	if r.code != exitFailure || !strings.Contains(r.stderr, "cannot be aborted") {
		t.Errorf("aborted afterwards: got exit code %d and %q", r.code, r.stderr)
	}
	r = fanfare(t, w.environ(), "tenant", "export", "--tenant", w.tenant.String())
	if r.code != exitFailure || !strings.Contains(r.stderr, "the tenant has been moved to ") {
		t.Errorf("exported from the source: got exit code %d and %q", r.code, r.stderr)
	}
}

// TestTenantMoveBetweenCells moves a tenant between the cells of a file, and back.
func TestTenantMoveBetweenCells(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	w.record(t)
	other, third := pgtest.New(t), pgtest.New(t)
	file := filepath.Join(t.TempDir(), "cells.yaml")
	text := fmt.Sprintf(`cells:
- {name: one, database_url: %q, slots: [0-65535]}
- {name: two, database_url: %q}
- {name: three, database_url: %q}
`, w.db.URL, other.URL, third.URL)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	environ := map[string]string{"FANFARE_CELLS": file}
	move := []string{"tenant", "move", "--tenant", w.tenant.String(), "--clear-delay", "0s", "--to"}
	for _, c := range []struct{ to, want string }{
		{"", "--to is required with --cells; the cells are one, two, three"},
		{"four", `--to "four": is not a cell of the file`},
	} {
		r := fanfare(t, environ, append(move, c.to)...)
		if r.code != exitUsage || !strings.Contains(r.stderr, c.want) {
			t.Errorf("--to %q: got exit code %d and %q, want %q", c.to, r.code, r.stderr, c.want)
		}
	}
	r := fanfare(t, environ, append(move, "one")...)
	if r.code != exitFailure || !strings.Contains(r.stderr, "belongs to the cell one already") {
		t.Errorf("to its own cell: got exit code %d and %q", r.code, r.stderr)
	}
	// The second call has nothing left to do.
	for _, to := range []string{"two", "two", "three", "two", "one"} {
		if out := must(t, environ, append(move, to)...); !strings.Contains(out, "The tenant is in "+to+".") {
			t.Errorf("to %s: got %s", to, out)
		}
		db := map[string]*pgtest.DB{"one": w.db, "two": other, "three": third}[to]
		if got := countIn(t, db, ofTenant, w.tenant); got != 1 {
			t.Errorf("to %s: got %d activities there, want 1", to, got)
		}
	}
	if status := must(t, environ, "tenant", "status", "--json"); !strings.Contains(status, `"cell": "two"`) ||
		!strings.Contains(status, `"cell": "three"`) || strings.Contains(status, `"cell": "one"`) {
		t.Errorf("status: got %s, want that the tenant has left two and three", status)
	}
}
