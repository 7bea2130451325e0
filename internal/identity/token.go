package identity

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity/invalid"
)

// Token is a service token without its secret.
type Token struct {
	ID          uuid.UUID  `json:"id"`
	TenantID    uuid.UUID  `json:"tenant_id"`
	PrincipalID uuid.UUID  `json:"principal_id"`
	Name        string     `json:"name"`
	Purpose     Purpose    `json:"purpose"`
	Scopes      Scopes     `json:"scopes"`
	Actions     Actions    `json:"actions"` // null permits every action
	CreatedAt   time.Time  `json:"created_at"`
	ExpiresAt   time.Time  `json:"expires_at"`
	RevokedAt   *time.Time `json:"revoked_at"`
	LastUsedAt  *time.Time `json:"last_used_at"` // accurate to about a minute
}

// Purpose is how a token is accepted.
type Purpose string

// The purposes.
const (
	ForServices Purpose = "service" // as a bearer token
	ForSessions Purpose = "session" // in the cookie of a session
)

// State returns "active", "revoked" or "expired".
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

// MaxTokenLifetime is the maximum lifetime of a service token.
const MaxTokenLifetime = 366 * 24 * time.Hour

const maxTokenNameRunes = 100

// NewToken describes a service token to create.
type NewToken struct {
	TenantID    uuid.UUID
	PrincipalID uuid.UUID     // the principal that the token acts as
	Name        string        // 1 to 100 characters
	Scopes      []string      // scopes of Fanfare; may be empty
	Actions     []string      // patterns of the actions that it may record with ScopeWrite; empty permits all
	Lifetime    time.Duration // from 1 second to MaxTokenLifetime; required
}

// Validate reports every violation at once, as an [invalid.Error]. Its fields are called "tenant",
// "principal", "name", "scope", "actions" and "expires_in", as the flags of the command are.
func (n NewToken) Validate() error {
	var fields []invalid.Field
	add := func(name, value, rule string) {
		fields = append(fields, invalid.Field{Name: name, Value: value, Rule: rule})
	}
	if n.TenantID == uuid.Nil {
		add("tenant", "", "is required")
	}
	if n.PrincipalID == uuid.Nil {
		add("principal", "", "is required")
	}
	length := utf8.RuneCountInString(n.Name)
	if length == 0 || length > maxTokenNameRunes || !utf8.ValidString(n.Name) ||
		strings.ContainsFunc(n.Name, isControl) {
		add("name", "", fmt.Sprintf("must be 1 to %d characters without control characters", maxTokenNameRunes))
	}
	for _, scope := range n.Scopes {
		if len(knownScopes([]string{scope})) == 0 {
			add("scope", scope, "must be "+ScopeList)
		}
	}
	if pattern, rule := Actions(n.Actions).violation(); rule != "" {
		add("actions", pattern, rule)
	} else if len(n.Actions) > 0 && !slices.Contains(n.Scopes, ScopeWrite) {
		add("actions", "", "requires the scope "+ScopeWrite)
	}
	if n.Lifetime < time.Second || n.Lifetime > MaxTokenLifetime {
		add("expires_in", n.Lifetime.String(),
			fmt.Sprintf("must be from 1s to %d days", MaxTokenLifetime/(24*time.Hour)))
	}
	if len(fields) == 0 {
		return nil
	}
	return &invalid.Error{Subject: "service token", Fields: fields}
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
