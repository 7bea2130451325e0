package identity

import (
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// Options say which credentials are accepted. The zero value accepts none.
type Options struct {
	// JWT accepts JWTs; its zero value accepts none.
	JWT JWT

	// Tokens accepts the service tokens that it holds; nil accepts none.
	Tokens *Tokens

	// TrustHeaders accepts the headers X-Tenant-Id, X-Principal-Id and X-Scopes (separated by spaces or commas) in
	// place of a credential. Whoever reaches the server through a trusted proxy that does not set or remove all three
	// is then whoever they say they are.
	TrustHeaders bool
	// TrustedProxies are the immediate peers whose headers count; default 127.0.0.0/8 and ::1/128. What such a peer
	// says of those behind it (X-Forwarded-For, Forwarded) is never looked at.
	TrustedProxies []netip.Prefix

	// Now is the clock; default time.Now.
	Now func() time.Time
}

// JWT says which JWTs are accepted: those of one issuer for one audience, verified by exactly one of Secret,
// PublicKeyFile, JWKSURL and JWKSFile.
type JWT struct {
	// Secret verifies HS256, HS384 and HS512. At least 32 bytes.
	Secret Secret
	// PublicKeyFile is a PEM file with one or more public keys or certificates (RFC 7468). An RSA key verifies RS256 to
	// RS512 and PS256 to PS512, an elliptic one the ES algorithm of its curve, an Ed25519 one EdDSA.
	PublicKeyFile string
	// JWKSURL is where the issuer publishes its key set (RFC 7517). It must be https, unless the host is this machine
	// or JWKSAllowHTTP is set.
	JWKSURL string
	// JWKSFile is a file that holds a key set. It is read again as a URL is.
	JWKSFile string

	// JWKSAllowHTTP accepts a JWKSURL that is not encrypted. Whoever can change what passes on the way there can then
	// be anyone.
	JWKSAllowHTTP bool
	// JWKSRefresh is the time between two looks at the key set; default 10 minutes, from 1 minute to 24 hours.
	JWKSRefresh time.Duration
	// JWKSTimeout bounds one look; default 5 seconds, at most 1 minute.
	JWKSTimeout time.Duration
	// Proxy, when set, chooses an HTTP proxy as http.Transport.Proxy does.
	Proxy func(*http.Request) (*url.URL, error)

	// Issuer and Audience are what "iss" must be and "aud" must hold.
	Issuer, Audience string
	// TenantClaim and PrincipalClaim name the claims that hold the two ids; default "tenant_id" and "sub". A dot leads
	// into an object ("app.tenant"), unless there is a claim of that very name ("https://example.com/tenant").
	TenantClaim, PrincipalClaim string
	// ClockSkew is how far the issuer's clock may be off; default 30 seconds, at most 2 minutes.
	ClockSkew time.Duration
}

// Validate reports every mistake at once.
func (o Options) Validate() error {
	_, err := New(o)
	return err
}
