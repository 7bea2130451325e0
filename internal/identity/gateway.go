package identity

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// The headers by which a gateway says whom it has authenticated.
const (
	tenantHeader    = "X-Tenant-Id"
	principalHeader = "X-Principal-Id"
	scopesHeader    = "X-Scopes"
)

// gateways are the peers whose headers are believed; the nil ones are none.
type gateways []netip.Prefix

// defaultProxies are the addresses of this machine itself.
func defaultProxies() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// identify reads the headers of a request that comes straight from a gateway. From anyone else they
// are worth nothing.
func (g gateways) identify(r *http.Request) (Identity, error) {
	if !g.include(r.RemoteAddr) {
		return Identity{}, refuse(ReasonMissing)
	}
	tenant, err := single(r.Header, tenantHeader)
	if err != nil {
		return Identity{}, err
	}
	principal, err := single(r.Header, principalHeader)
	if err != nil {
		return Identity{}, err
	}
	scopes, err := single(r.Header, scopesHeader)
	switch {
	case err != nil:
		return Identity{}, err
	case tenant == "" && principal == "":
		return Identity{}, refuse(ReasonMissing)
	}
	id := Identity{Scopes: splitScopes(scopes), Via: ViaGateway}
	if id.TenantID, err = parseID(tenant); err != nil {
		return Identity{}, refuse(ReasonRequest)
	}
	if id.PrincipalID, err = parseID(principal); err != nil {
		return Identity{}, refuse(ReasonRequest)
	}
	return id, nil
}

// include tells whether a request's RemoteAddr is a gateway's. A server that listens on IPv6 and
// IPv4 alike may name an IPv4 peer as an IPv6 one (RFC 4291, section 2.5.5.2); it is the same peer.
func (g gateways) include(remote string) bool {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	addr := peer.Addr().Unmap()
	return slices.ContainsFunc(g, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// single returns a header that may be there once, or "". Of a repeated one, the gateway may have
// set only one.
func single(h http.Header, name string) (string, error) {
	switch values := h[name]; len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	default:
		return "", refuse(ReasonRequest)
	}
}

// splitScopes reads scopes that spaces or commas separate.
func splitScopes(text string) Scopes {
	return knownScopes(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' }))
}

// parseID reads a UUID as RFC 9562, section 4, writes it, and none of the other forms that
// uuid.Parse takes, nor the nil UUID, which means nobody.
func parseID(text string) (uuid.UUID, error) {
	if len(text) != len(uuid.UUID{}.String()) {
		return uuid.Nil, errNotAnID
	}
	id, err := uuid.Parse(text)
	if err != nil || id == uuid.Nil {
		return uuid.Nil, errNotAnID
	}
	return id, nil
}
