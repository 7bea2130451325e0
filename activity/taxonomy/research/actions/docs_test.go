package actions_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/actionstest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const pagesDirectory = "../../../../docs/instrumenting/research"

func TestPagesHaveEveryAction(t *testing.T) {
	t.Parallel()
	actionstest.ReadPages(t, pagesDirectory).HaveEveryAction(t, researchTaxonomy(t).Actions())
}

func TestPagesQuoteExamples(t *testing.T) {
	t.Parallel()
	actionstest.ReadPages(t, pagesDirectory).QuoteExamples(t, "example_test.go")
}

func TestStatementsOfPages(t *testing.T) {
	t.Parallel()
	actions := researchTaxonomy(t)
	db := actionstest.Strict(t, actions)
	actionstest.ReadPages(t, pagesDirectory).RunStatements(t, db, actions)
}

// TestExamples calls the functions that the pages quote.
func TestExamples(t *testing.T) {
	t.Parallel()
	actions := researchTaxonomy(t)
	db := actionstest.Strict(t, actions)
	ctx := activity.WithActor(t.Context(), uuid.New())
	type example = func(ctx context.Context, tx pgx.Tx, tenant, resource, other uuid.UUID) error
	two := func(f func(ctx context.Context, tx pgx.Tx, tenant, resource uuid.UUID) error) example {
		return func(ctx context.Context, tx pgx.Tx, tenant, resource, _ uuid.UUID) error {
			return f(ctx, tx, tenant, resource)
		}
	}
	for name, run := range map[string]example{
		"signalValidated": two(signalValidated), "datasetRefreshed": datasetRefreshed,
		"pipelineRunFailed": pipelineRunFailed, "experimentRun": experimentRun,
		"backtestCompleted": backtestCompleted, "rebalanced": rebalanced,
		"promotionApproved": promotionApproved, "driftDetected": driftDetected,
		"agentFinished": agentFinished, "reviewRequested": reviewRequested,
		"workflowStarted": workflowStarted, "fileDeleted": fileDeleted, "indexSynced": indexSynced,
		"containerDestroyed": two(containerDestroyed), "settingsChanged": two(settingsChanged),
		"handedOver": handedOver,
		"deviceLost": func(ctx context.Context, tx pgx.Tx, tenant, resource, _ uuid.UUID) error {
			return deviceLost(ctx, tx, tenant, resource, time.Now())
		},
	} {
		actionstest.RolledBack(t, db, func(tx pgx.Tx) {
			if err := run(ctx, tx, uuid.New(), uuid.New(), uuid.New()); err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			actionstest.Recorded(t, tx, actions, name)
		})
	}

	if _, err := db.Pool.Exec(ctx, `CREATE TABLE signals (tenant_id uuid, id uuid, stage text)`); err != nil {
		t.Fatal(err)
	}
	if err := promote(ctx, db.Pool, uuid.New(), uuid.New(), "production"); err != nil {
		t.Errorf("promote: %v", err)
	}
	actionstest.RolledBack(t, db, func(tx pgx.Tx) { actionstest.Recorded(t, tx, actions, "promote") })
}
