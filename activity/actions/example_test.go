package actions_test

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/actions"
	"github.com/fanfarehq/fanfare/outbox"
)

// The pages of docs/instrumenting quote the functions of this file, and a test runs them.

func promote(ctx context.Context, db *pgxpool.Pool, tenant, signal uuid.UUID, to string) error {
	said := actions.SignalPromoted{ToStage: to}.On(tenant, signal)
	_, _, err := outbox.TxActivity(ctx, db, said, func(ctx context.Context, tx pgx.Tx, e *activity.Envelope) (struct{}, error) {
		_, err := tx.Exec(ctx, `UPDATE signals SET stage = $3 WHERE tenant_id = $1 AND id = $2`, tenant, signal, to)
		return struct{}{}, err
	})
	return err
}

func signalValidated(ctx context.Context, tx pgx.Tx, tenant, signal uuid.UUID) error {
	said := actions.SignalValidated{Passed: false, Checks: new(12), FailedChecks: []string{"turnover"}}.On(tenant, signal)
	_, err := outbox.Record(ctx, tx, said)
	return err
}

func datasetRefreshed(ctx context.Context, tx pgx.Tx, tenant, dataset, refresh uuid.UUID) error {
	said := actions.DatasetRefreshCompleted{Rows: new(48_210), DurationMs: new(5_300)}.On(tenant, dataset)
	said.CorrelationID = refresh // as of dataset.refresh_started
	_, err := outbox.Record(ctx, tx, said)
	return err
}

func pipelineRunFailed(ctx context.Context, tx pgx.Tx, tenant, pipeline, run uuid.UUID) error {
	said := actions.PipelineRunFailed{RunID: run, Error: "the source answered 503 three times", FailedStep: "fetch"}.On(tenant, pipeline)
	said.CorrelationID, said.Status = run, activity.Failure
	_, err := outbox.Record(ctx, tx, said)
	return err
}

func experimentRun(ctx context.Context, tx pgx.Tx, tenant, experiment, run uuid.UUID) error {
	said := actions.ExperimentRunCompleted{RunID: run, Metrics: map[string]float64{"sharpe": 1.42, "drawdown": 0.11}}.On(tenant, experiment)
	said.CorrelationID = run
	_, err := outbox.Record(ctx, tx, said)
	return err
}

func backtestCompleted(ctx context.Context, tx pgx.Tx, tenant, backtest, run uuid.UUID) error {
	said := actions.BacktestCompleted{RunID: run, DurationMs: new(93_000), Metrics: map[string]float64{"sharpe": 1.42}}.On(tenant, backtest)
	said.CorrelationID = run
	_, err := outbox.Record(ctx, tx, said)
	return err
}

func rebalanced(ctx context.Context, tx pgx.Tx, tenant, portfolio, run uuid.UUID) error {
	said := actions.PortfolioRebalanced{Trades: 14, Turnover: new(0.08)}.On(tenant, portfolio)
	said.CorrelationID = run // as of portfolio.weights_computed
	_, err := outbox.Record(ctx, tx, said)
	return err
}

// A request, what its guardrails say and how it ends are one workflow: all carry the request's id.
func promotionApproved(ctx context.Context, tx pgx.Tx, tenant, signal, request uuid.UUID) error {
	passed := actions.GuardrailsValidated{Checks: 5}.On(tenant, signal)
	approved := actions.PromotionApproved{RequestID: request, Note: "ready"}.On(tenant, signal)
	passed.CorrelationID, approved.CorrelationID = request, request
	_, err := outbox.RecordMany(ctx, tx, []activity.Envelope{passed, approved})
	return err
}

func driftDetected(ctx context.Context, tx pgx.Tx, tenant, signal, check uuid.UUID) error {
	said := actions.MonitoringDriftDetected{Metric: "mean", Value: new(0.31), Limit: new(0.25), Window: "30d"}.On(tenant, signal)
	said.ResourceType = "signal" // what drifts, not what looks at it
	said.CorrelationID = check
	_, err := outbox.Record(ctx, tx, said)
	return err
}

// Nobody is signed in, so the account that was tried is the actor as well as the resource. Where
// there is no such account, the system is the actor and the tenant's id the resource: what was
// typed may be a password.
func loginFailed(ctx context.Context, tx pgx.Tx, tenant, account uuid.UUID, ip string) error {
	said := actions.AuthLoginFailure{Method: "password", Reason: "wrong_credentials", Attempts: new(3)}.On(tenant, account)
	said.ActorPrincipalID, said.Status = account, activity.Failure
	said.IP = ip // kept as a keyed hash alone
	_, err := outbox.Record(ctx, tx, said)
	return err
}

func agentFinished(ctx context.Context, tx pgx.Tx, tenant, agent, run uuid.UUID) error {
	said := actions.AgentRunCompleted{RunID: run, DurationMs: new(8_400), ToolCalls: new(3)}.On(tenant, agent)
	said.CorrelationID = run
	_, err := outbox.Record(ctx, tx, said)
	return err
}

func reviewRequested(ctx context.Context, tx pgx.Tx, tenant, document, reviewer uuid.UUID) error {
	said := actions.ReviewRequested{DueAt: time.Now().AddDate(0, 0, 3)}.On(tenant, document)
	said.ResourceType, said.TargetPrincipalID = "document", reviewer
	_, err := outbox.Record(ctx, tx, said)
	return err
}

func workflowStarted(ctx context.Context, tx pgx.Tx, tenant, workflow, run uuid.UUID) error {
	said := actions.WorkflowRunStarted{RunID: run, Trigger: "schedule"}.On(tenant, workflow)
	said.CorrelationID, said.ActorPrincipalID = run, activity.System // nobody set it off
	_, err := outbox.Record(ctx, tx, said)
	return err
}

func invoiceIssued(ctx context.Context, tx pgx.Tx, tenant, account, billed uuid.UUID) error {
	said := actions.BillingInvoiceIssued{InvoiceID: "2026-0042", AmountMinor: new(129_00), Currency: "EUR"}.On(tenant, account)
	said.CorrelationID = billed // the provider's event, so that its second delivery records nothing
	_, err := outbox.Record(ctx, tx, said)
	return err
}

func fileDeleted(ctx context.Context, tx pgx.Tx, tenant, folder, file uuid.UUID) error {
	said := actions.StorageFileDeleted{FileID: file, Bytes: new(18_432), Reason: "no longer needed"}.On(tenant, folder)
	_, err := outbox.Record(ctx, tx, said)
	return err
}

func indexSynced(ctx context.Context, tx pgx.Tx, tenant, index, sync uuid.UUID) error {
	said := actions.VectorSyncCompleted{SyncID: sync, Added: new(311), Removed: new(4)}.On(tenant, index)
	said.CorrelationID = sync
	_, err := outbox.Record(ctx, tx, said)
	return err
}

func containerDestroyed(ctx context.Context, tx pgx.Tx, tenant, container uuid.UUID) error {
	said := actions.ContainerDestroyed{Reason: "idle", LifetimeMs: new(3_600_000)}.On(tenant, container)
	said.ActorPrincipalID = activity.System
	_, err := outbox.Record(ctx, tx, said)
	return err
}

func deviceLost(ctx context.Context, tx pgx.Tx, tenant, device uuid.UUID, seen time.Time) error {
	said := actions.DeviceLost{LastSeenAt: seen}.On(tenant, device)
	said.ActorPrincipalID = activity.System
	_, err := outbox.Record(ctx, tx, said)
	return err
}

func settingsChanged(ctx context.Context, tx pgx.Tx, tenant, server uuid.UUID) error {
	said := actions.SystemSettingsChanged{Changed: []string{"smtp_host", "smtp_password"}}.On(tenant, server)
	_, err := outbox.Record(ctx, tx, said)
	return err
}

func handedOver(ctx context.Context, tx pgx.Tx, tenant, document, to uuid.UUID) error {
	said := actions.TransferCompleted{ToPrincipalID: to}.On(tenant, document)
	said.ResourceType, said.TargetPrincipalID = "document", to
	_, err := outbox.Record(ctx, tx, said)
	return err
}
