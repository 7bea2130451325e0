package identity

import (
	"cmp"
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/outbox"
)

// The actions of tokens.
const (
	tokenCreated = "token.created"
	tokenRevoked = "token.revoked"
)

// record records what was done to a token. Its id links the making to the ending, so that either is
// recorded once. Nothing of the secret is in it.
func record(ctx context.Context, tx pgx.Tx, action string, t Token) error {
	type payload struct {
		TokenID   uuid.UUID `json:"token_id"`
		Scopes    []string  `json:"scopes,omitempty"`
		ExpiresAt time.Time `json:"expires_at,omitzero"`
	}
	said := payload{TokenID: t.ID}
	if action == tokenCreated {
		said.Scopes, said.ExpiresAt = t.Scopes, t.ExpiresAt
	}
	actor, _ := activity.ActorFrom(ctx)
	_, err := outbox.Record(ctx, tx, activity.Envelope{
		TenantID: t.TenantID, ActorPrincipalID: cmp.Or(actor, activity.System), OwnerID: t.PrincipalID,
		ResourceID: t.ID, ResourceType: "service_token", ResourceName: t.Name, CorrelationID: t.ID,
		Action: action, Visibility: activity.Private, Payload: said,
	})
	return err
}
