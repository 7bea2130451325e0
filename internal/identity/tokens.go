package identity

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Tokens are the service tokens of all tenants. They are safe for concurrent use.
type Tokens struct {
	db  *pgxpool.Pool
	now func() time.Time
}

// NewTokens returns the tokens that a database holds. A nil clock means time.Now.
func NewTokens(db *pgxpool.Pool, now func() time.Time) *Tokens {
	if now == nil {
		now = time.Now
	}
	return &Tokens{db: db, now: now}
}

// NewToken says what service token to make.
type NewToken struct {
	TenantID    uuid.UUID
	PrincipalID uuid.UUID     // whom the token acts as
	Name        string        // what it is for, 1 to 100 characters
	Scopes      Scopes        // may be none
	Lifetime    time.Duration // at most MaxTokenLifetime
}

// MaxTokenLifetime is the longest that a service token lasts: a year.
const MaxTokenLifetime = 366 * 24 * time.Hour

// ErrNoToken is the error of a token that is not there, or not the tenant's.
var ErrNoToken = errors.New("no such token")

// Create makes a token and returns it as text, which cannot be had again, and what is known of it.
func (t *Tokens) Create(ctx context.Context, n NewToken) (text Secret, token Token, err error) {
	return "", Token{}, errors.New("not yet")
}

// List returns a tenant's tokens, the newest first.
func (t *Tokens) List(ctx context.Context, tenant uuid.UUID) ([]Token, error) {
	return nil, errors.New("not yet")
}

// Revoke ends a token at once, and for good. Revoking it again changes nothing.
func (t *Tokens) Revoke(ctx context.Context, tenant, id uuid.UUID) (Token, error) {
	return Token{}, errors.New("not yet")
}
