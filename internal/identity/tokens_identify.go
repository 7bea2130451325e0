package identity

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
)

// lookupTimeout bounds how long a request waits for the database to know its token.
const lookupTimeout = 5 * time.Second

// identify tells whose token this is. Every request asks the database, so that a revoked token ends
// everywhere at once. A nil t knows no token. The error is a *Refused, or of the database.
func (t *Tokens) identify(ctx context.Context, text string) (Identity, error) {
	id, sum, ok := parseToken(text)
	if t == nil || !ok {
		return Identity{}, refuse(ReasonToken)
	}
	kept, err := t.lookup(ctx, id)
	if err != nil {
		return Identity{}, err
	}
	// An unknown id has no hash, which no text has either; and only who knows the secret learns
	// more than that.
	if subtle.ConstantTimeCompare(kept.hash, sum[:]) != 1 {
		return Identity{}, refuse(ReasonToken)
	}
	now := t.now()
	switch {
	case kept.revoked:
		return Identity{}, refuse(ReasonRevoked)
	case !now.Before(kept.expires):
		return Identity{}, refuse(ReasonExpired)
	}
	t.uses.add(use{tenant: kept.tenant, id: id}, now)
	return Identity{
		Principal: activity.Principal{TenantID: kept.tenant, PrincipalID: kept.principal},
		Scopes:    knownScopes(kept.scopes),
		Via:       ViaToken,
		TokenID:   id,
	}, nil
}

// keptToken is what decides on a token.
type keptToken struct {
	tenant, principal uuid.UUID
	scopes            []string
	expires           time.Time
	revoked           bool
	hash              []byte
}

// lookup returns what is kept of a token: nothing, if there is none of this id. It is the one query
// without a tenant, since it is what tells the tenant.
func (t *Tokens) lookup(ctx context.Context, id uuid.UUID) (k keptToken, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	const lookup = `
		SELECT tenant_id, principal_id, scopes, expires_at, revoked_at IS NOT NULL, hash
		FROM fanfare.service_tokens
		WHERE id = $1`
	err = t.db.QueryRow(ctx, lookup, id).Scan(&k.tenant, &k.principal, &k.scopes, &k.expires, &k.revoked, &k.hash)
	if errors.Is(err, pgx.ErrNoRows) {
		return keptToken{}, nil
	}
	if err != nil {
		return keptToken{}, fmt.Errorf("look up service token: %w", err)
	}
	return k, nil
}
