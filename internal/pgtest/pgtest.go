// Package pgtest gives each test a PostgreSQL database of its own.
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		t.Parallel()
//		db := pgtest.New(t)
//		…
//	}
//
// The databases are on the server that FANFARE_TEST_DATABASE_URL names, by the
// URL of a superuser, or else on a server that Main starts for this process.
// They are copies of a template that is made once for each content of the
// migrations, and that stays on a server of one's own: fanfare_template_….
package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// timeout bounds each thing that a test waits for here.
const timeout = time.Minute

// DB is a database that lives as long as its test.
type DB struct {
	// Pool is closed when the test ends; the test releases its connections.
	Pool *pgxpool.Pool
	// URL is how to reach the database as a superuser.
	URL string
}

// New returns a new database with Fanfare's schema in it, for this test alone.
func New(t testing.TB) *DB {
	t.Helper()
	return newDB(t, serverURL(t), true)
}

// NewEmpty returns a new database without any schema, for this test alone.
func NewEmpty(t testing.TB) *DB {
	t.Helper()
	return newDB(t, serverURL(t), false)
}

// NewCluster returns a new database with Fanfare's schema in it on a server
// for this test alone, which the test may kill and restart.
func NewCluster(t testing.TB) (*devstack.Postgres, *DB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	server, err := devstack.StartPostgres(ctx, devstack.PostgresOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		if err := server.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	config, err := pgx.ParseConfig(server.URL("postgres"))
	if err != nil {
		t.Fatal("the private server's URL does not parse")
	}
	template, err := ensureTemplate(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	// The test may leave the server down, so nothing is dropped at its end.
	name := newName()
	if err := createDatabase(ctx, config, name, template); err != nil {
		t.Fatal(err)
	}
	return server, open(t, server.URL(name))
}

func serverURL(t testing.TB) string {
	t.Helper()
	server := os.Getenv(serverVariable)
	if server == "" {
		t.Fatalf(
			"no test server: the package needs func TestMain(m *testing.M) { pgtest.Main(m) }, or set %s",
			serverVariable,
		)
	}
	return server
}

func newDB(t testing.TB, server string, migrated bool) *DB {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	config, err := pgx.ParseConfig(server)
	if err != nil {
		t.Fatalf("%s: %v", serverVariable, err)
	}
	template := "template0"
	if migrated {
		if template, err = ensureTemplate(ctx, config); err != nil {
			t.Fatal(err)
		}
	}
	name := newName()
	if err := createDatabase(ctx, config, name, template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		if err := dropDatabase(ctx, config, name); err != nil {
			t.Error(err)
		}
	})
	databaseURL, err := withDatabase(server, name)
	if err != nil {
		t.Fatal(err)
	}
	return open(t, databaseURL)
}

// open connects a pool and closes it when the test ends.
func open(t testing.TB, databaseURL string) *DB {
	t.Helper()
	config, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		t.Fatalf("%s: %v", serverVariable, err)
	}
	config.MaxConns = 16
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			pool.Close()
		}()
		select {
		case <-closed:
		case <-time.After(timeout):
			t.Error("the test did not release all of its connections")
		}
	})
	return &DB{Pool: pool, URL: databaseURL}
}

// newName returns a database name that no other test has.
func newName() string { return "fanfare_test_" + strings.ToLower(rand.Text()) }

// withDatabase returns the server's URL with another database in it.
func withDatabase(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return "", fmt.Errorf("%s is not a postgres:// URL", serverVariable)
	}
	u.Path = "/" + name
	return u.String(), nil
}
