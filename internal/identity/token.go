package identity

import (
	"errors"
	"strings"
	"time"
	"unicode/utf8"

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

// State is "active", "revoked" or "expired".
func (t Token) State(now time.Time) string {
	switch {
	case t.RevokedAt != nil:
		return "revoked"
	case !now.Before(t.ExpiresAt):
		return "expired"
	default:
		return "active"
	}
}

// MaxTokenLifetime is the longest that a service token lasts: a year.
const MaxTokenLifetime = 366 * 24 * time.Hour

const maxTokenNameRunes = 100

// NewToken says what service token to make.
type NewToken struct {
	TenantID    uuid.UUID
	PrincipalID uuid.UUID     // whom the token acts as
	Name        string        // what it is for, 1 to 100 characters
	Scopes      []string      // of those that Fanfare knows; none is fine
	Lifetime    time.Duration // from a second to MaxTokenLifetime; there is no default
}

// Validate reports every mistake at once.
func (n NewToken) Validate() error {
	var wrong mistakes
	if n.TenantID == uuid.Nil {
		wrong.add("tenant: must be set")
	}
	if n.PrincipalID == uuid.Nil {
		wrong.add("principal: must be set")
	}
	if length := utf8.RuneCountInString(n.Name); length == 0 || length > maxTokenNameRunes ||
		!utf8.ValidString(n.Name) ||
		strings.ContainsFunc(n.Name, isControl) {
		wrong.add("name: must be 1 to %d characters of plain text", maxTokenNameRunes)
	}
	for _, scope := range n.Scopes {
		if len(knownScopes([]string{scope})) == 0 {
			wrong.add("scope %q: must be %s or %s", scope, ScopeRead, ScopeAdmin)
		}
	}
	wrong.duration("lifetime", n.Lifetime, time.Second, MaxTokenLifetime)
	return errors.Join(wrong...)
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
