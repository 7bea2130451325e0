package main

import (
	"maps"
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/internal/nettest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestPasswordIsNotShown runs every command that reads a connection string with valid and invalid
// ones.
func TestPasswordIsNotShown(t *testing.T) {
	t.Parallel()
	refused := nettest.Refused(t)
	const password = "hunter2"
	keywords := "host=" + strings.Replace(refused, ":", " port=", 1)
	for name, connection := range map[string]string{
		"refused":                     "postgres://u:hunter2@" + refused + "/d",
		"unknown host":                "postgres://u:hunter2@host.invalid/d",
		"in the query":                "postgres://u@" + refused + "/d?password=hunter2",
		"bad port":                    "postgres://u:hunter2@127.0.0.1:port/d",
		"slash in it":                 "postgres://u:hun/hunter2@127.0.0.1/d",
		"at in it":                    "postgres://u:x@hunter2@" + refused + "/d",
		"port and database":           "postgres://u:5/hunter2@" + refused + "/d",
		"question mark and parameter": "postgres://u:5?dbname=hunter2@" + refused + "/d",
		"hash in it":                  "postgres://u:#hunter2@" + refused + "/d",
		"bad escape":                  "postgres://u:%zzhunter2@" + refused + "/d",
		"space in it":                 "postgres://u:hunter2 hunter2@" + refused + "/d",
		"bad sslmode":                 "postgres://u:hunter2@" + refused + "/d?sslmode=hunter2",
		"control character":           "postgres://u:hunter2\n@" + refused + "/d",
		"keywords":                    keywords + " user=u password=hunter2 dbname=d",
		"quoted":                      keywords + " user=u password='hunter2 hunter2' dbname=d",
		"unbalanced quote":            keywords + " user=u password='hunter2 dbname=d",
		"other scheme":                "mysql://u:hunter2@127.0.0.1/d",
		"no scheme":                   "u:hunter2@127.0.0.1/d",
		"nothing but itself":          "hunter2",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, command := range []string{
				"config", "config --json", "migrate status", "migrate up", "outbox status", "outbox dead --json",
				"outbox replay --all",
			} {
				r := fanfare(t, map[string]string{"FANFARE_DATABASE_URL": connection}, strings.Fields(command)...)
				if strings.Contains(r.stdout+r.stderr, password) {
					t.Errorf("fanfare %s shows the password:\n%s%s", command, r.stdout, r.stderr)
				}
				if !strings.HasPrefix(command, "config") && r.code == exitOK {
					t.Errorf("fanfare %s: got exit code 0, want a failure", command)
				}
			}
		})
	}
}

func TestWorkerLogsNoSecrets(t *testing.T) {
	t.Parallel()
	refused := nettest.Refused(t)
	d := startWorker(t, map[string]string{
		"FANFARE_DATABASE_URL":       "postgres://u:hunter2@" + refused + "/d?application_name=x",
		"FANFARE_CENTRIFUGO_API_URL": "http://user:hunter2@" + refused + "/api?key=hunter2",
		"FANFARE_CENTRIFUGO_API_KEY": "hunter2",
		"FANFARE_LOG_LEVEL":          "debug",
	})
	d.says(t, "Centrifugo at", "is unreachable")
	d.says(t, "PostgreSQL is unreachable")
	d.says(t, "the outbox is unavailable")
	d.finish(t)
	if log := d.log.String(); strings.Contains(log, "hunter2") {
		t.Errorf("the log shows a secret:\n%s", log)
	}
}

// TestDaemonsShowNoSecrets sets every secret, with unavailable servers, and checks logs, outputs
// and errors.
func TestDaemonsShowNoSecrets(t *testing.T) {
	t.Parallel()
	refused := nettest.Refused(t)
	long := strings.Repeat("hunter2", 6)
	environ := map[string]string{
		"FANFARE_DATABASE_URL":            "postgres://u:hunter2@" + refused + "/d?application_name=x",
		"FANFARE_CENTRIFUGO_API_URL":      "http://user:hunter2@" + refused + "/api?key=hunter2",
		"FANFARE_CENTRIFUGO_API_KEY":      "hunter2",
		"FANFARE_CENTRIFUGO_WS_URL":       "ws://" + refused + "/connection/websocket?key=hunter2",
		"FANFARE_CENTRIFUGO_TOKEN_SECRET": long,
		"FANFARE_JWT_ISSUER":              "i",
		"FANFARE_JWT_AUDIENCE":            "a",
		"FANFARE_LISTEN":                  "127.0.0.1:0",
		"FANFARE_LOG_LEVEL":               "debug",
	}
	secrets := map[string]map[string]string{
		"HMAC": {"FANFARE_JWT_SECRET": long},
		"JWKS": {"FANFARE_JWT_JWKS_URL": "http://" + refused + "/keys?key=hunter2"},
	}
	for name, more := range secrets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			environ := maps.Clone(environ)
			maps.Copy(environ, more)
			for _, args := range [][]string{
				{"config"}, {"config", "--json"}, {"config", "--markdown"}, {"run", "--help"}, {"run", "--workers=x"},
			} {
				if r := fanfare(t, environ, args...); strings.Contains(r.stdout+r.stderr, "hunter2") {
					t.Errorf("%v shows a secret:\n%s%s", args, r.stdout, r.stderr)
				}
			}
			d := startDaemon(t, environ, "run")
			d.says(t, "PostgreSQL is unreachable")
			d.says(t, "streams: Centrifugo is unavailable")
			ids := strings.Repeat("_"+strings.Repeat("0123456789abcdef", 2), 2)
			bearer := "ff" + ids + "_" + strings.Repeat("hunter2", 9) + "x"
			for _, token := range []string{bearer, "hunter2.hunter2.hunter2"} {
				_ = d.api(t).bearing(token).do(t, "GET", "/notifications", "")
			}
			d.finish(t)
			if log := d.log.String(); strings.Contains(log, "hunter2") {
				t.Errorf("the log shows a secret:\n%s", log)
			}
		})
	}
}

func TestInvalidPassword(t *testing.T) {
	t.Parallel()
	_, db := pgtest.NewCluster(t) // it requires its password
	connection := strings.Replace(db.URL, db.Pool.Config().ConnConfig.Password, "hunter2", 1)
	r := fanfare(t, map[string]string{"FANFARE_DATABASE_URL": connection}, "migrate", "status")
	if r.code != exitFailure || !strings.Contains(r.stderr, "password authentication failed") ||
		!strings.Contains(r.stderr, "--database-url") {
		t.Errorf("got exit code %d and %q, want 1 and the remedy", r.code, r.stderr)
	}
	if strings.Contains(r.stderr, "hunter2") {
		t.Errorf("the error shows the password: %s", r.stderr)
	}
}
