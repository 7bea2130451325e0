package identity

import (
	"net/netip"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Options configure the accepted credentials. The zero value accepts none.
type Options struct {
	// JWT configures the accepted JWTs. The zero value accepts none.
	JWT JWT

	// Tokens are the accepted service tokens. Nil accepts none.
	Tokens *Tokens

	// Sessions are the accepted sessions. Nil accepts none.
	Sessions *Sessions

	// JWTCookie is the name of a cookie that contains a JWT. "" accepts none.
	JWTCookie string

	// TrustHeaders accepts the headers X-Tenant-Id, X-Principal-Id and X-Scopes (separated by
	// spaces or commas) of a trusted proxy instead of a credential. The proxy must set or remove
	// all three; otherwise its clients can impersonate any principal, as can every process on a
	// trusted host.
	TrustHeaders bool
	// TrustedProxies are the networks of the immediate peers whose headers are trusted; default
	// 127.0.0.0/8 and ::1/128. X-Forwarded-For and Forwarded are ignored, and no middleware may
	// copy them to RemoteAddr.
	TrustedProxies []netip.Prefix
	// AllowedHosts are the hosts, without port, for which a request with trusted headers may be;
	// "*" stands for every host. "localhost" and IP addresses always are. A web page of another
	// host, whose name has been made to lead here (DNS rebinding), could otherwise send the headers
	// from the browser of anyone on a trusted network.
	AllowedHosts []string

	// Admits reports whether a tenant is one of those whose JWTs and identity headers are accepted.
	// Nil admits every tenant. [Tokens.For] does the same for service tokens and sessions.
	Admits func(tenant uuid.UUID) bool

	// Now is the clock; default time.Now.
	Now func() time.Time
	// Report is called with errors of Run, one call at a time. Nil ignores them.
	Report func(error)
	// SkippedKey is called once for each key of the issuer's set that cannot verify signatures,
	// with its "kid" and the reason, one call at a time. Nil ignores them.
	SkippedKey func(id, reason string)
}

// Validate reports every violation at once. It reads the files that the options name.
func (o Options) Validate() error {
	_, err := New(o)
	return err
}

// gateways returns the gateways whose headers are trusted.
func (o Options) gateways(invalid *violations) gateways {
	switch {
	case !o.TrustHeaders:
		return gateways{}
	case len(o.TrustedProxies) == 0:
		return gateways{networks: defaultProxies(), hosts: slices.Clone(o.AllowedHosts)}
	}
	for _, p := range o.TrustedProxies {
		switch {
		case !p.IsValid():
			invalid.add("trusted proxy %s: must be a network, such as 10.1.2.0/24", p)
		case p.Bits() == 0:
			invalid.add("trusted proxy %s: must not include every address", p)
		case p.Addr().Is4In6():
			invalid.add("trusted proxy %s: must be written as an IPv4 network", p)
		}
	}
	return gateways{networks: slices.Clone(o.TrustedProxies), hosts: slices.Clone(o.AllowedHosts)}
}
