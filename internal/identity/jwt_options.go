package identity

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// JWT says which JWTs are accepted: those of one issuer for one audience, verified by exactly one
// of Secret, PublicKeyFile, JWKSURL and JWKSFile.
type JWT struct {
	// Secret verifies HS256, HS384 and HS512. At least 32 bytes.
	Secret Secret
	// PublicKeyFile is a PEM file with one or more public keys or certificates (RFC 7468). An RSA
	// key verifies RS256 to RS512 and PS256 to PS512, an elliptic one the ES algorithm of its
	// curve, an Ed25519 one EdDSA. It is read once.
	PublicKeyFile string
	// JWKSURL is where the issuer publishes its key set (RFC 7517). It must be https, unless the
	// host is this machine or JWKSAllowHTTP is set. A token that names a key which is not in the
	// set has it read again, at most every 10 seconds; a token without "kid" is tried against all
	// keys.
	JWKSURL string
	// JWKSFile is a file that holds a key set. It is read again as a URL is.
	JWKSFile string

	// JWKSAllowHTTP accepts a JWKSURL that is not encrypted. Whoever can change what passes on the
	// way there can then be anyone.
	JWKSAllowHTTP bool
	// JWKSRefresh is the time between two looks at the key set; default 10 minutes, from 1 minute
	// to 24 hours.
	JWKSRefresh time.Duration
	// JWKSTimeout bounds one look; default 5 seconds, at most 1 minute.
	JWKSTimeout time.Duration
	// Proxy, when set, chooses an HTTP proxy as http.Transport.Proxy does.
	Proxy func(*http.Request) (*url.URL, error)

	// Issuer and Audience are what "iss" must be and "aud" must hold.
	Issuer, Audience string
	// TenantClaim and PrincipalClaim name the claims that hold the two ids; default "tenant_id" and
	// "sub". A dot leads into an object ("app.tenant"), unless there is a claim of that very name
	// ("https://example.com/tenant").
	TenantClaim, PrincipalClaim string
	// ClockSkew is how far the issuer's clock may be off; default 30 seconds, at most 2 minutes.
	ClockSkew time.Duration
}

// wanted tells whether any JWT is to be accepted.
func (o JWT) wanted() bool { return o.Issuer != "" || o.Audience != "" || len(o.sources()) > 0 }

// sources names what verifies tokens.
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

// check adds what is wrong with the options, of which withDefaults filled in the zero ones.
func (o JWT) check(wrong *mistakes) {
	if names := o.sources(); len(names) != 1 {
		wrong.add(
			"JWT: needs exactly one of secret, public key file, JWKS URL and JWKS file, has %d (%s)",
			len(names),
			strings.Join(names, ", "),
		)
	}
	if o.Issuer == "" {
		wrong.add("JWT issuer: must be set")
	}
	if o.Audience == "" {
		wrong.add("JWT audience: must be set, or tokens meant for other services are accepted")
	}
	for _, claim := range []struct{ name, value string }{{"tenant", o.TenantClaim}, {"principal", o.PrincipalClaim}} {
		if slices.Contains(strings.Split(claim.value, "."), "") {
			wrong.add("JWT %s claim %q: must be a name, or names with dots between", claim.name, claim.value)
		}
	}
	if o.TenantClaim == o.PrincipalClaim {
		wrong.add("JWT tenant claim %q: must not be the principal claim too", o.TenantClaim)
	}
	wrong.duration("JWT clock skew", o.ClockSkew, 0, 2*time.Minute)
	wrong.duration("JWKS refresh", o.JWKSRefresh, time.Minute, 24*time.Hour)
	wrong.duration("JWKS timeout", o.JWKSTimeout, time.Millisecond, time.Minute)
}
