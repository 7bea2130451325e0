package pgtest

import (
	"context"
	"fmt"

	"github.com/fanfarehq/fanfare/migrations"
	"github.com/jackc/pgx/v5"
)

// templateLock is the advisory lock under which templates are created. All templates have the same
// lock, since migrations also create roles, which belong to the cluster.
const templateLock = 0x66616e66617265 // "fanfare"

// ensureTemplate returns the name of the template database for the migrations of this binary, and
// creates it if it does not exist. Processes with different migrations may call it concurrently.
func ensureTemplate(ctx context.Context, server *pgx.ConnConfig) (string, error) {
	name := "fanfare_template_" + migrations.Hash()
	err := withConn(ctx, server, func(conn *pgx.Conn) error {
		if ready, err := templateReady(ctx, conn, name); ready || err != nil {
			return err
		}
		// Held by the session, since CREATE DATABASE cannot run in a transaction.
		if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, templateLock); err != nil {
			return err
		}
		if ready, err := templateReady(ctx, conn, name); ready || err != nil {
			return err
		}
		return createTemplate(ctx, conn, server, name)
	})
	if err != nil {
		return "", fmt.Errorf("create the template database: %w", err)
	}
	return name, nil
}

// templateReady reports whether the template exists and is complete.
func templateReady(ctx context.Context, conn *pgx.Conn, name string) (ready bool, err error) {
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datistemplate)`, name).
		Scan(&ready)
	return ready, err
}

// createTemplate creates a template. The database is marked as a template when it is complete,
// which distinguishes it from one that an interrupted process left.
func createTemplate(ctx context.Context, conn *pgx.Conn, server *pgx.ConnConfig, name string) error {
	quoted := pgx.Identifier{name}.Sanitize()
	if _, err := conn.Exec(ctx, `DROP DATABASE IF EXISTS `+quoted+` WITH (FORCE)`); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, `CREATE DATABASE `+quoted+` TEMPLATE template0`); err != nil {
		return err
	}
	config := server.Copy()
	config.Database = name
	err := withConn(ctx, config, func(conn *pgx.Conn) error {
		// Tests name the roles. The templates and databases of a server share them.
		return migrations.Up(ctx, conn, migrations.Options{RolePrefix: migrations.DefaultRolePrefix})
	})
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	// Connections are disallowed, since a database with a session cannot be copied.
	_, err = conn.Exec(ctx, `ALTER DATABASE `+quoted+` WITH IS_TEMPLATE true ALLOW_CONNECTIONS false`)
	return err
}

func createDatabase(ctx context.Context, server *pgx.ConnConfig, name, template string) error {
	return withConn(ctx, server, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, `CREATE DATABASE `+pgx.Identifier{name}.Sanitize()+
			` TEMPLATE `+pgx.Identifier{template}.Sanitize()+` STRATEGY FILE_COPY`)
		return err
	})
}

func dropDatabase(ctx context.Context, server *pgx.ConnConfig, name string) error {
	return withConn(ctx, server, func(conn *pgx.Conn) error {
		drop := `DROP DATABASE IF EXISTS ` + pgx.Identifier{name}.Sanitize() + ` WITH (FORCE)`
		if _, err := conn.Exec(ctx, drop); err != nil {
			return err
		}
		// The roles of a schema that the test has created in the database.
		prefix := migrations.DefaultRolePrefix + "_" + name
		_, err := conn.Exec(ctx, `DROP ROLE IF EXISTS `+pgx.Identifier{prefix + "_writer"}.Sanitize()+`, `+
			pgx.Identifier{prefix + "_retention"}.Sanitize()+`, `+pgx.Identifier{prefix + "_directory"}.Sanitize())
		return err
	})
}

func withConn(ctx context.Context, config *pgx.ConnConfig, do func(*pgx.Conn) error) error {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	return do(conn)
}
