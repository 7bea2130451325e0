package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity"
)

// Tokens are the service tokens of the tenants of a database. They are safe for concurrent use.
type Tokens struct {
	db     *pgxpool.Pool
	now    func() time.Time
	admits func(tenant uuid.UUID) bool
	uses   uses
}

// NewTokens returns the service tokens in a database. A nil now is time.Now.
func NewTokens(db *pgxpool.Pool, now func() time.Time) *Tokens {
	if now == nil {
		now = time.Now
	}
	return &Tokens{db: db, now: now, admits: anyTenant}
}

// For returns the tokens of the tenants that admits reports, or of all tenants if it is nil. Those
// of others are unknown, whatever the database contains.
func (t *Tokens) For(admits func(tenant uuid.UUID) bool) *Tokens {
	if admits == nil {
		admits = anyTenant
	}
	return &Tokens{db: t.db, now: t.now, admits: admits}
}

func anyTenant(uuid.UUID) bool { return true }

// Create creates a token and returns its text, which is not stored, and the token. In the same
// transaction it records token.created in the tenant's log, by the actor of ctx or the system.
func (t *Tokens) Create(ctx context.Context, n NewToken) (text Secret, token Token, err error) {
	if err := n.Validate(); err != nil {
		return "", Token{}, err
	}
	err = pgx.BeginFunc(ctx, t.db, func(tx pgx.Tx) error {
		text, token, err = t.insert(ctx, tx, n, ForServices)
		return err
	})
	if err != nil {
		return "", Token{}, fmt.Errorf("create service token: %w", err)
	}
	return text, token, nil
}

// insert inserts a valid token and records its creation.
func (t *Tokens) insert(ctx context.Context, tx pgx.Tx, n NewToken, p Purpose) (Secret, Token, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", Token{}, fmt.Errorf("generate token id: %w", err)
	}
	now := t.now().UTC().Truncate(time.Microsecond) // the precision of PostgreSQL
	token := Token{
		ID: id, TenantID: n.TenantID, PrincipalID: n.PrincipalID, Name: n.Name, Purpose: p,
		Scopes: knownScopes(n.Scopes), Actions: actionsOf(n.Actions),
		CreatedAt: now, ExpiresAt: now.Add(n.Lifetime).Truncate(time.Microsecond),
	}
	text, sum := newTokenText(tokenKey{tenant: n.TenantID, id: id})
	const insert = `
		INSERT INTO fanfare.service_tokens (id, tenant_id, principal_id, created_at, expires_at, name, scopes, hash,
		    actions, purpose)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	if _, err = tx.Exec(ctx, insert, token.ID, token.TenantID, token.PrincipalID, token.CreatedAt, token.ExpiresAt,
		token.Name, []string(token.Scopes), sum[:], []string(token.Actions), string(p)); err != nil {
		return "", Token{}, err
	}
	return text, token, recordCreated(ctx, tx, token)
}

// List returns the tokens of a tenant, the newest first.
func (t *Tokens) List(ctx context.Context, tenant uuid.UUID) ([]Token, error) {
	const list = `
		SELECT id, tenant_id, principal_id, name, purpose, scopes, actions, created_at, expires_at, revoked_at,
		    last_used_at
		FROM fanfare.service_tokens
		WHERE tenant_id = $1
		ORDER BY id DESC`
	rows, _ := t.db.Query(ctx, list, tenant)
	tokens, err := pgx.CollectRows(rows, scanToken)
	if err != nil {
		return nil, fmt.Errorf("list service tokens: %w", err)
	}
	return tokens, nil
}

// Revoke revokes a token of a tenant: the next request with it is refused. In the same transaction
// it records token.revoked, as Create does. Revoking a token again changes nothing. The error of an
// unknown token, and of one of another tenant, is [activity.ErrNotFound].
func (t *Tokens) Revoke(ctx context.Context, tenant, id uuid.UUID) (Token, error) {
	const revoke = `
		UPDATE fanfare.service_tokens
		SET revoked_at = coalesce(revoked_at, $3)
		WHERE tenant_id = $1 AND id = $2
		RETURNING id, tenant_id, principal_id, name, purpose, scopes, actions, created_at, expires_at, revoked_at,
		    last_used_at`
	var token Token
	err := pgx.BeginFunc(ctx, t.db, func(tx pgx.Tx) (err error) {
		rows, _ := tx.Query(ctx, revoke, tenant, id, t.now())
		if token, err = pgx.CollectExactlyOneRow(rows, scanToken); err != nil {
			return err
		}
		return recordRevoked(ctx, tx, token)
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return Token{}, fmt.Errorf("token %s: %w", id, activity.ErrNotFound)
	case err != nil:
		return Token{}, fmt.Errorf("revoke service token: %w", err)
	}
	return token, nil
}

func scanToken(row pgx.CollectableRow) (t Token, err error) {
	var scopes []string
	err = row.Scan(&t.ID, &t.TenantID, &t.PrincipalID, &t.Name, (*string)(&t.Purpose), &scopes, &t.Actions,
		&t.CreatedAt, &t.ExpiresAt, &t.RevokedAt, &t.LastUsedAt)
	t.Scopes = knownScopes(scopes)
	t.CreatedAt, t.ExpiresAt = t.CreatedAt.UTC(), t.ExpiresAt.UTC()
	for _, at := range []*time.Time{t.RevokedAt, t.LastUsedAt} {
		if at != nil {
			*at = at.UTC()
		}
	}
	return t, err
}

// actionsOf returns patterns as a token stores them: none permit every action.
func actionsOf(patterns []string) Actions {
	if len(patterns) == 0 {
		return nil
	}
	return patterns
}
