package actions_test

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/actions"
	"github.com/fanfarehq/fanfare/outbox"
)

// The pages of docs/instrumenting quote the functions of this file.

func rename(ctx context.Context, db *pgxpool.Pool, tenant, document uuid.UUID, title string) error {
	e := actions.ResourceUpdated{Changed: []string{"title"}}.On(tenant, document)
	e.ResourceType = "document"
	update := func(ctx context.Context, tx pgx.Tx, _ *activity.Envelope) (struct{}, error) {
		_, err := tx.Exec(ctx,
			`UPDATE documents SET title = $3 WHERE tenant_id = $1 AND id = $2`, tenant, document, title)
		return struct{}{}, err
	}
	_, _, err := outbox.TxActivity(ctx, db, e, update)
	return err
}

// No principal is signed in, so the account is the actor as well as the resource. For an unknown
// account the actor is the system and the resource is the tenant: the user may have typed a
// password in the place of a name.
func loginFailed(ctx context.Context, tx pgx.Tx, tenant, account uuid.UUID, ip string) error {
	e := actions.AuthLoginFailure{
		Method: "password", Reason: "wrong_credentials", Attempts: new(3),
	}.On(tenant, account)
	e.ActorPrincipalID, e.Status = account, activity.Failure
	e.IP = ip // only a keyed hash of it is stored
	_, err := outbox.Record(ctx, tx, e)
	return err
}

func roleChanged(ctx context.Context, tx pgx.Tx, tenant, team, member uuid.UUID) error {
	e := actions.MemberRoleChanged{FromRole: "viewer", ToRole: "editor"}.On(tenant, team)
	e.TargetPrincipalID = member
	_, err := outbox.Record(ctx, tx, e)
	return err
}

func fileDeleted(ctx context.Context, tx pgx.Tx, tenant, folder, file uuid.UUID) error {
	e := actions.FileDeleted{FileID: file, Bytes: new(18_432), Reason: "no longer needed"}.On(tenant, folder)
	_, err := outbox.Record(ctx, tx, e)
	return err
}

func commented(ctx context.Context, tx pgx.Tx, tenant, document, comment, mentioned uuid.UUID) error {
	e := actions.CommentCreated{CommentID: comment}.On(tenant, document)
	e.ResourceType, e.TargetPrincipalID = "document", mentioned
	e.CorrelationID = comment
	_, err := outbox.Record(ctx, tx, e)
	return err
}

func invoiceIssued(ctx context.Context, tx pgx.Tx, tenant, account, event uuid.UUID) error {
	e := actions.BillingInvoiceIssued{
		InvoiceID: "2026-0042", AmountMinor: new(129_00), Currency: "EUR",
	}.On(tenant, account)
	e.CorrelationID = event // the provider's; a second delivery is a duplicate
	_, err := outbox.Record(ctx, tx, e)
	return err
}

func jobCompleted(ctx context.Context, tx pgx.Tx, tenant, job, run uuid.UUID) error {
	e := actions.JobCompleted{JobID: run, DurationMs: new(5_300)}.On(tenant, job)
	e.CorrelationID, e.ActorPrincipalID = run, activity.System // no principal started it
	_, err := outbox.Record(ctx, tx, e)
	return err
}

func shared(ctx context.Context, tx pgx.Tx, tenant, document, principal uuid.UUID) error {
	e := actions.ResourceShared{Role: "editor"}.On(tenant, document)
	e.ResourceType, e.TargetPrincipalID = "document", principal
	_, err := outbox.Record(ctx, tx, e)
	return err
}
