package identity

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// The headers in which a gateway sends the caller that it has authenticated.
const (
	tenantHeader    = "X-Tenant-Id"
	principalHeader = "X-Principal-Id"
	scopesHeader    = "X-Scopes"
)

// gateways are the peers whose headers are trusted. The zero value trusts none.
type gateways struct {
	networks []netip.Prefix
	hosts    []string // for which requests may be, besides localhost and addresses; "*" for all
}

// defaultProxies returns the loopback networks.
func defaultProxies() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// identify returns the identity in the headers of a request whose immediate peer is a gateway. The
// headers of other peers are ignored.
func (g gateways) identify(r *http.Request) (Identity, error) {
	if !includes(g.networks, r.RemoteAddr) {
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
	case !g.serve(r.Host):
		return Identity{}, refuse(ReasonHost)
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

// includes reports whether a request's RemoteAddr is in one of the networks. A dual-stack listener
// reports IPv4 peers as IPv4-mapped IPv6 addresses (RFC 4291, section 2.5.5.2), which are unmapped.
func includes(networks []netip.Prefix, remote string) bool {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		return false
	}
	addr := peer.Addr().Unmap()
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// serve reports whether a request may be for this host, with or without a port.
func (g gateways) serve(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if _, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil || host == "localhost" {
		return true
	}
	return slices.ContainsFunc(g.hosts, func(allowed string) bool {
		return allowed == "*" || strings.EqualFold(allowed, host)
	})
}

// single returns the value of a header that must not be repeated, or "". Only one of several values
// may come from the gateway.
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

// splitScopes parses scopes that are separated by spaces or commas.
func splitScopes(text string) Scopes {
	return knownScopes(strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' }))
}

// parseID reads a UUID as RFC 9562, section 4, writes it, and none of the other forms that
// uuid.Parse accepts, nor the nil UUID.
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
