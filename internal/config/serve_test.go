package config

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestServeRules validates settings of the API server that contradict each other.
func TestServeRules(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(strings.Repeat("hunter2", 6)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	private := filepath.Join(t.TempDir(), "private")
	if err := os.WriteFile(private,
		[]byte("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("hunter2", 6)
	required := map[string]string{
		"FANFARE_DATABASE_URL":            "postgres://u@127.0.0.1:1/d",
		"FANFARE_CENTRIFUGO_TOKEN_SECRET": long,
	}
	for name, c := range map[string]struct {
		environ map[string]string
		args    []string
		want    []string
	}{
		"no credential is accepted": {
			nil,
			[]string{"--service-tokens=false"},
			[]string{
				"--service-tokens (FANFARE_SERVICE_TOKENS)", "--jwt-issuer", "--jwt-audience", "FANFARE_JWT_SECRET",
				"--jwt-jwks-url", "--trust-identity-headers",
			},
		},
		"no token secret": {
			map[string]string{"FANFARE_CENTRIFUGO_TOKEN_SECRET": ""},
			nil,
			[]string{"FANFARE_CENTRIFUGO_TOKEN_SECRET: is required", "--centrifugo-token-secret-file"},
		},
		"no such secret file": {
			map[string]string{"FANFARE_CENTRIFUGO_TOKEN_SECRET": ""},
			[]string{"--centrifugo-token-secret-file=/absent/file"},
			[]string{"invalid setting:", "--centrifugo-token-secret-file", "no such file"},
		},
		"no address": {nil, []string{"--listen="}, []string{"--listen (FANFARE_LISTEN): must be host:port"}},
		"a key without issuer": {
			nil, []string{"--jwt-secret-file", secret}, []string{
				"2 invalid settings:", "--jwt-issuer", "--jwt-audience",
			},
		},
		"an issuer without a key": {
			nil,
			[]string{"--jwt-issuer=i", "--jwt-audience=a"},
			[]string{"invalid setting:", "--jwt-issuer", "requires one of FANFARE_JWT_SECRET"},
		},
		"two keys": {
			map[string]string{"FANFARE_JWT_SECRET": long},
			[]string{"--jwt-issuer=i", "--jwt-audience=a", "--jwt-jwks-url=https://issuer.example/keys"},
			[]string{
				"2 invalid settings:", `FANFARE_JWT_SECRET: "[redacted]"`, "together with --jwt-jwks-url",
				"together with FANFARE_JWT_SECRET",
			},
		},
		"the secret twice": {
			map[string]string{"FANFARE_JWT_SECRET": long, "FANFARE_JWT_SECRET_FILE": secret},
			[]string{"--jwt-issuer=i", "--jwt-audience=a"},
			[]string{"--jwt-secret-file", "together with FANFARE_JWT_SECRET"},
		},
		"a private key": {
			nil,
			[]string{"--jwt-issuer=i", "--jwt-audience=a", "--jwt-public-key-file", private},
			[]string{"--jwt-public-key-file", "contains a private key"},
		},
		"a key set URL with a password": {
			nil,
			[]string{
				"--jwt-issuer=i", "--jwt-audience=a", "--jwt-jwks-url=http://user:hunter2@issuer.example/keys?hunter2",
			},
			[]string{"--jwt-jwks-url", "must"},
		},
		"a key set URL without TLS": {
			nil,
			[]string{"--jwt-issuer=i", "--jwt-audience=a", "--jwt-jwks-url=http://issuer.example/keys"},
			[]string{"--jwt-jwks-url", "must be https"},
		},
		"the same claim twice": {
			nil,
			[]string{"--jwt-tenant-claim=sub"},
			[]string{"--jwt-tenant-claim", "--jwt-principal-claim", "must not be the same"},
		},
		"every address is a gateway": {
			nil, []string{
				"--trust-identity-headers", "--trusted-proxies=::/0",
			}, []string{"--trusted-proxies", "every address"},
		},
		"no gateway": {nil, []string{"--trust-identity-headers", "--trusted-proxies=,"}, []string{"--trusted-proxies"}},
		"a URL that is not an origin": {
			nil,
			[]string{"--cors-origins=https://app.example.com/"},
			[]string{"--cors-origins", "list of origins"},
		},
		"a cookie without JWTs": {
			nil, []string{"--session-cookie=app"}, []string{"--session-cookie", "requires JWTs (--jwt-issuer"},
		},
		"the console's cookie": {
			map[string]string{"FANFARE_JWT_SECRET": long},
			[]string{"--jwt-issuer=i", "--jwt-audience=a", "--session-cookie=__Host-fanfare_session"},
			[]string{"--session-cookie", "the console's own cookie"},
		},
		"a cookie's name with a separator": {
			map[string]string{"FANFARE_JWT_SECRET": long},
			[]string{"--jwt-issuer=i", "--jwt-audience=a", "--session-cookie=app;Path"},
			[]string{"--session-cookie", "must be the name of a cookie"},
		},
		"origins without the console": {
			nil,
			[]string{"--console=false", "--console-origins=https://app.example.com"},
			[]string{"--console-origins", "requires --console"},
		},
		"any origin": {nil, []string{"--console-origins=https://*.example.com"}, []string{"--console-origins"}},
		"an origin that ends the policy": {
			nil, []string{"--console-origins=https://a.example;script-src"}, []string{"--console-origins"},
		},
		"a console with a user": {
			nil,
			[]string{"--console-url=https://user@fanfare.example.com/"},
			[]string{"--console-url", "without a user"},
		},
		"a console with a fragment": {
			nil, []string{"--console-url=https://fanfare.example.com/#x"}, []string{"--console-url", "fragment"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			environ := maps.Clone(required)
			maps.Copy(environ, c.environ)
			for command, settings := range map[string][]Setting{"serve": Serve(), "run": Run()} {
				err := loadSettings(t, settings, environ, c.args...).Validate()
				if err == nil || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("%s: got %v, want an error without secrets", command, err)
					continue
				}
				for _, want := range c.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%s: got\n%v\nwant in it %q", command, err, want)
					}
				}
			}
		})
	}
}
