package pgtest

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/leaks"
)

// serverVariable names the environment variable with the server's URL.
const serverVariable = "FANFARE_TEST_DATABASE_URL"

// Main runs the tests of a package with a PostgreSQL server, and exits the process. It fails if the
// tests pass but leak goroutines.
func Main(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	if os.Getenv(serverVariable) == "" {
		stop, err := startServer()
		if err != nil {
			return 1, err
		}
		code, err = m.Run(), stop()
		if err != nil {
			return code, err
		}
	} else {
		code = m.Run()
	}
	if code != 0 {
		return code, nil
	}
	return 0, leaks.Find()
}

// startServer starts a server and puts its URL into the environment of this process and of those
// that the tests start.
func startServer() (stop func() error, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	server, err := devstack.StartPostgres(ctx, devstack.PostgresOptions{})
	if err != nil {
		return nil, err
	}
	if err := os.Setenv(serverVariable, server.URL("postgres")); err != nil {
		return nil, err
	}
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		return server.Stop(ctx)
	}, nil
}
