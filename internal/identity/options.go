package identity

import (
	"net/netip"
	"slices"
	"time"
)

// Options say which credentials are accepted. The zero value accepts none.
type Options struct {
	// JWT accepts JWTs; its zero value accepts none.
	JWT JWT

	// Tokens accepts the service tokens that it holds; nil accepts none.
	Tokens *Tokens

	// TrustHeaders accepts the headers X-Tenant-Id, X-Principal-Id and X-Scopes (separated by
	// spaces or commas) in place of a credential. Whoever reaches the server through a trusted
	// proxy that does not set or remove all three is then whoever they say they are, and so is
	// every process on a machine that is trusted.
	TrustHeaders bool
	// TrustedProxies are the immediate peers whose headers count; default 127.0.0.0/8 and ::1/128.
	// What such a peer says of those behind it (X-Forwarded-For, Forwarded) is never looked at, so
	// nothing may put it into RemoteAddr.
	TrustedProxies []netip.Prefix

	// Now is the clock; default time.Now.
	Now func() time.Time
	// Report gets what went wrong in the background, one call at a time; nil drops it.
	Report func(error)
}

// Validate reports every mistake at once. It reads the files that the options name.
func (o Options) Validate() error {
	_, err := New(o)
	return err
}

// gateways returns the peers that are to be believed.
func (o Options) gateways(wrong *mistakes) gateways {
	if !o.TrustHeaders {
		return nil
	}
	if len(o.TrustedProxies) == 0 {
		return defaultProxies()
	}
	for _, p := range o.TrustedProxies {
		switch {
		case !p.IsValid():
			wrong.add("trusted proxy %s: must be a network, such as 10.1.2.0/24", p)
		case p.Bits() == 0:
			wrong.add("trusted proxy %s: is every address there is", p)
		case p.Addr().Is4In6():
			wrong.add("trusted proxy %s: must be written as an IPv4 network", p)
		}
	}
	return slices.Clone(o.TrustedProxies)
}
