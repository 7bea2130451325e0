package migrations_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/migrations"
)

// cluster is a new server, on which no role of Fanfare exists.
type cluster struct {
	*devstack.Postgres
	super *pgx.Conn
}

func newCluster(t testing.TB) cluster {
	t.Helper()
	server, err := devstack.StartPostgres(t.Context(), devstack.PostgresOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop(context.Background()) })
	return cluster{server, connect(t, server.URL("postgres"))}
}

// as returns a connection of a new role with attributes, such as CREATEROLE, to a database.
func (c cluster) as(t testing.TB, role, attributes, database string) *pgx.Conn {
	t.Helper()
	exec(t, c.super, `CREATE ROLE `+role+` LOGIN PASSWORD 'secret' `+attributes)
	config, err := pgx.ParseConfig(c.URL(database))
	if err != nil {
		t.Fatal(err)
	}
	config.User, config.Password = role, "secret"
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// TestMigratorsOfOneCluster migrates two databases by two roles that may create roles, and are
// neither superusers nor members of each other's roles.
func TestMigratorsOfOneCluster(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	exec(t, c.super, `CREATE DATABASE one`)
	exec(t, c.super, `CREATE DATABASE two`)
	first, second := c.as(t, "first", "CREATEROLE", "one"), c.as(t, "second", "CREATEROLE", "two")
	exec(t, c.super, `GRANT CREATE ON DATABASE one TO first`)
	exec(t, c.super, `GRANT CREATE ON DATABASE two TO second`)
	for range 2 {
		for _, conn := range []*pgx.Conn{first, second} {
			if err := migrations.Apply(t.Context(), conn); err != nil {
				t.Fatalf("%s: %v", conn.Config().User, err)
			}
			if wrong, err := migrations.WrongRights(t.Context(), conn); err != nil || len(wrong) > 0 {
				t.Errorf("%s: wrong rights: got %q, %v, want none", conn.Config().User, wrong, err)
			}
		}
	}
	for prefix, conn := range map[string]*pgx.Conn{"fanfare": first, "fanfare_two": second} {
		if got := query[string](t, conn, `SELECT fanfare.role_prefix()`); got != prefix {
			t.Errorf("%s: got the prefix %q, want %q", conn.Config().User, got, prefix)
		}
	}
	for role, conn := range map[string]*pgx.Conn{"fanfare_writer": first, "fanfare_two_writer": second} {
		exec(t, conn, `GRANT `+role+` TO CURRENT_USER`)
		exec(t, conn, `SET ROLE `+role)
		exec(t, conn, `SELECT fanfare.record_activity($1)`, envelope)
		exec(t, conn, `RESET ROLE`)
	}
	for role, database := range map[string]string{"fanfare_writer": "two", "fanfare_two_writer": "one"} {
		conn := connect(t, c.URL(database))
		exec(t, conn, `SET ROLE `+role)
		if got := sqlState(conn, `SELECT fanfare.record_activity($1)`, envelope); got != "42501" {
			t.Errorf("%s in the database %s: got SQLSTATE %q, want 42501", role, database, got)
		}
	}
}

// TestRolesThatRemain migrates in a cluster with roles that a removed database left, which belong
// to another role that may create roles.
func TestRolesThatRemain(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	first := c.as(t, "first", "CREATEROLE", "postgres")
	exec(t, first, `CREATE ROLE fanfare_writer; CREATE ROLE fanfare_retention`)
	second := c.as(t, "second", "CREATEROLE", "postgres")
	exec(t, c.super, `GRANT CREATE ON DATABASE postgres TO second`)
	if err := migrations.Apply(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	want := "fanfare_postgres" // PostgreSQL 16 and newer let only the creator grant a role
	if query[int](t, second, `SELECT current_setting('server_version_num')::int`) < 160000 {
		want = "fanfare"
	}
	if got := query[string](t, second, `SELECT fanfare.role_prefix()`); got != want {
		t.Errorf("prefix: got %q, want %q", got, want)
	}
}

// TestMigratorsAtOnce migrates new databases at the same time: each gets roles of its own.
func TestMigratorsAtOnce(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	databases := []string{"a", "b", "c"}
	var g errgroup.Group
	for _, name := range databases {
		exec(t, c.super, `CREATE DATABASE `+name)
		conn := connect(t, c.URL(name))
		g.Go(func() error { return migrations.Apply(t.Context(), conn) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	owners := map[string]string{}
	for _, name := range databases {
		prefix := query[string](t, connect(t, c.URL(name)), `SELECT fanfare.role_prefix()`)
		if prefix != "fanfare" && prefix != "fanfare_"+name {
			t.Errorf("%s: got the prefix %q, want fanfare or fanfare_%[1]s", name, prefix)
		}
		if other := owners[prefix]; other != "" {
			t.Errorf("%s and %s have the same prefix %s", other, name, prefix)
		}
		owners[prefix] = name
	}
}

var printedStatement = regexp.MustCompile(`(?:CREATE ROLE|GRANT|ALTER ROLE) [^;]*;`)

// TestMigratorWithoutRights executes the statements that the error of a refused migration prints.
func TestMigratorWithoutRights(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		attributes, prepare, prefix string
		want                        []string
	}{
		"nothing": {
			want: []string{
				"GRANT CREATE ON DATABASE app TO host;", "CREATE ROLE fanfare_writer NOLOGIN;",
				"TO host WITH ADMIN OPTION;",
			},
		},
		"no schema": {attributes: "CREATEROLE", want: []string{"GRANT CREATE ON DATABASE app TO host;"}},
		"no role": {
			prepare: `GRANT CREATE ON DATABASE app TO host`,
			want:    []string{"CREATE ROLE fanfare_retention NOLOGIN;", "ALTER ROLE host CREATEROLE;"},
		},
		"another's roles": {
			prepare: `GRANT CREATE ON DATABASE app TO host; CREATE ROLE mine_writer; CREATE ROLE mine_retention;
				CREATE ROLE mine_directory`,
			prefix: "mine",
			want: []string{
				"GRANT mine_writer, mine_retention, mine_directory TO host WITH ADMIN OPTION;", "--role-prefix",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			exec(t, c.super, `CREATE DATABASE app`)
			host := c.as(t, "host", tc.attributes, "app")
			exec(t, c.super, tc.prepare)
			err := migrations.Up(t.Context(), host, migrations.Options{RolePrefix: tc.prefix})
			refused, ok := errors.AsType[*migrations.RightsError](err)
			if !ok {
				t.Fatalf("got %v, want an error with a remedy", err)
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want %q in it", err, want)
				}
			}
			for _, sql := range printedStatement.FindAllString(refused.Remedy(), -1) {
				if !strings.HasPrefix(sql, "ALTER ROLE") { // the alternative
					exec(t, c.super, sql)
				}
			}
			if err := migrations.Up(t.Context(), host, migrations.Options{RolePrefix: tc.prefix}); err != nil {
				t.Errorf("with the rights that the error names: got %v, want no error", err)
			}
		})
	}
}

// TestMigratorOfAnothersSchema upgrades, repairs and removes a schema that belongs to another role.
func TestMigratorOfAnothersSchema(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	first := c.as(t, "first", "CREATEROLE", "postgres")
	exec(t, c.super, `GRANT CREATE ON DATABASE postgres TO first`)
	if err := migrations.Apply(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Down(t.Context(), first, len(names(t))-1, nil); err != nil {
		t.Fatal(err)
	}
	second := c.as(t, "second", "CREATEROLE", "postgres")
	exec(t, c.super, `GRANT CREATE ON DATABASE postgres TO second`)
	_, repairErr := migrations.Repair(t.Context(), second, "")
	for name, err := range map[string]error{
		"up": migrations.Apply(t.Context(), second), "down": migrations.Down(t.Context(), second, 0, nil),
		"repair": repairErr,
	} {
		if err == nil || !strings.Contains(err.Error(), "as first, which owns the schema fanfare") {
			t.Errorf("%s: got %v, want an error that names the owner", name, err)
		}
	}
}
