// Package migrations holds Fanfare's schema: numbered SQL files, each with its way up and its way
// down, applied by tern under an advisory lock, each in a transaction of its own.
//
// Everything lives in the PostgreSQL schema "fanfare", the table of applied migrations
// (fanfare.schema_version) too. Required: PostgreSQL 15 or newer, and a role that may create
// schemas and roles (or that finds the roles fanfare_writer and fanfare_retention made and granted
// to it).
package migrations

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/tern/v2/migrate"
)

//go:embed *.sql
var files embed.FS

const (
	versionTable     = "fanfare.schema_version"
	oldestPostgreSQL = 15
)

// Status is how far a database is.
type Status struct {
	Current int      `json:"current"` // migrations applied; 0 is an empty database
	Latest  int      `json:"latest"`  // migrations this binary has
	Pending []string `json:"pending"` // file names, in the order in which Apply would take them
}

// Progress is called before each migration; direction is "up" or "down". It may be nil.
type Progress func(name, direction string)

// Apply takes conn's database to the latest migration. Many may call it at once: the others wait
// for the first, then find nothing to do. An error names the migration and leaves the database at
// the one before it.
func Apply(ctx context.Context, conn *pgx.Conn) error {
	return Up(ctx, conn, nil)
}

// Up is Apply with progress.
func Up(ctx context.Context, conn *pgx.Conn, progress Progress) error {
	if err := checkServer(ctx, conn); err != nil {
		return err
	}
	m, err := load(ctx, conn, progress)
	if err != nil {
		return err
	}
	return to(ctx, m, len(m.Migrations))
}

// Down takes conn's database back to the given migration. Zero removes everything that is
// Fanfare's: every recorded activity, and the schema itself unless something that is not Fanfare's
// stands in it.
func Down(ctx context.Context, conn *pgx.Conn, version int, progress Progress) error {
	m, err := load(ctx, conn, progress)
	if err != nil {
		return err
	}
	current, err := m.GetCurrentVersion(ctx)
	if err != nil {
		return fmt.Errorf("read %s: %w", versionTable, err)
	}
	if version < 0 || version > int(current) {
		return fmt.Errorf("version %d: must be between 0 and the current version %d", version, current)
	}
	if err := to(ctx, m, version); err != nil || version > 0 {
		return err
	}
	if _, err := conn.Exec(ctx, "DROP TABLE "+versionTable); err != nil {
		return fmt.Errorf("drop %s: %w", versionTable, err)
	}
	_, err = conn.Exec(ctx, "DROP SCHEMA fanfare")
	if pgErr := (*pgconn.PgError)(nil); errors.As(err, &pgErr) &&
		pgErr.Code == "2BP01" { // dependent_objects_still_exist
		return fmt.Errorf("drop schema fanfare: it holds objects that are not Fanfare's: %s", pgErr.Detail)
	}
	return err
}

// Read returns how far conn's database is, and changes nothing in it.
func Read(ctx context.Context, conn *pgx.Conn) (Status, error) {
	names, err := migrate.FindMigrations(files)
	if err != nil {
		return Status{}, err
	}
	status := Status{Latest: len(names), Pending: names}
	var exists bool
	if err := conn.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", versionTable).Scan(&exists); err != nil {
		return Status{}, fmt.Errorf("find %s: %w", versionTable, err)
	}
	if !exists {
		return status, nil
	}
	if err := conn.QueryRow(ctx, "SELECT version FROM "+versionTable).Scan(&status.Current); err != nil {
		return Status{}, fmt.Errorf("read %s: %w", versionTable, err)
	}
	status.Pending = names[min(status.Current, len(names)):]
	return status, nil
}

// Hash names the content of all migrations: two binaries with the same hash make the same schema.
func Hash() string {
	h := sha256.New()
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := files.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n", path, len(body))
		h.Write(body)
		return err
	})
	if err != nil {
		panic("migrations: the embedded files cannot be read: " + err.Error())
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

func load(ctx context.Context, conn *pgx.Conn, progress Progress) (*migrate.Migrator, error) {
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock(hashtextextended('fanfare.schema', 0))"); err != nil {
		return nil, fmt.Errorf("lock the schema: %w", err)
	}
	_, err := conn.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS fanfare")
	_, unlockErr := conn.Exec(ctx, "SELECT pg_advisory_unlock(hashtextextended('fanfare.schema', 0))")
	if err := errors.Join(err, unlockErr); err != nil {
		return nil, fmt.Errorf("create schema fanfare: %w", err)
	}
	m, err := migrate.NewMigrator(ctx, conn, versionTable)
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", versionTable, err)
	}
	if err := m.LoadMigrations(files); err != nil {
		return nil, fmt.Errorf("load migrations: %w", err)
	}
	if progress != nil {
		m.OnStart = func(_ int32, name, direction, _ string) { progress(name, direction) }
	}
	return m, nil
}

func to(ctx context.Context, m *migrate.Migrator, version int) error {
	err := m.MigrateTo(ctx, int32(version))
	if failed := (migrate.MigrationPgError{}); errors.As(err, &failed) {
		return fmt.Errorf("migration %s: %w", failed.MigrationName, failed.PgError)
	}
	return err
}

func checkServer(ctx context.Context, conn *pgx.Conn) error {
	var version int
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int / 10000").Scan(&version); err != nil {
		return fmt.Errorf("read the server's version: %w", err)
	}
	if version < oldestPostgreSQL {
		return fmt.Errorf("the server is PostgreSQL %d: Fanfare needs %d or newer", version, oldestPostgreSQL)
	}
	return nil
}
