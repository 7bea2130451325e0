// Package recording_test runs the Go examples of the page README.md as it prints them. It is a
// module of its own, so that Fanfare does not depend on the libraries that the page shows.
package recording_test

import (
	"context"
	"database/sql"
	"os"
	"strings"
	"testing"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/jmoiron/sqlx"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// TestGo creates a project with each library: its row and its activity are committed together.
func TestGo(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	if _, err := db.Pool.Exec(t.Context(),
		`CREATE TABLE projects (id uuid PRIMARY KEY, tenant uuid NOT NULL, name text NOT NULL)`); err != nil {
		t.Fatal(err)
	}
	plain, err := sql.Open("pgx", db.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plain.Close() })
	orm, err := gorm.Open(postgres.New(postgres.Config{Conn: plain}), &gorm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for name, create := range map[string]func(ctx context.Context, actor uuid.UUID, p Project) error{
		"createWithSQL": func(ctx context.Context, actor uuid.UUID, p Project) error {
			return createWithSQL(ctx, plain, actor, p)
		},
		"createWithSqlx": func(ctx context.Context, actor uuid.UUID, p Project) error {
			return createWithSqlx(ctx, sqlx.NewDb(plain, "pgx"), actor, p)
		},
		"createWithGORM": func(ctx context.Context, actor uuid.UUID, p Project) error {
			return createWithGORM(ctx, orm, actor, p)
		},
	} {
		p := Project{ID: uuid.New(), Tenant: uuid.New(), Name: name}
		if err := create(t.Context(), uuid.New(), p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := create(t.Context(), uuid.Nil, Project{ID: uuid.New(), Tenant: p.Tenant, Name: name}); err == nil {
			t.Errorf("%s without an actor: got no error", name)
		}
		var projects, activities int
		if err := db.Pool.QueryRow(t.Context(), `
			SELECT (SELECT count(*) FROM projects WHERE name = $1),
				(SELECT count(*) FROM fanfare.activities WHERE resource_name = $1)`, name,
		).Scan(&projects, &activities); err != nil {
			t.Fatal(err)
		}
		if projects != 1 || activities != 1 {
			t.Errorf("%s: got %d projects and %d activities, want 1 of each", name, projects, activities)
		}
	}
}

// TestPagePrintsTheseExamples holds the page to the functions that TestGo calls.
func TestPagePrintsTheseExamples(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("examples_test.go")
	if err != nil {
		t.Fatal(err)
	}
	functions := strings.Split(string(source), "\n\n")
	for _, function := range functions {
		if strings.HasPrefix(function, "func create") && !strings.Contains(string(page), strings.TrimSpace(function)) {
			t.Errorf("README.md does not print:\n%s", function)
		}
	}
}
