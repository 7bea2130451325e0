package main

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

// loadWith reads all settings from a command line and an environment.
func loadWith(t testing.TB, environ map[string]string, args ...string) *loaded {
	t.Helper()
	settings := everySetting()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	addFlags(flags, settings)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return load(settings, flags, process{environ: entries(environ)}.getenv)
}

func TestFlagWinsOverEnvironmentOverDefault(t *testing.T) {
	t.Parallel()
	type value struct {
		Workers int
		Source  source
	}
	for name, c := range map[string]struct {
		environ map[string]string
		args    []string
		want    value
	}{
		"default":                    {nil, nil, value{4, fromDefault}},
		"environment":                {map[string]string{"FANFARE_WORKERS": "7"}, nil, value{7, fromEnvironment}},
		"empty variable":             {map[string]string{"FANFARE_WORKERS": ""}, nil, value{4, fromDefault}},
		"flag":                       {nil, []string{"--workers", "9"}, value{9, fromFlag}},
		"flag and environment":       {map[string]string{"FANFARE_WORKERS": "7"}, []string{"--workers=9"}, value{9, fromFlag}},
		"flag and wrong environment": {map[string]string{"FANFARE_WORKERS": "x"}, []string{"--workers=9"}, value{9, fromFlag}},
		"flag that says the default": {map[string]string{"FANFARE_WORKERS": "7"}, []string{"--workers=4"}, value{4, fromFlag}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := loadWith(t, c.environ, c.args...)
			if got := (value{l.Workers, l.sources["workers"]}); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestSettingsAreRead(t *testing.T) {
	t.Parallel()
	l := loadWith(
		t,
		map[string]string{"FANFARE_DATABASE_URL": "postgres://h/d"},
		"--inbox=false",
		"--stream-tenants",
		"--mutations",
		"a.b, transfer.*",
		"--poll-interval=1s",
		"--metrics-listen",
		":0",
	)
	if err := l.Validate(); err != nil {
		t.Fatal(err)
	}
	if l.Inbox || !l.StreamTenants || l.PollInterval.String() != "1s" {
		t.Errorf("got inbox %v, stream %v, poll %v; want false, true, 1s", l.Inbox, l.StreamTenants, l.PollInterval)
	}
	if diff := cmp.Diff([]string{"a.b", "transfer.*"}, l.Mutations); diff != "" {
		t.Errorf("mutations (-want +got):\n%s", diff)
	}
	if got := loadWith(t, nil, "--mutations=").Mutations; got == nil || len(got) != 0 {
		t.Errorf("no mutations: got %#v, want an empty list, which is not the default", got)
	}
}

func TestEveryWrongSettingIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	wrong := map[string]string{
		"database-url":                 "postgres://h:port/d",
		"centrifugo-api-url":           "localhost:8000",
		"centrifugo-api-key":           "two words",
		"centrifugo-api-key-file":      filepath.Join(t.TempDir(), "absent"),
		"workers":                      "none",
		"batch-size":                   "0",
		"poll-interval":                "25",
		"publish-timeout":              "1h",
		"max-attempts":                 "-1",
		"wide-audience":                "1.5",
		"inbox":                        "perhaps",
		"stream-tenants":               "2",
		"mutations":                    "resource.created,Transfer?",
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
		"max-body-bytes":               "1",
		"query-timeout":                "1h",
		"api-connections":              "0",
		"connection-token-ttl":         "1s",
		"subscription-token-ttl":       "25h",
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
		"system-tenant":                "00000000-0000-0000-0000-000000000000",
		"log-level":                    "loud",
		"log-format":                   "xml",
	}
	var args []string
	environ := map[string]string{}
	for _, s := range everySetting() {
		if s.field.noFlag {
			environ[s.variable()] = wrong[s.name]
		} else if value, given := wrong[s.name]; given {
			args = append(args, "--"+s.name+"="+value)
		}
	}
	var config *ConfigError
	err := loadWith(t, environ, args...).Validate()
	if !errors.As(err, &config) {
		t.Fatalf("got %v, want a ConfigError", err)
	}
	var got []string
	for _, p := range config.Problems {
		got = append(got, p.Variable)
		if p.Rule == "" || p.Source == fromDefault && p.Value != "" || p.Name == "" && p.Source != fromEnvironment {
			t.Errorf("%+v: want a rule, the flag and the source", p)
		}
	}
	var want []string
	for _, s := range everySetting() {
		want = append(want, s.variable())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("settings reported (-want +got):\n%s", diff)
	}
	r := fanfare(t, environ, append([]string{"run"}, args...)...)
	if r.code != exitUsage || r.stdout != "" {
		t.Errorf("got exit code %d, stdout %q; want %d and nothing", r.code, r.stdout, exitUsage)
	}
	for _, want := range []string{
		fmt.Sprintf("fanfare: %d settings are wrong:\n", len(want)),
		`  --workers, FANFARE_WORKERS: is "none" (flag): must be a whole number from 1 to 64` + "\n",
		`  --poll-interval, FANFARE_POLL_INTERVAL: is "25" (flag): must be a duration from 1ms to 1m0s, such as 250ms or 2s` + "\n",
		`  --channel-user, FANFARE_CHANNEL_USER: is "user:{tenant}" (flag): needs {principal}` + "\n",
		`  FANFARE_JWT_SECRET: is "[redacted]" (environment): must be at least 32 bytes long` + "\n",
		`  --jwt-issuer, FANFARE_JWT_ISSUER: is not set: must be set where JWTs are accepted` + "\n",
		`  --trusted-proxies, FANFARE_TRUSTED_PROXIES: is "0.0.0.0/0" (flag): must be networks such as 10.1.2.0/24` + ", ",
		`  --channel-tenant, FANFARE_CHANNEL_TENANT: is not set: must not be empty` + "\n",
		`  --centrifugo-api-key, FANFARE_CENTRIFUGO_API_KEY: is "[redacted]" (flag): must be printable ASCII without spaces` + "\n",
	} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("got %s\nwant in it %s", r.stderr, want)
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
		"key twice":     {[]string{"--centrifugo-api-key=k", "--centrifugo-api-key-file=" + key}, []string{"--centrifugo-api-key-file", "together with --centrifugo-api-key"}},
		"empty file":    {[]string{"--centrifugo-api-key-file=" + empty}, []string{"--centrifugo-api-key-file", "must be a file that is not empty"}},
		"one namespace": {[]string{"--channel-tenant=user:{tenant}"}, []string{`--channel-user has "user" too`, `--channel-tenant has "user" too`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := loadWith(t, map[string]string{"FANFARE_DATABASE_URL": "postgres://h/d"}, c.args...).Validate()
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %q in it", err, want)
				}
			}
		})
	}
}

func TestReasonAgainstDatabaseURL(t *testing.T) {
	t.Parallel()
	for connection, want := range map[string]string{
		"postgres://u:p@h/d?sslmode=maybe":                                  "sslmode is invalid",
		"postgres://u:p@h/d?sslmode=verify-full&sslrootcert=/absent/ca.pem": "no such file",
		"postgres://u:p@h:port/d":                                           "port",
	} {
		err := loadWith(t, nil, "--database-url", connection).Validate()
		if err == nil || !strings.Contains(err.Error(), "must read postgres://") ||
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
	l := loadWith(
		t,
		map[string]string{"FANFARE_DATABASE_URL": "postgres://h/d", "FANFARE_CENTRIFUGO_API_KEY_FILE": path},
	)
	if err := l.Validate(); err != nil {
		t.Fatal(err)
	}
	if got := l.apiKey(); got != "sesame" {
		t.Errorf("got key %q, want the file's without its white space", got)
	}
	if out := must(t, map[string]string{"FANFARE_DATABASE_URL": "postgres://h/d", "FANFARE_CENTRIFUGO_API_KEY_FILE": path}, "config"); strings.Contains(
		out,
		"sesame",
	) {
		t.Errorf("the key is shown:\n%s", out)
	}
}

// TestDefaults holds each default to its own rule: all may be left alone but the database.
func TestDefaults(t *testing.T) {
	t.Parallel()
	if err := loadWith(t, map[string]string{"FANFARE_DATABASE_URL": "postgres://h/d"}).Validate(); err != nil {
		t.Error(err)
	}
	l := loadWith(t, nil)
	for _, s := range everySetting() {
		if got := s.field.show(&l.Config); got != s.initial {
			t.Errorf("--%s: the default %q reads back as %q", s.name, s.initial, got)
		}
	}
}
