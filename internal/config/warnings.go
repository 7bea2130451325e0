package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
)

// The shortest prefixes of networks that are not warned of: a gateway has a few addresses.
const (
	minIPv4Bits = 8
	minIPv6Bits = 32
)

// ServeWarnings returns what the settings of the API allow and few installations need: identity
// headers that others than the gateways may be able to send, and a console without TLS.
func (c *Config) ServeWarnings() []string {
	return append(c.gatewayWarnings(), c.consoleWarnings()...)
}

func (c *Config) consoleWarnings() (warnings []string) {
	if !c.Console {
		return nil
	}
	if isPlain(c.ConsoleURL) {
		warnings = append(warnings, fmt.Sprintf("--console-url %s: links and sessions are sent without TLS, and an "+
			"attacker on the network can use them; serve the console by https", c.ConsoleURL))
	}
	for _, origin := range c.ConsoleOrigins {
		if isPlain(origin) {
			warnings = append(warnings, fmt.Sprintf("--console-origins %s: an attacker on the network can change the "+
				"pages of this origin, which may frame the console; name the origin with https", origin))
		}
	}
	return warnings
}

// isPlain reports whether a URL is one of another machine without TLS.
func isPlain(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" {
		return false
	}
	addr, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() != "localhost" && (err != nil || !addr.IsLoopback())
}

func (c *Config) gatewayWarnings() (warnings []string) {
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
