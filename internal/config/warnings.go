package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
)

// The shortest prefixes of networks that are not warned of: a gateway has a few addresses.
const (
	minIPv4Bits = 8
	minIPv6Bits = 32
)

// ServeWarnings returns what the settings of the API allow and few installations need: identity
// headers that others than the gateways may be able to send.
func (c *Config) ServeWarnings() (warnings []string) {
	if !c.TrustIdentityHeaders {
		return nil
	}
	warn := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	for _, network := range c.TrustedProxies {
		if isWide(network) {
			warn("--trusted-proxies %s includes a large part of all addresses: every host in it can act as any "+
				"principal; name the addresses of the gateways", network)
		}
	}
	if isPublic(c.Listen) {
		warn("--trust-identity-headers with --listen %s: every host that can connect and is in --trusted-proxies can "+
			"act as any principal; listen on an address that only the gateways reach", c.Listen)
	}
	if slices.Contains(c.AllowedHosts, "*") {
		warn("--allowed-hosts *: a web page can act as any principal from the browser of anyone on a trusted network " +
			"(DNS rebinding); name the hosts that the gateways send requests for")
	}
	return warnings
}

// isWide reports whether a network includes more addresses than any operator of gateways has.
func isWide(network netip.Prefix) bool {
	least := minIPv6Bits
	if network.Addr().Is4() {
		least = minIPv4Bits
	}
	return network.Bits() < least
}

// isPublic reports whether others than the hosts of a private network may reach an address to
// listen on.
func isPublic(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return err == nil
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && !addr.IsLoopback() && !addr.IsPrivate() && !addr.IsLinkLocalUnicast()
}
