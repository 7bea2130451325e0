package actions_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/actionstest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const pagesDirectory = "../../docs/instrumenting"

func TestPagesHaveEveryAction(t *testing.T) {
	t.Parallel()
	actions := slices.Concat(taxonomy.Default().Actions(), taxonomy.Builtins().Actions())
	actionstest.ReadPages(t, pagesDirectory).HaveEveryAction(t, actions)
}

func TestPagesQuoteExamples(t *testing.T) {
	t.Parallel()
	actionstest.ReadPages(t, pagesDirectory).QuoteExamples(t, "example_test.go", "builtin.md")
}

func TestStatementsOfPages(t *testing.T) {
	t.Parallel()
	db := actionstest.Strict(t, taxonomy.Default())
	actionstest.ReadPages(t, pagesDirectory).RunStatements(t, db, taxonomy.Default(), "builtin.md")
}

// TestExamples calls the functions that the pages quote.
func TestExamples(t *testing.T) {
	t.Parallel()
	db := actionstest.Strict(t, taxonomy.Default())
	ctx := activity.WithActor(t.Context(), uuid.New())
	for name, run := range map[string]func(ctx context.Context, tx pgx.Tx, tenant, resource, other uuid.UUID) error{
		"roleChanged": roleChanged, "fileDeleted": fileDeleted, "invoiceIssued": invoiceIssued,
		"jobCompleted": jobCompleted, "shared": shared,
		"loginFailed": func(ctx context.Context, tx pgx.Tx, tenant, resource, _ uuid.UUID) error {
			return loginFailed(ctx, tx, tenant, resource, "203.0.113.7")
		},
		"commented": func(ctx context.Context, tx pgx.Tx, tenant, resource, other uuid.UUID) error {
			return commented(ctx, tx, tenant, resource, other, uuid.New())
		},
	} {
		actionstest.RolledBack(t, db, func(tx pgx.Tx) {
			if err := run(ctx, tx, uuid.New(), uuid.New(), uuid.New()); err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			actionstest.Recorded(t, tx, taxonomy.Default(), name)
		})
	}

	if _, err := db.Pool.Exec(ctx, `CREATE TABLE documents (tenant_id uuid, id uuid, title text)`); err != nil {
		t.Fatal(err)
	}
	if err := rename(ctx, db.Pool, uuid.New(), uuid.New(), "Plan"); err != nil {
		t.Errorf("rename: %v", err)
	}
	actionstest.RolledBack(t, db, func(tx pgx.Tx) { actionstest.Recorded(t, tx, taxonomy.Default(), "rename") })
}
