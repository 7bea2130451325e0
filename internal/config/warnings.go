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

// ServeWarnings returns what is accepted and yet likely a mistake in the settings of the API.
func (c *Config) ServeWarnings() (warnings []string) {
	if !c.TrustIdentityHeaders {
		return nil
	}
	for _, network := range c.TrustedProxies {
		if bits := network.Bits(); network.Addr().Is4() && bits < minIPv4Bits || network.Addr().Is6() && bits < minIPv6Bits {
			warnings = append(warnings, fmt.Sprintf("--trusted-proxies %s includes a large part of all addresses: "+
				"every host in it can act as any principal; name the addresses of the gateways", network))
		}
	}
	if isPublic(c.Listen) {
		warnings = append(warnings, fmt.Sprintf("--trust-identity-headers with --listen %s: every host that can connect "+
			"and is in --trusted-proxies can act as any principal; listen on an address that only the gateways reach",
			c.Listen))
	}
	if slices.Contains(c.AllowedHosts, "*") {
		warnings = append(warnings, "--allowed-hosts *: a web page can act as any principal from the browser of anyone "+
			"on a trusted network (DNS rebinding); name the hosts that the gateways send requests for")
	}
	return warnings
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
