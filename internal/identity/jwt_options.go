package identity

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// JWT configures the accepted JWTs: those of one issuer for one audience, verified by the keys of
// exactly one of Secret, PublicKeyFile, JWKSURL and JWKSFile.
type JWT struct {
	// Secret verifies HS256, HS384 and HS512. At least 32 bytes.
	Secret Secret
	// PublicKeyFile is a PEM file with one or more public keys or certificates (RFC 7468). An RSA
	// key verifies RS256 to RS512 and PS256 to PS512, an elliptic-curve key the ES algorithm of
	// its curve, an Ed25519 key EdDSA. The file is read once.
	PublicKeyFile string
	// JWKSURL is the URL of the issuer's key set (RFC 7517). It must be https, unless the host is
	// a loopback address or JWKSAllowHTTP is set. A token with an unknown "kid", or with a
	// signature that is not of the key it names, causes a new fetch, at most every 10 seconds. A
	// token without "kid" is verified against all keys.
	JWKSURL string
	// JWKSFile is a file that contains a key set. It is read again in the same cases as JWKSURL.
	JWKSFile string

	// JWKSAllowHTTP accepts a JWKSURL without TLS. An attacker who controls the network can then
	// forge JWTs.
	JWKSAllowHTTP bool
	// JWKSRefresh is the interval between fetches of the key set: from 1 minute to 24 hours,
	// default 10 minutes.
	JWKSRefresh time.Duration
	// JWKSTimeout is the timeout of one fetch: at most 1 minute, default 5 seconds.
	JWKSTimeout time.Duration
	// Proxy selects an HTTP proxy as http.Transport.Proxy does. Nil uses none.
	Proxy func(*http.Request) (*url.URL, error)

	// Issuer is the required claim "iss", Audience a required element of "aud".
	Issuer, Audience string
	// TenantClaim and PrincipalClaim are the names of the claims with the ids of the tenant and the
	// principal; default "tenant_id" and "sub". A dot selects a nested claim ("app.tenant"), unless
	// a claim has exactly this name ("https://example.com/tenant").
	TenantClaim, PrincipalClaim string
	// ClockSkew is the tolerated difference to the issuer's clock: at most 2 minutes, default 30
	// seconds.
	ClockSkew time.Duration
}

// enabled reports whether JWTs are accepted.
func (o JWT) enabled() bool { return o.Issuer != "" || o.Audience != "" || len(o.sources()) > 0 }

// sources returns the names of the options for keys that are set.
func (o JWT) sources() []string {
	var names []string
	for _, source := range []struct{ name, value string }{
		{"secret", string(o.Secret)},
		{"public key file", o.PublicKeyFile},
		{"JWKS URL", o.JWKSURL},
		{"JWKS file", o.JWKSFile},
	} {
		if source.value != "" {
			names = append(names, source.name)
		}
	}
	return names
}

func (o JWT) withDefaults() JWT {
	o.JWKSRefresh = cmp.Or(o.JWKSRefresh, 10*time.Minute)
	o.JWKSTimeout = cmp.Or(o.JWKSTimeout, 5*time.Second)
	o.TenantClaim = cmp.Or(o.TenantClaim, "tenant_id")
	o.PrincipalClaim = cmp.Or(o.PrincipalClaim, "sub")
	o.ClockSkew = cmp.Or(o.ClockSkew, 30*time.Second)
	return o
}

// validate adds the violations of options with defaults.
func (o JWT) validate(invalid *violations) {
	if names := o.sources(); len(names) != 1 {
		invalid.add("JWT: exactly one of secret, public key file, JWKS URL and JWKS file is required, got %d (%s)",
			len(names), strings.Join(names, ", "))
	}
	if o.Issuer == "" {
		invalid.add("JWT issuer: is required")
	}
	if o.Audience == "" {
		invalid.add("JWT audience: is required, so that tokens for other services are refused")
	}
	for _, claim := range []struct{ name, value string }{{"tenant", o.TenantClaim}, {"principal", o.PrincipalClaim}} {
		if slices.Contains(strings.Split(claim.value, "."), "") {
			invalid.add("JWT %s claim %q: must be a name, or names separated by dots", claim.name, claim.value)
		}
	}
	if o.TenantClaim == o.PrincipalClaim {
		invalid.add("JWT tenant claim %q: must not be the same as the principal claim", o.TenantClaim)
	}
	invalid.duration("JWT clock skew", o.ClockSkew, 0, 2*time.Minute)
	invalid.duration("JWKS refresh", o.JWKSRefresh, time.Minute, 24*time.Hour)
	invalid.duration("JWKS timeout", o.JWKSTimeout, time.Millisecond, time.Minute)
}
