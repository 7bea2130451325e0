package main

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMistakesInServing starts servers whose settings do not go together.
func TestMistakesInServing(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(strings.Repeat("hunter2", 6)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	private := filepath.Join(t.TempDir(), "private")
	if err := os.WriteFile(private, []byte("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("hunter2", 6)
	enough := map[string]string{
		"FANFARE_DATABASE_URL":            "postgres://u@127.0.0.1:1/d",
		"FANFARE_CENTRIFUGO_TOKEN_SECRET": long,
	}
	for name, c := range map[string]struct {
		environ map[string]string
		args    []string
		want    []string
	}{
		"nobody can authenticate": {
			nil,
			[]string{"--service-tokens=false"},
			[]string{"--service-tokens, FANFARE_SERVICE_TOKENS", "--jwt-issuer", "--jwt-audience", "FANFARE_JWT_SECRET", "--jwt-jwks-url", "--trust-identity-headers"},
		},
		"no secret for tokens": {
			map[string]string{"FANFARE_CENTRIFUGO_TOKEN_SECRET": ""},
			nil,
			[]string{"FANFARE_CENTRIFUGO_TOKEN_SECRET: is not set", "--centrifugo-token-secret-file"},
		},
		"no file with the secret": {
			map[string]string{"FANFARE_CENTRIFUGO_TOKEN_SECRET": ""},
			[]string{"--centrifugo-token-secret-file=/absent/file"},
			[]string{"a setting is wrong", "--centrifugo-token-secret-file", "no such file"},
		},
		"no address":           {nil, []string{"--listen="}, []string{"--listen, FANFARE_LISTEN: is not set: must read host:port"}},
		"a key without issuer": {nil, []string{"--jwt-secret-file", secret}, []string{"2 settings are wrong", "--jwt-issuer", "--jwt-audience"}},
		"an issuer without key": {
			nil,
			[]string{"--jwt-issuer=i", "--jwt-audience=a"},
			[]string{"a setting is wrong", "--jwt-issuer", "must come with one of FANFARE_JWT_SECRET"},
		},
		"two keys": {
			map[string]string{"FANFARE_JWT_SECRET": long},
			[]string{"--jwt-issuer=i", "--jwt-audience=a", "--jwt-jwks-url=https://issuer.example/keys"},
			[]string{"2 settings are wrong", "FANFARE_JWT_SECRET: is \"[redacted]\"", "together with --jwt-jwks-url", "together with FANFARE_JWT_SECRET"},
		},
		"the secret twice": {
			map[string]string{"FANFARE_JWT_SECRET": long, "FANFARE_JWT_SECRET_FILE": secret},
			[]string{"--jwt-issuer=i", "--jwt-audience=a"},
			[]string{"--jwt-secret-file", "together with FANFARE_JWT_SECRET"},
		},
		"a private key": {
			nil,
			[]string{"--jwt-issuer=i", "--jwt-audience=a", "--jwt-public-key-file", private},
			[]string{"--jwt-public-key-file", "holds a private key"},
		},
		"keys over the open net": {
			nil,
			[]string{"--jwt-issuer=i", "--jwt-audience=a", "--jwt-jwks-url=http://user:hunter2@issuer.example/keys?hunter2"},
			[]string{"--jwt-jwks-url", "must"},
		},
		"keys over http": {
			nil,
			[]string{"--jwt-issuer=i", "--jwt-audience=a", "--jwt-jwks-url=http://issuer.example/keys"},
			[]string{"--jwt-jwks-url", "must be https"},
		},
		"one claim for both": {
			nil,
			[]string{"--jwt-tenant-claim=sub"},
			[]string{"--jwt-tenant-claim", "--jwt-principal-claim", "must not be the same"},
		},
		"a gateway everywhere": {nil, []string{"--trust-identity-headers", "--trusted-proxies=::/0"}, []string{"--trusted-proxies", "every address"}},
		"no gateway":           {nil, []string{"--trust-identity-headers", "--trusted-proxies=,"}, []string{"--trusted-proxies"}},
		"a page, not an origin": {
			nil,
			[]string{"--cors-origins=https://app.example.com/"},
			[]string{"--cors-origins", "must be origins"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			environ := maps.Clone(enough)
			maps.Copy(environ, c.environ)
			for _, command := range []string{"serve", "run"} {
				r := fanfare(t, environ, append([]string{command}, c.args...)...)
				if r.code != exitUsage || r.stdout != "" || strings.Contains(r.stderr, "hunter2") {
					t.Errorf(
						"%s: got exit code %d, stdout %q, stderr\n%s\nwant 2, nothing, and no secret",
						command,
						r.code,
						r.stdout,
						r.stderr,
					)
				}
				for _, want := range c.want {
					if !strings.Contains(r.stderr, want) {
						t.Errorf("%s: got\n%s\nwant in it %q", command, r.stderr, want)
					}
				}
			}
		})
	}
}

// TestWorkerNeedsNothingOfServing runs a worker's settings through the rules of others.
func TestWorkerNeedsNothingOfServing(t *testing.T) {
	t.Parallel()
	environ := map[string]string{
		"FANFARE_DATABASE_URL":   "postgres://u@127.0.0.1:1/d",
		"FANFARE_SERVICE_TOKENS": "false",
		"FANFARE_LISTEN":         "nonsense",
	}
	d := startWorker(t, environ)
	d.says(t, "fanfare starts")
	if r := fanfare(t, map[string]string{"FANFARE_DATABASE_URL": environ["FANFARE_DATABASE_URL"]}, "config"); r.code != exitOK {
		t.Errorf("config: got exit code %d with %s, want 0: it does not ask what serve needs", r.code, r.stderr)
	}
}
