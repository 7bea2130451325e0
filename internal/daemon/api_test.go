package daemon

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/spf13/pflag"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/identity"
)

// TestTrustedProxies sends identity headers from several addresses.
func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		from string
		want bool
	}{
		"localhost":            {[]string{"--trust-identity-headers"}, "127.0.0.1:1", true},
		"localhost by IPv6":    {[]string{"--trust-identity-headers"}, "[::1]:1", true},
		"another host":         {[]string{"--trust-identity-headers"}, "10.1.2.3:1", false},
		"headers not accepted": {nil, "127.0.0.1:1", false},
		"the gateway": {
			[]string{"--trust-identity-headers", "--trusted-proxies", "10.1.2.3"}, "10.1.2.3:1", true,
		},
		"not the gateway": {
			[]string{"--trust-identity-headers", "--trusted-proxies", "10.1.2.3"}, "10.1.2.4:1", false,
		},
		"localhost, not a gateway": {
			[]string{"--trust-identity-headers", "--trusted-proxies", "10.1.2.3"}, "127.0.0.1:1", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings, flags := config.Serve(), pflag.NewFlagSet("test", pflag.ContinueOnError)
			config.AddFlags(flags, settings)
			if err := flags.Parse(c.args); err != nil {
				t.Fatal(err)
			}
			loaded := config.Load(settings, flags, func(string) string { return "" })
			d := &Daemon{config: &loaded.Config, log: zap.NewNop()}
			authenticator, err := identity.New(d.identityOptions())
			if err != nil {
				t.Fatal(err)
			}
			request := httptest.NewRequest(http.MethodGet, "/v1/notifications", nil)
			request.RemoteAddr, request.Host = c.from, "localhost:8080"
			request.Header.Set("X-Tenant-Id", "0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f")
			request.Header.Set("X-Principal-Id", "0192d3c1-6b7a-7f00-9d1e-3c4d5e6f7a8b")
			if _, err := authenticator.Authenticate(request); (err == nil) != c.want {
				t.Errorf("got %v, want success %v", err, c.want)
			}
		})
	}
}
