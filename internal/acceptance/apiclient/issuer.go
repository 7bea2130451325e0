package apiclient

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/identity"
)

const (
	issuerName = "fanfare-acceptance"
	audience   = "fanfare"
)

// Issuer signs the JWTs of an application whose users request the API.
type Issuer struct {
	Secret string // the HMAC key
}

// NewIssuer returns an issuer with a random secret.
func NewIssuer() Issuer { return Issuer{rand.Text() + rand.Text()} }

// JWT returns the options with which an API accepts the issuer's tokens.
func (i Issuer) JWT() identity.JWT {
	return identity.JWT{Secret: identity.Secret(i.Secret), Issuer: issuerName, Audience: audience}
}

// Token returns a JWT of a principal that is valid for lifetime.
func (i Issuer) Token(p activity.Principal, lifetime time.Duration, scopes ...string) (string, error) {
	now := time.Now()
	claims := jwt.MapClaims{
		"iss": issuerName, "aud": audience, "iat": now.Unix(), "exp": now.Add(lifetime).Unix(),
		"tenant_id": p.TenantID, "sub": p.PrincipalID,
	}
	if len(scopes) > 0 {
		claims["scope"] = strings.Join(scopes, " ")
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(i.Secret))
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return token, nil
}
