package config_test

import (
	"net/netip"
	"testing"

	"github.com/fanfarehq/fanfare/internal/config"
)

func TestServeWarnings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		listen  string
		proxies string
		host    string
		trust   bool
		want    int
	}{
		"headers not trusted":   {":8080", "0.0.0.0/1", "*", false, 0},
		"loopback":              {"127.0.0.1:8080", "127.0.0.0/8", "localhost", true, 0},
		"loopback by name":      {"localhost:8080", "::1/128", "localhost", true, 0},
		"a private address":     {"10.1.2.3:8080", "10.0.0.0/8", "api.example.com", true, 0},
		"half of all addresses": {"127.0.0.1:8080", "0.0.0.0/1", "localhost", true, 1},
		"a wide IPv6 network":   {"127.0.0.1:8080", "2000::/3", "localhost", true, 1},
		"all addresses":         {":8080", "10.1.2.3/32", "localhost", true, 1},
		"all IPv4 addresses":    {"0.0.0.0:8080", "10.1.2.3/32", "localhost", true, 1},
		"all IPv6 addresses":    {"[::]:8080", "10.1.2.3/32", "localhost", true, 1},
		"a public address":      {"203.0.113.9:8080", "10.1.2.3/32", "localhost", true, 1},
		"all three":             {":8080", "128.0.0.0/1", "*", true, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := (&config.Config{
				TrustIdentityHeaders: c.trust, Listen: c.listen, AllowedHosts: []string{c.host},
				TrustedProxies: []netip.Prefix{netip.MustParsePrefix(c.proxies)},
			}).ServeWarnings()
			if len(got) != c.want {
				t.Errorf("got %q, want %d warnings", got, c.want)
			}
		})
	}
}
