package identity

import (
	"time"

	"github.com/google/uuid"
)

// Token is what is known of a service token. Its secret is not.
type Token struct {
	ID          uuid.UUID  `json:"id"`
	TenantID    uuid.UUID  `json:"tenant_id"`
	PrincipalID uuid.UUID  `json:"principal_id"`
	Name        string     `json:"name"`
	Scopes      Scopes     `json:"scopes"`
	CreatedAt   time.Time  `json:"created_at"`
	ExpiresAt   time.Time  `json:"expires_at"`
	RevokedAt   *time.Time `json:"revoked_at"`
	LastUsedAt  *time.Time `json:"last_used_at"` // to about a minute
}
