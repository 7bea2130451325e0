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
	"github.com/fanfarehq/fanfare/internal/pg"
)

// lookupTimeout is the timeout of looking up the token of a request.
const lookupTimeout = 5 * time.Second

// identify returns the identity of a token with a purpose. Every request queries the database, so
// that a revocation takes effect immediately in every process. A nil t refuses every token. The
// error is a *[Refused], or that of the database.
func (t *Tokens) identify(ctx context.Context, text string, purpose Purpose) (Identity, error) {
	key, sum, ok := parseToken(text)
	if t == nil || !ok || !t.admits(key.tenant) {
		return Identity{}, refuse(ReasonToken)
	}
	stored, err := t.lookup(ctx, key)
	if err != nil {
		return Identity{}, err
	}
	// An unknown id has an empty hash, which differs from every hash. The reasons below are
	// returned only to a caller who has the secret.
	if subtle.ConstantTimeCompare(stored.hash, sum[:]) != 1 || stored.purpose != purpose {
		return Identity{}, refuse(ReasonToken)
	}
	now := t.now()
	switch {
	case stored.revoked:
		return Identity{}, refuse(ReasonRevoked)
	case !now.Before(stored.expires):
		return Identity{}, refuse(ReasonExpired)
	}
	via := ViaToken
	if purpose == ForSessions {
		via = ViaSession
	}
	t.uses.add(key, now)
	return Identity{
		Principal: activity.Principal{TenantID: key.tenant, PrincipalID: stored.principal},
		Scopes:    knownScopes(stored.scopes),
		Via:       via,
		TokenID:   key.id,
		Actions:   stored.actions,
		Expires:   stored.expires,
	}, nil
}

// storedToken is the row of a token.
type storedToken struct {
	principal uuid.UUID
	scopes    []string
	actions   Actions
	purpose   Purpose
	expires   time.Time
	revoked   bool
	hash      []byte
}

// lookup returns the row of a token, or the zero value if there is none.
func (t *Tokens) lookup(ctx context.Context, key tokenKey) (k storedToken, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	const lookup = `
		SELECT principal_id, scopes, actions, purpose, expires_at, revoked_at IS NOT NULL,
		    encode(hash, 'hex')
		FROM fanfare.service_tokens
		WHERE tenant_id = $1 AND id = $2`
	err = t.db.QueryRow(ctx, lookup, key.tenant, key.id).Scan(
		&k.principal, &k.scopes, &k.actions, (*string)(&k.purpose), &k.expires,
		&k.revoked, (*pg.Hex)(&k.hash))
	if errors.Is(err, pgx.ErrNoRows) {
		return storedToken{}, nil
	}
	if err != nil {
		return storedToken{}, fmt.Errorf("look up service token: %w", err)
	}
	return k, nil
}
