package config_test

import (
	"net/netip"
	"testing"

	"github.com/fanfarehq/fanfare/internal/config"
)

func TestConsoleWarnings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		disabled bool
		url      string
		origins  []string
		want     int
	}{
		"defaults":      {false, "", nil, 0},
		"TLS":           {false, "https://fanfare.example.com/console/", []string{"https://app.example.com"}, 0},
		"this machine":  {false, "http://127.0.0.1:8080", []string{"http://localhost:3000", "http://[::1]:3000"}, 0},
		"no TLS":        {false, "http://fanfare.example.com", nil, 1},
		"another host":  {false, "http://10.1.2.3", []string{"http://app.example.com", "https://app.example.com"}, 2},
		"localhost.com": {false, "http://localhost.example.com", nil, 1},
		"disabled":      {true, "http://fanfare.example.com", nil, 0},
	} {
		got := (&config.Config{Console: !c.disabled, ConsoleURL: c.url, ConsoleOrigins: c.origins}).ServeWarnings()
		if len(got) != c.want {
			t.Errorf("%s: got %q, want %d warnings", name, got, c.want)
		}
	}
}

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
