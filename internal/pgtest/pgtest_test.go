package pgtest_test

import (
	"context"
	"testing"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestNewHasTheSchema(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	if got := schemas(t, db); got != 1 {
		t.Errorf("schemas named fanfare: got %d, want 1", got)
	}
}

func TestNewEmptyHasNoSchema(t *testing.T) {
	t.Parallel()
	db := pgtest.NewEmpty(t)
	if got := schemas(t, db); got != 0 {
		t.Errorf("schemas named fanfare: got %d, want 0", got)
	}
}

func TestDatabasesAreIndependent(t *testing.T) {
	t.Parallel()
	first, second := pgtest.New(t), pgtest.New(t)
	exec(t, first, `CREATE TABLE t ()`)
	exec(t, second, `CREATE TABLE t ()`)
}

func TestDatabaseIsDropped(t *testing.T) {
	t.Parallel()
	var name string
	t.Run("a test", func(t *testing.T) {
		db := pgtest.New(t)
		name = db.Pool.Config().ConnConfig.Database
	})
	var exists bool
	err := pgtest.NewEmpty(t).
		Pool.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).
		Scan(&exists)
	if err != nil {
		t.Fatal(err)
	}
	if exists {
		t.Errorf("database %s exists after its test", name)
	}
}

func TestNewClusterSurvivesACrash(t *testing.T) {
	t.Parallel()
	server, db := pgtest.NewCluster(t)
	exec(t, db, `CREATE TABLE kept ()`)
	if err := server.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Pool.Ping(t.Context()); err == nil {
		t.Error("ping of a killed server: got no error, want one")
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	exec(t, db, `DROP TABLE kept`)
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		pgtest.New(b)
	}
}

func schemas(t testing.TB, db *pgtest.DB) (count int) {
	t.Helper()
	err := db.Pool.QueryRow(context.Background(), `SELECT count(*) FROM pg_namespace WHERE nspname = 'fanfare'`).
		Scan(&count)
	if err != nil {
		t.Fatal(err)
	}
	return count
}

func exec(t testing.TB, db *pgtest.DB, sql string) {
	t.Helper()
	if _, err := db.Pool.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}
