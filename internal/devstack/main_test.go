package devstack

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/leaks"
)

// timeout limits each wait of a test.
const timeout = 30 * time.Second

func TestMain(m *testing.M) {
	if what := os.Getenv(orphanVariable); what != "" {
		runOrphan(what)
	}
	code := m.Run()
	if code == 0 {
		if err := leaks.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

func startPostgres(t testing.TB, options PostgresOptions) *Postgres {
	t.Helper()
	p, err := StartPostgres(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, p) })
	return p
}

func startCentrifugo(t testing.TB, options CentrifugoOptions) *Centrifugo {
	t.Helper()
	c, err := StartCentrifugo(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, c) })
	return c
}

func stop(t testing.TB, server interface{ Stop(context.Context) error }) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := server.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
