package identity

import (
	"cmp"
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/actions/builtin"
	"github.com/fanfarehq/fanfare/outbox"
)

// recordCreated records the creation of a token, without its secret.
func recordCreated(ctx context.Context, tx pgx.Tx, t Token) error {
	created := builtin.TokenCreated{TokenID: t.ID, Scopes: t.Scopes, Actions: t.Actions, ExpiresAt: t.ExpiresAt}
	return record(ctx, tx, t, created.On(t.TenantID, t.ID))
}

// recordRevoked records the revocation of a token.
func recordRevoked(ctx context.Context, tx pgx.Tx, t Token) error {
	return record(ctx, tx, t, builtin.TokenRevoked{TokenID: t.ID}.On(t.TenantID, t.ID))
}

// record records an activity about a token. The token's id is the correlation id, so the creation
// and the revocation are each recorded once. The actor is the context's, or the system.
func record(ctx context.Context, tx pgx.Tx, t Token, e activity.Envelope) error {
	actor, _ := activity.ActorFrom(ctx)
	e.ActorPrincipalID, e.OwnerID = cmp.Or(actor, activity.System), t.PrincipalID
	e.ResourceName, e.CorrelationID, e.Visibility = t.Name, t.ID, activity.Private
	_, err := outbox.Record(ctx, tx, e)
	return err
}
