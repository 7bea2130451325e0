package demo

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
)

// loginLifetime outlasts a demo that is kept for a working day.
const loginLifetime = 24 * time.Hour

// Whose tokens they are, and for whom.
const (
	loginIssuer   = "fanfare-demo"
	loginAudience = "fanfare"
)

// login is the sample application's: it says who people are, by JWTs that the API believes. Its
// secret is of this run.
type login struct {
	secret string
}

func newLogin() login { return login{rand.Text() + rand.Text()} }

// accepted says to the API whose tokens to believe.
func (l login) accepted() identity.JWT {
	return identity.JWT{Secret: identity.Secret(l.secret), Issuer: loginIssuer, Audience: loginAudience}
}

// token returns what a principal shows to the API.
func (l login) token(tenant, principal uuid.UUID, scopes ...string) (string, error) {
	now := time.Now()
	claims := jwt.MapClaims{
		"iss": loginIssuer, "aud": loginAudience, "iat": now.Unix(), "exp": now.Add(loginLifetime).Unix(),
		"tenant_id": tenant, "sub": principal,
	}
	if len(scopes) > 0 {
		claims["scope"] = strings.Join(scopes, " ")
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(l.secret))
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return token, nil
}
