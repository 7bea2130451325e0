package identity

import (
	"net/http"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// ClaimedTenant returns the tenant that the credential of a request names, or uuid.Nil. Nothing is
// verified: it selects where Authenticate verifies the request, and reads the same credential.
func (a *Authenticator) ClaimedTenant(r *http.Request) uuid.UUID {
	token, err := bearer(r.Header)
	switch {
	case err != nil:
		return uuid.Nil
	case token == "":
		return a.claimedWithoutBearer(r)
	case strings.HasPrefix(token, tokenPrefix):
		return tenantOfToken(token)
	}
	return a.tenantOfJWT(token)
}

// claimedWithoutBearer reads the credentials in the order of withoutBearer.
func (a *Authenticator) claimedWithoutBearer(r *http.Request) uuid.UUID {
	if id, err := a.gateways.identify(r); !refusedFor(err, ReasonMissing) {
		return id.TenantID
	}
	if a.sessions != nil {
		if token, err := a.sessions.tokenOf(r); err != nil || token != "" {
			return tenantOfToken(token)
		}
	}
	if a.cookie == "" {
		return uuid.Nil
	}
	token, err := cookieOf(r, a.cookie)
	if err != nil || len(token) > maxTokenBytes {
		return uuid.Nil
	}
	return a.tenantOfJWT(token)
}

func tenantOfToken(token string) uuid.UUID {
	key, _, _ := parseToken(token)
	return key.tenant
}

// tenantOfJWT returns the tenant in the claims of a JWT.
func (a *Authenticator) tenantOfJWT(token string) uuid.UUID {
	if a.jwt == nil {
		return uuid.Nil
	}
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser(jwt.WithStrictDecoding()).ParseUnverified(token, claims); err != nil {
		return uuid.Nil
	}
	tenant, err := a.jwt.tenant.id(claims)
	if err != nil {
		return uuid.Nil
	}
	return tenant
}
