package doctor_test

import (
	"cmp"
	"encoding/json"
	"flag"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/centrifugotest"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/doctor"
	"github.com/fanfarehq/fanfare/internal/nettest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// timeout bounds each wait of a test.
const timeout = 30 * time.Second

// atOnce is the number of tests that run at the same time, unless -parallel is larger. Most of the
// time, they wait for tokens to expire.
const atOnce = 8

func TestMain(m *testing.M) {
	flag.Parse()
	parallel := flag.Lookup("test.parallel")
	if n, err := strconv.Atoi(parallel.Value.String()); err == nil && n < atOnce {
		_ = parallel.Value.Set(strconv.Itoa(atOnce)) // a number is valid
	}
	pgtest.Main(m)
}

// startCentrifugo starts a Centrifugo with additional settings and stops it after the test.
func startCentrifugo(t testing.TB, settings map[string]any) *devstack.Centrifugo {
	t.Helper()
	return centrifugotest.Start(t, devstack.CentrifugoOptions{Settings: settings})
}

// onDatabase returns options for a database and an unreachable Centrifugo.
func onDatabase(t testing.TB, db *pgtest.DB) doctor.Options {
	t.Helper()
	refused := nettest.Refused(t)
	return doctor.Options{
		Pool: db.Pool, Connections: 11, SocketURL: "ws://" + refused + "/connection/websocket",
		API: centrifugo.Options{APIURL: "http://" + refused + "/api"},
	}
}

// onCentrifugo returns options for a Centrifugo and an unreachable PostgreSQL.
func onCentrifugo(t testing.TB, c *devstack.Centrifugo) doctor.Options {
	t.Helper()
	refused := nettest.Refused(t)
	return doctor.Options{
		Pool: openPool(t, "postgres://test:hunter2@"+refused+"/none", nil), SocketURL: c.WebSocketURL(),
		API:    centrifugo.Options{APIURL: c.APIURLs(), APIKey: c.APIKey()},
		Tokens: centrifugo.TokenOptions{Secret: c.TokenSecret()},
	}
}

// openPool opens a pool with parameters for its sessions and closes it after the test.
func openPool(t testing.TB, url string, parameters map[string]string) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 2
	for name, value := range parameters {
		config.ConnConfig.RuntimeParams[name] = value
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// examine runs an examination and checks what holds for every report: it contains no secret, and a
// diagnostic has a remedy if and only if its status asks for one.
func examine(t testing.TB, o doctor.Options) examined {
	t.Helper()
	o.Timeout = cmp.Or(o.Timeout, timeout) // the machine may be busy
	report, err := doctor.Examine(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var asText strings.Builder
	if err := report.WriteText(&asText, false); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{o.API.APIKey, o.Tokens.Secret, o.Pool.Config().ConnConfig.Password} {
		if secret != "" && strings.Contains(asText.String()+string(asJSON), secret) {
			t.Errorf("got a secret:\n%s", &asText)
		}
	}
	for _, c := range report.Diagnostics {
		if c.Detail == "" ||
			(c.Status == doctor.Warn || c.Status == doctor.Fail) != (c.Remedy != "") && c.Status != doctor.Skipped {
			t.Errorf("%s is %s: got %q and the remedy %q", c.ID, c.Status, c.Detail, c.Remedy)
		}
	}
	if got, want := report.OK, report.Count(doctor.Fail) == 0; got != want {
		t.Errorf("ok: got %t, want %t", got, want)
	}
	return examined{report, asText.String()}
}

// examined is a report and its text.
type examined struct {
	doctor.Report
	text string
}

// diagnostic returns the diagnostic of a check.
func (e examined) diagnostic(t testing.TB, id string) doctor.Diagnostic {
	t.Helper()
	i := slices.IndexFunc(e.Diagnostics, func(d doctor.Diagnostic) bool { return d.ID == id })
	if i < 0 {
		t.Fatalf("got no diagnostic %s", id)
	}
	return e.Diagnostics[i]
}

// superuser is the check that warns in tests, since a superuser migrates their databases.
const superuser = "postgres-superuser"

// wantOnly checks that the diagnostic of a server (postgres or centrifugo) has a status, and texts
// in its detail or remedy, and that the server's other diagnostics neither warn nor fail.
func (e examined) wantOnly(t testing.TB, id string, status doctor.Status, texts ...string) {
	t.Helper()
	got := e.diagnostic(t, id)
	if got.Status != status {
		t.Errorf("%s: got %s, want %s", id, got.Status, status)
	}
	for _, text := range texts {
		if !strings.Contains(got.Detail+"\n"+got.Remedy, text) {
			t.Errorf("%s: got %q and the remedy %q, want %q in it", id, got.Detail, got.Remedy, text)
		}
	}
	server, _, _ := strings.Cut(id, "-")
	for _, other := range e.Diagnostics {
		if other.ID != id && other.ID != superuser && strings.HasPrefix(other.ID, server) &&
			(other.Status == doctor.Warn || other.Status == doctor.Fail) {
			t.Errorf("%s: got %s (%s), want only %s to warn or fail", other.ID, other.Status, other.Detail, id)
		}
	}
	if t.Failed() {
		t.Log("\n" + e.text)
	}
}

func TestAllChecksPass(t *testing.T) {
	t.Parallel()
	o := onCentrifugo(t, startCentrifugo(t, nil))
	o.Pool, o.Connections, o.Origins = pgtest.New(t).Pool, 11, []string{"http://localhost:5173"}
	report := examine(t, o)
	for _, c := range report.Diagnostics {
		if c.Status != doctor.OK && c.ID != superuser {
			t.Errorf("%s: got %s (%s), want ok", c.ID, c.Status, c.Detail)
		}
	}
	t.Log("\n" + report.text)
}
