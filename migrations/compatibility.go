package migrations

import (
	"context"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/tern/v2/migrate"
)

// During a rolling upgrade, programs of two versions work with one schema. A program is identified
// by its latest migration, Status.Latest. Two numbers decide whether a program and a schema are
// compatible, and each migration states both in its header:
//
//	-- Programs before: from 035: they ignore the column.
//	-- Programs after: work without it.
//
// The first one is the latest migration of the oldest programs that work while the migration is
// applied. Up stores it in the table of versions, in the transaction of the migration, so that a
// program that does not contain the migration reads it. The second line reports whether the
// programs that contain the migration need it. A migration without a header needs the programs that
// contain it, and they need it.

// header is what a migration states.
type header struct {
	oldest int  // latest migration of the oldest programs that work while the migration is applied
	needed bool // by the programs that contain it
}

var (
	programsBefore = regexp.MustCompile(`^-- Programs before: from (\d{3}): \S`)
	programsAfter  = regexp.MustCompile(`^-- Programs after: (need it|work without it)\b`)
)

// parseHeader returns the header of a migration, which is in the comment at its beginning.
func parseHeader(number int, sql string) header {
	h := header{oldest: number, needed: true}
	for line := range strings.Lines(sql) {
		if !strings.HasPrefix(line, "--") {
			break
		}
		if match := programsBefore.FindStringSubmatch(line); match != nil {
			h.oldest, _ = strconv.Atoi(match[1]) // the expression matches digits only
		}
		if match := programsAfter.FindStringSubmatch(line); match != nil {
			h.needed = match[1] == "need it"
		}
	}
	return h
}

// readHeaders returns the file names and the headers of this program's migrations.
func readHeaders() (names []string, headers []header, err error) {
	if names, err = migrate.FindMigrations(files); err != nil {
		return nil, nil, err
	}
	for i, name := range names {
		sql, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, nil, err
		}
		headers = append(headers, parseHeader(i+1, string(sql)))
	}
	return names, headers, nil
}

// newest returns the number of the last migration that the programs need.
func newest(headers []header) int {
	for i := len(headers); i > 0; i-- {
		if headers[i-1].needed {
			return i
		}
	}
	return 0
}

// Versions returns the number of this program's last migration, and of the last one without which
// it does not work.
func Versions() (latest, needed int) {
	_, headers, err := readHeaders()
	if err != nil {
		panic("migrations: the embedded files cannot be read: " + err.Error())
	}
	return len(headers), newest(headers)
}

// recordOldest lets each migration store which programs work, also when it is reverted.
func recordOldest(m *migrate.Migrator, headers []header) {
	store := func(oldest int) string {
		return fmt.Sprintf("\n;UPDATE %s SET oldest_program = %d;", versionTable, oldest)
	}
	for i, migration := range m.Migrations {
		migration.UpSQL += store(headers[i].oldest)
		if i > 0 { // the first one adds the column
			migration.DownSQL += store(headers[i-1].oldest)
		}
	}
}

// Compatible returns nil if this program works with the database, or an *IncompatibleError.
func (s Status) Compatible() error {
	if s.Current >= s.Needed && s.Latest >= s.OldestProgram && s.Current > 0 {
		return nil
	}
	return &IncompatibleError{s}
}

// AfterUp returns the latest migration of the oldest programs that work once the pending migrations
// are applied.
func (s Status) AfterUp() int {
	if len(s.Pending) == 0 {
		return s.OldestProgram
	}
	return s.Pending[len(s.Pending)-1].OldestProgram
}

// IncompatibleError reports that this program does not work with the schema of the database: one of
// them is too old for the other.
type IncompatibleError struct{ Status Status }

// Error returns the problem and the remedy.
func (e *IncompatibleError) Error() string { return e.Problem() + ": " + e.Remedy() }

// Problem describes the versions of the schema and the program.
func (e *IncompatibleError) Problem() string {
	s := e.Status
	if s.Current < s.Needed || s.Current == 0 {
		return fmt.Sprintf("the database is at migration %d of %d", s.Current, s.Latest)
	}
	return fmt.Sprintf(
		"the database is at migration %d, which requires a program with the migrations up to %d; this one has %d",
		s.Current, s.OldestProgram, s.Latest)
}

// Remedy describes which of the two must be upgraded.
func (e *IncompatibleError) Remedy() string {
	switch s := e.Status; {
	case s.Current == 0:
		return "run fanfare migrate up, or correct --database-url"
	case s.Current < s.Needed:
		return "run fanfare migrate up"
	default:
		return "replace this program by the fanfare that migrated the database"
	}
}

// Check returns an *IncompatibleError if this program does not work with the database, and nil if
// it does or if that cannot be read.
func Check(ctx context.Context, db rowQuerier) error {
	s, err := readVersion(ctx, db)
	if err != nil {
		return nil // the caller's own statements fail, too, unless they need less
	}
	return s.Compatible()
}

type rowQuerier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// readVersion returns the status without the roles.
func readVersion(ctx context.Context, db rowQuerier) (Status, error) {
	names, headers, err := readHeaders()
	if err != nil {
		return Status{}, err
	}
	status := Status{Latest: len(names), Needed: newest(headers)}
	var exists bool
	if err := db.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", versionTable).Scan(&exists); err != nil {
		return Status{}, fmt.Errorf("find %s: %w", versionTable, err)
	}
	if exists { // the first migration adds the column
		err := db.QueryRow(ctx, "SELECT version, coalesce((to_jsonb(v) ->> 'oldest_program')::int, version) FROM "+
			versionTable+" AS v").Scan(&status.Current, &status.OldestProgram)
		if err != nil {
			return Status{}, fmt.Errorf("read %s: %w", versionTable, err)
		}
	}
	status.Pending = make([]Pending, 0, len(names))
	for i := min(status.Current, len(names)); i < len(names); i++ {
		status.Pending = append(status.Pending, Pending{names[i], headers[i].oldest, headers[i].needed})
	}
	return status, nil
}
