package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// databaseOnly is an environment with the only required setting.
var databaseOnly = map[string]string{"FANFARE_DATABASE_URL": "postgres://h/d"}

// loadAll loads all settings from an environment and a command line.
func loadAll(t testing.TB, environ map[string]string, args ...string) *Loaded {
	t.Helper()
	return loadSettings(t, All(), environ, args...)
}

func loadSettings(t testing.TB, settings []Setting, environ map[string]string, args ...string) *Loaded {
	t.Helper()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	AddFlags(flags, settings)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return Load(settings, flags, func(name string) string { return environ[name] })
}

func TestFlagWinsOverEnvironmentOverDefault(t *testing.T) {
	t.Parallel()
	type value struct {
		Workers int
		Source  Source
	}
	for name, c := range map[string]struct {
		environ map[string]string
		args    []string
		want    value
	}{
		"default":        {nil, nil, value{4, FromDefault}},
		"environment":    {map[string]string{"FANFARE_WORKERS": "7"}, nil, value{7, FromEnvironment}},
		"empty variable": {map[string]string{"FANFARE_WORKERS": ""}, nil, value{4, FromDefault}},
		"flag":           {nil, []string{"--workers", "9"}, value{9, FromFlag}},
		"flag and environment": {
			map[string]string{"FANFARE_WORKERS": "7"}, []string{"--workers=9"}, value{9, FromFlag},
		},
		"flag and wrong environment": {
			map[string]string{"FANFARE_WORKERS": "x"}, []string{"--workers=9"}, value{9, FromFlag},
		},
		"flag that says the default": {
			map[string]string{"FANFARE_WORKERS": "7"}, []string{"--workers=4"}, value{4, FromFlag},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := loadAll(t, c.environ, c.args...)
			if got := (value{l.Workers, l.sources["workers"]}); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestSettingsAreRead(t *testing.T) {
	t.Parallel()
	l := loadAll(t, databaseOnly, "--inbox=false", "--stream-tenants", "--mutations", "a.b, transfer.*",
		"--poll-interval=1s", "--metrics-listen", ":0")
	if err := l.Validate(); err != nil {
		t.Fatal(err)
	}
	if l.Inbox || !l.StreamTenants || l.PollInterval.String() != "1s" {
		t.Errorf("got inbox %v, stream %v, poll %v; want false, true, 1s", l.Inbox, l.StreamTenants, l.PollInterval)
	}
	if diff := cmp.Diff([]string{"a.b", "transfer.*"}, l.Mutations); diff != "" {
		t.Errorf("mutations (-want +got):\n%s", diff)
	}
	if got := loadAll(t, nil, "--mutations=").Mutations; got == nil || len(got) != 0 {
		t.Errorf("no mutations: got %#v, want an empty list, which is not the default", got)
	}
}

func TestValidateReportsEveryInvalidSetting(t *testing.T) {
	t.Parallel()
	invalidValues := map[string]string{
		"database-url":                 "postgres://h:port/d",
		"cells":                        filepath.Join(t.TempDir(), "absent"),
		"cell":                         "EU 1",
		"centrifugo-api-url":           "localhost:8000",
		"centrifugo-api-key":           "two words",
		"centrifugo-api-key-file":      filepath.Join(t.TempDir(), "absent"),
		"workers":                      "none",
		"read-database-url":            "postgres://user:hunter2@host/db postgres://user:hunter2@host:port/db",
		"read-max-lag":                 "1ms",
		"batch-size":                   "0",
		"poll-interval":                "25",
		"publish-timeout":              "1h",
		"max-attempts":                 "-1",
		"wide-audience":                "1.5",
		"inbox":                        "perhaps",
		"stream-tenants":               "2",
		"mutations":                    "resource.created," + strings.Repeat("x", 201),
		"retention-interval":           "1s",
		"channel-user":                 "user:{tenant}",
		"channel-resource":             "resource",
		"channel-tenant":               "",
		"metrics-listen":               "9090",
		"centrifugo-ws-url":            "http://localhost:8000",
		"centrifugo-token-secret":      "short",
		"centrifugo-token-secret-file": filepath.Join(t.TempDir(), "absent"),
		"listen":                       "8080",
		"cors-origins":                 "https://*",
		"rate-limit":                   "0",
		"rate-burst":                   "many",
		"max-streams-per-principal":    "0",
		"max-streams-per-tenant":       "0",
		"max-connections":              "1",
		"realtime-url":                 "http://localhost:8000",
		"max-body-bytes":               "1",
		"query-timeout":                "1h",
		"api-connections":              "0",
		"connection-token-ttl":         "1s",
		"subscription-token-ttl":       "25h",
		"console":                      "maybe",
		"console-url":                  "fanfare.example.com",
		"console-origins":              "https://app.example.com/path",
		"session-cookie":               "a cookie",
		"service-tokens":               "no",
		"jwt-secret":                   "short",
		"jwt-secret-file":              filepath.Join(t.TempDir(), "absent"),
		"jwt-public-key-file":          filepath.Join(t.TempDir(), "absent"),
		"jwt-jwks-url":                 "ftp://issuer.example",
		"jwt-jwks-file":                filepath.Join(t.TempDir(), "absent"),
		"jwt-jwks-allow-http":          "sometimes",
		"jwt-tenant-claim":             "app..tenant",
		"jwt-principal-claim":          "",
		"jwt-clock-skew":               "1h",
		"trust-identity-headers":       "always",
		"trusted-proxies":              "0.0.0.0/0",
		"allowed-hosts":                "api.example.com:8080",
		"system-tenant":                "00000000-0000-0000-0000-000000000000",
		"log-level":                    "loud",
		"log-format":                   "xml",
	}
	var args []string
	environ := map[string]string{}
	for _, s := range All() {
		if s.Flag() == "" {
			environ[s.Variable()] = invalidValues[s.Name]
		} else if value, given := invalidValues[s.Name]; given {
			args = append(args, "--"+s.Name+"="+value)
		}
	}
	var invalid *Error
	err := loadAll(t, environ, args...).Validate()
	if !errors.As(err, &invalid) {
		t.Fatalf("got %v, want an *Error", err)
	}
	var got []string
	for _, p := range invalid.Violations {
		got = append(got, p.Variable)
		if p.Rule == "" || p.Source == FromDefault && p.Value != "" || p.Flag == "" && p.Source != FromEnvironment {
			t.Errorf("%+v: want a rule, the flag and the source", p)
		}
	}
	var want []string
	for _, s := range All() {
		want = append(want, s.Variable())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings reported (-want +got):\n%s", diff)
	}
	text := err.Error()
	for _, want := range []string{
		fmt.Sprintf("%d invalid settings:\n", len(want)),
		`  --workers (FANFARE_WORKERS): "none" from the flag: must be an integer from 1 to 64` + "\n",
		`  --poll-interval (FANFARE_POLL_INTERVAL): "25" from the flag: ` +
			"must be a duration from 1ms to 1m0s, such as 250ms or 2s\n",
		`  --channel-user (FANFARE_CHANNEL_USER): "user:{tenant}" from the flag: must contain {principal}` + "\n",
		`  FANFARE_JWT_SECRET: "[redacted]" from the environment: must be at least 32 bytes long` + "\n",
		"  --jwt-issuer (FANFARE_JWT_ISSUER): is required if JWTs are accepted\n",
		`  --trusted-proxies (FANFARE_TRUSTED_PROXIES): "0.0.0.0/0" from the flag: must be a comma-separated list`,
		"  --channel-tenant (FANFARE_CHANNEL_TENANT): is required\n",
		`  --centrifugo-api-key (FANFARE_CENTRIFUGO_API_KEY): "[redacted]" from the flag: ` +
			"must be printable ASCII without spaces\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("got %s\nwant in it %s", text, want)
		}
	}
}

func TestSettingsThatContradictEachOther(t *testing.T) {
	t.Parallel()
	key := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(key, []byte("k\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"key twice": {
			[]string{"--centrifugo-api-key=k", "--centrifugo-api-key-file=" + key},
			[]string{"--centrifugo-api-key-file", "together with --centrifugo-api-key"},
		},
		"empty file": {
			[]string{"--centrifugo-api-key-file=" + empty},
			[]string{"--centrifugo-api-key-file", "must be a file that is not empty"},
		},
		"one namespace": {
			[]string{"--channel-tenant=user:{tenant}"},
			[]string{"--channel-user, which is also in \"user\"", "--channel-tenant, which is also in"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := loadAll(t, databaseOnly, c.args...).Validate()
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q in it", err, want)
				}
			}
		})
	}
}

func TestInvalidDatabaseURL(t *testing.T) {
	t.Parallel()
	for connection, want := range map[string]string{
		"postgres://u:p@h/d?sslmode=verify-full&sslrootcert=/absent/ca.pem": "no such file",
		"postgres://u:p@h:port/d": "port",
	} {
		err := loadAll(t, nil, "--database-url", connection).Validate()
		if err == nil || !strings.Contains(err.Error(), "must be postgres://") ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want the rule and %q", connection, err, want)
		}
	}
}

func TestKeyFromFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte("  sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := loadAll(t,
		map[string]string{"FANFARE_DATABASE_URL": "postgres://h/d", "FANFARE_CENTRIFUGO_API_KEY_FILE": path})
	if err := l.Validate(); err != nil {
		t.Fatal(err)
	}
	if got := l.APIKey(); got != "sesame" {
		t.Errorf("got key %q, want the file's without its white space", got)
	}
}

// TestDefaults checks that the defaults are valid, and that each is shown as it is written.
func TestDefaults(t *testing.T) {
	t.Parallel()
	if err := loadAll(t, databaseOnly).Validate(); err != nil {
		t.Error(err)
	}
	l := loadAll(t, nil)
	for _, s := range All() {
		if got := s.field.show(&l.Config); got != s.Default {
			t.Errorf("--%s: the default %q is shown as %q", s.Name, s.Default, got)
		}
	}
}
