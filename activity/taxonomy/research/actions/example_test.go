package actions_test

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/taxonomy/research/actions"
	"github.com/fanfarehq/fanfare/outbox"
)

// The pages of docs/instrumenting/research quote the functions of this file.

func signalValidated(ctx context.Context, tx pgx.Tx, tenant, signal uuid.UUID) error {
	e := actions.SignalValidated{
		Passed: false, Checks: new(12), FailedChecks: []string{"turnover"},
	}.On(tenant, signal)
	_, err := outbox.Record(ctx, tx, e)
	return err
}

func datasetRefreshed(ctx context.Context, tx pgx.Tx, tenant, dataset, refresh uuid.UUID) error {
	e := actions.DatasetRefreshCompleted{Rows: new(48_210), DurationMs: new(5_300)}.On(tenant, dataset)
	e.CorrelationID = refresh // as in dataset.refresh_started
	_, err := outbox.Record(ctx, tx, e)
	return err
}

func pipelineRunFailed(ctx context.Context, tx pgx.Tx, tenant, pipeline, run uuid.UUID) error {
	e := actions.PipelineRunFailed{
		RunID: run, Error: "the source returned status 503 three times", FailedStep: "fetch",
	}.On(tenant, pipeline)
	e.CorrelationID, e.Status = run, activity.Failure
	_, err := outbox.Record(ctx, tx, e)
	return err
}

func experimentRun(ctx context.Context, tx pgx.Tx, tenant, experiment, run uuid.UUID) error {
	e := actions.ExperimentRunCompleted{
		RunID: run, Metrics: map[string]float64{"sharpe": 1.42, "drawdown": 0.11},
	}.On(tenant, experiment)
	e.CorrelationID = run
	_, err := outbox.Record(ctx, tx, e)
	return err
}

func backtestCompleted(ctx context.Context, tx pgx.Tx, tenant, backtest, run uuid.UUID) error {
	e := actions.BacktestCompleted{
		RunID: run, DurationMs: new(93_000), Metrics: map[string]float64{"sharpe": 1.42},
	}.On(tenant, backtest)
	e.CorrelationID = run
	_, err := outbox.Record(ctx, tx, e)
	return err
}

func rebalanced(ctx context.Context, tx pgx.Tx, tenant, portfolio, run uuid.UUID) error {
	e := actions.PortfolioRebalanced{Trades: 14, Turnover: new(0.08)}.On(tenant, portfolio)
	e.CorrelationID = run // as in portfolio.weights_computed
	_, err := outbox.Record(ctx, tx, e)
	return err
}

// A request, its guardrails and its outcome carry the id of the request.
func promotionApproved(ctx context.Context, tx pgx.Tx, tenant, signal, request uuid.UUID) error {
	passed := actions.GuardrailsValidated{Checks: 5}.On(tenant, signal)
	approved := actions.PromotionApproved{RequestID: request, Note: "ready"}.On(tenant, signal)
	passed.CorrelationID, approved.CorrelationID = request, request
	_, err := outbox.RecordMany(ctx, tx, []activity.Envelope{passed, approved})
	return err
}

func driftDetected(ctx context.Context, tx pgx.Tx, tenant, signal, check uuid.UUID) error {
	e := actions.MonitoringDriftDetected{
		Metric: "mean", Value: new(0.31), Limit: new(0.25), Window: "30d",
	}.On(tenant, signal)
	e.ResourceType = "signal" // the subject of the check, not the monitor
	e.CorrelationID = check
	_, err := outbox.Record(ctx, tx, e)
	return err
}

func agentFinished(ctx context.Context, tx pgx.Tx, tenant, agent, run uuid.UUID) error {
	e := actions.AgentRunCompleted{RunID: run, DurationMs: new(8_400), ToolCalls: new(3)}.On(tenant, agent)
	e.CorrelationID = run
	_, err := outbox.Record(ctx, tx, e)
	return err
}

func reviewRequested(ctx context.Context, tx pgx.Tx, tenant, document, reviewer uuid.UUID) error {
	e := actions.ReviewRequested{DueAt: time.Now().AddDate(0, 0, 3)}.On(tenant, document)
	e.ResourceType, e.TargetPrincipalID = "document", reviewer
	_, err := outbox.Record(ctx, tx, e)
	return err
}

func workflowStarted(ctx context.Context, tx pgx.Tx, tenant, workflow, run uuid.UUID) error {
	e := actions.WorkflowRunStarted{RunID: run, Trigger: "schedule"}.On(tenant, workflow)
	e.CorrelationID, e.ActorPrincipalID = run, activity.System // a schedule started it
	_, err := outbox.Record(ctx, tx, e)
	return err
}

func fileDeleted(ctx context.Context, tx pgx.Tx, tenant, folder, file uuid.UUID) error {
	e := actions.StorageFileDeleted{FileID: file, Bytes: new(18_432), Reason: "no longer needed"}.On(tenant, folder)
	_, err := outbox.Record(ctx, tx, e)
	return err
}

func indexSynced(ctx context.Context, tx pgx.Tx, tenant, index, sync uuid.UUID) error {
	e := actions.VectorSyncCompleted{SyncID: sync, Added: new(311), Removed: new(4)}.On(tenant, index)
	e.CorrelationID = sync
	_, err := outbox.Record(ctx, tx, e)
	return err
}

func containerDestroyed(ctx context.Context, tx pgx.Tx, tenant, container uuid.UUID) error {
	e := actions.ContainerDestroyed{Reason: "idle", LifetimeMs: new(3_600_000)}.On(tenant, container)
	e.ActorPrincipalID = activity.System
	_, err := outbox.Record(ctx, tx, e)
	return err
}

func deviceLost(ctx context.Context, tx pgx.Tx, tenant, device uuid.UUID, seen time.Time) error {
	e := actions.DeviceLost{LastSeenAt: seen}.On(tenant, device)
	e.ActorPrincipalID = activity.System
	_, err := outbox.Record(ctx, tx, e)
	return err
}

func settingsChanged(ctx context.Context, tx pgx.Tx, tenant, server uuid.UUID) error {
	e := actions.SystemSettingsChanged{Changed: []string{"smtp_host", "smtp_password"}}.On(tenant, server)
	_, err := outbox.Record(ctx, tx, e)
	return err
}

func promote(ctx context.Context, db *pgxpool.Pool, tenant, signal uuid.UUID, stage string) error {
	e := actions.SignalPromoted{ToStage: stage}.On(tenant, signal)
	update := func(ctx context.Context, tx pgx.Tx, _ *activity.Envelope) (struct{}, error) {
		_, err := tx.Exec(ctx,
			`UPDATE signals SET stage = $3 WHERE tenant_id = $1 AND id = $2`, tenant, signal, stage)
		return struct{}{}, err
	}
	_, _, err := outbox.TxActivity(ctx, db, e, update)
	return err
}

func handedOver(ctx context.Context, tx pgx.Tx, tenant, document, owner uuid.UUID) error {
	e := actions.TransferCompleted{ToPrincipalID: owner}.On(tenant, document)
	e.ResourceType, e.TargetPrincipalID = "document", owner
	_, err := outbox.Record(ctx, tx, e)
	return err
}
