// Package pgtest provides each test with a PostgreSQL database of its own.
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
//
//	func TestSomething(t *testing.T) {
//		t.Parallel()
//		db := pgtest.New(t)
//		…
//	}
//
// FANFARE_TEST_DATABASE_URL selects the server, with the URL of a superuser; without it, [Main]
// starts one for the process. The databases are copies of a template database,
// fanfare_template_<hash>, which is created once for each content of the migrations and is not
// dropped.
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

// timeout limits each operation on a server or database.
const timeout = time.Minute

// DB is a database that is dropped when its test ends.
type DB struct {
	// Pool is closed when the test ends. The test must release its connections before.
	Pool *pgxpool.Pool
	// URL connects to the database as a superuser.
	URL string
}

// URLWith returns the URL with a connection parameter.
func (db *DB) URLWith(parameter, value string) string {
	u, err := url.Parse(db.URL)
	if err != nil {
		panic(err) // New has parsed it
	}
	query := u.Query()
	query.Set(parameter, value)
	u.RawQuery = query.Encode()
	return u.String()
}

// New creates a database with Fanfare's schema for the test.
func New(t testing.TB) *DB {
	t.Helper()
	return newDB(t, serverURL(t), true)
}

// NewEmpty creates a database without Fanfare's schema for the test.
func NewEmpty(t testing.TB) *DB {
	t.Helper()
	return newDB(t, serverURL(t), false)
}

// NewCluster starts a server for the test, which the test may kill and restart, and creates a
// database with Fanfare's schema on it.
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
	// The database is not dropped, since the server may be down when the test ends.
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

// newName returns a unique database name.
func newName() string { return "fanfare_test_" + strings.ToLower(rand.Text()) }

// withDatabase returns the server's URL with the name of another database.
func withDatabase(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return "", fmt.Errorf("%s is not a postgres:// URL", serverVariable)
	}
	u.Path = "/" + name
	return u.String(), nil
}
