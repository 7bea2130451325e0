// Package migrations contains Fanfare's schema as numbered SQL files, one subject a file. Each file
// has a part that creates objects and a part that drops them. Migrations are applied by tern, under
// an advisory lock and each in its own transaction.
//
// All objects, including the version table fanfare.schema_version, are in the PostgreSQL schema
// "fanfare". Migrating needs PostgreSQL 15 or newer, and a role that may create schemas and roles,
// or to which the existing roles of the installation are granted (see Options.RolePrefix).
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

	dependentObjectsStillExist = "2BP01" // SQLSTATE
)

// Status describes which migrations a database has.
type Status struct {
	Current int       `json:"current"` // version of the database: the last applied migration; 0 means none
	Latest  int       `json:"latest"`  // version of this binary: its last migration
	Pending []Pending `json:"pending"` // the migrations to apply, in their order

	// OldestProgram is the last migration of the oldest programs that work with the database.
	OldestProgram int `json:"oldest_program"`
	// Needed is the last migration without which this binary does not work.
	Needed int `json:"needed"`

	// WriterRole is granted to the roles of services; "" in a database without the schema.
	WriterRole string `json:"writer_role"`

	// DirectoryRole reads the directory. "" before the first migration.
	DirectoryRole string `json:"directory_role"`
}

// Pending is a migration that is not applied yet.
type Pending struct {
	Name string `json:"name"` // of its file
	// OldestProgram is the last migration of the oldest programs that work once it is applied.
	OldestProgram int  `json:"oldest_program"`
	Needed        bool `json:"needed"` // this binary does not work without it
}

// Progress is called before each migration with its file name; direction is "up" or "down".
type Progress func(name, direction string)

// Options of Up. The zero value is complete.
type Options struct {
	Progress Progress
	// RolePrefix begins the names of the roles, which belong to the whole cluster. It is recorded
	// by the first Up of a database and ignored by later ones. "" selects [DefaultRolePrefix], or a
	// prefix with the name of the database if another database of the cluster uses that one.
	RolePrefix string
}

// Apply is [Up] without options.
func Apply(ctx context.Context, conn *pgx.Conn) error {
	return Up(ctx, conn, Options{})
}

// Up applies the pending migrations to conn's database, and puts the roles, owners and grants right
// (see Repair). Concurrent calls wait for each other. An error names the migration that failed, and
// leaves the database at the version before it.
func Up(ctx context.Context, conn *pgx.Conn, o Options) error {
	if err := checkServer(ctx, conn); err != nil {
		return err
	}
	err := locked(ctx, conn, func() error { return up(ctx, conn, o) })
	return explain(ctx, conn, o.RolePrefix, err)
}

func up(ctx context.Context, conn *pgx.Conn, o Options) error {
	m, err := load(ctx, conn, o.Progress)
	if err != nil {
		return err
	}
	prefix, err := reserveRoles(ctx, conn, o.RolePrefix)
	if err != nil {
		return err
	}
	if _, err = conn.Exec(ctx, "SELECT set_config('fanfare.role_prefix', $1, false)", prefix); err != nil {
		return err
	}
	if err := to(ctx, m, len(m.Migrations)); err != nil {
		return err
	}
	_, err = Repair(ctx, conn, "")
	return err
}

// Down reverts the migrations of conn's database that are later than version. Version 0 removes all
// of Fanfare's objects, including every recorded activity, and the schema; it fails if the schema
// contains objects that are not Fanfare's. progress may be nil.
func Down(ctx context.Context, conn *pgx.Conn, version int, progress Progress) error {
	err := locked(ctx, conn, func() error { return down(ctx, conn, version, progress) })
	return explain(ctx, conn, "", err)
}

func down(ctx context.Context, conn *pgx.Conn, version int, progress Progress) error {
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
	if pgErr := (*pgconn.PgError)(nil); errors.As(err, &pgErr) && pgErr.Code == dependentObjectsStillExist {
		return fmt.Errorf("drop schema fanfare: it contains objects that are not Fanfare's: %s", pgErr.Detail)
	}
	return err
}

// Read returns the status of conn's database, and does not change the database.
func Read(ctx context.Context, conn *pgx.Conn) (Status, error) {
	status, err := readVersion(ctx, conn)
	if err != nil || status.Current == 0 {
		return status, err
	}
	if err := conn.QueryRow(ctx, "SELECT fanfare.role_of_writers(), fanfare.role_of_directory()").
		Scan(&status.WriterRole, &status.DirectoryRole); err != nil {
		return Status{}, fmt.Errorf("read the names of the roles: %w", err)
	}
	return status, nil
}

// Hash returns a hash of the contents of all migrations, in hexadecimal. Two binaries with the same
// hash create the same schema.
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
	if _, err := conn.Exec(ctx, "CREATE SCHEMA IF NOT EXISTS fanfare"); err != nil {
		return nil, fmt.Errorf("create schema fanfare: %w", err)
	}
	m, err := migrate.NewMigrator(ctx, conn, versionTable)
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", versionTable, err)
	}
	if err := m.LoadMigrations(files); err != nil {
		return nil, fmt.Errorf("load migrations: %w", err)
	}
	_, headers, err := readHeaders()
	if err != nil {
		return nil, err
	}
	recordOldest(m, headers)
	boundLocks(m)
	if progress != nil {
		m.OnStart = func(_ int32, name, direction, _ string) { progress(name, direction) }
	}
	return m, nil
}

func checkServer(ctx context.Context, conn *pgx.Conn) error {
	var version int
	err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int / 10000").Scan(&version)
	if err != nil {
		return fmt.Errorf("read the server's version: %w", err)
	}
	if version < oldestPostgreSQL {
		return fmt.Errorf("the server is PostgreSQL %d: Fanfare requires %d or newer", version, oldestPostgreSQL)
	}
	return nil
}
