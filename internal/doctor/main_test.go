package doctor_test

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/doctor"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// patience bounds each wait of a test.
const patience = 30 * time.Second

func TestMain(m *testing.M) { pgtest.Main(m) }

// startCentrifugo starts one with settings of its own.
func startCentrifugo(t testing.TB, settings map[string]any) *devstack.Centrifugo {
	t.Helper()
	c, err := devstack.StartCentrifugo(t.Context(), devstack.CentrifugoOptions{Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := c.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return c
}

// onDatabase returns options for a database, with a Centrifugo that is not there.
func onDatabase(db *pgtest.DB) doctor.Options {
	return doctor.Options{
		Pool: db.Pool, Connections: 11, SocketURL: "ws://127.0.0.1:1/connection/websocket",
		API: centrifugo.Options{APIURL: "http://127.0.0.1:1/api"},
	}
}

// onCentrifugo returns options for a Centrifugo, with a PostgreSQL that is not there.
func onCentrifugo(t testing.TB, c *devstack.Centrifugo) doctor.Options {
	t.Helper()
	return doctor.Options{
		Pool: openPool(t, "postgres://nobody:hunter2@127.0.0.1:1/none", nil), SocketURL: c.WebSocketURL(),
		API:    centrifugo.Options{APIURL: c.APIURL(), APIKey: c.APIKey()},
		Tokens: centrifugo.TokenOptions{Secret: c.TokenSecret()},
	}
}

// openPool opens a pool with parameters for its sessions.
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

// examine returns the checks by name, and holds the report to what every report keeps.
func examine(t testing.TB, o doctor.Options) checked {
	t.Helper()
	o.Timeout = cmp.Or(o.Timeout, patience) // the machine may be busy
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
			t.Errorf("a secret is shown:\n%s", &asText)
		}
	}
	for _, c := range report.Checks {
		if c.Detail == "" ||
			(c.Status == doctor.Warn || c.Status == doctor.Fail) != (c.Remedy != "") && c.Status != doctor.Skipped {
			t.Errorf("%s is %s: got %q and the remedy %q", c.Name, c.Status, c.Detail, c.Remedy)
		}
	}
	if got, want := report.OK, report.Count(doctor.Fail) == 0; got != want {
		t.Errorf("ok: got %t, want %t", got, want)
	}
	return checked{report, asText.String()}
}

// checked is a report and its text.
type checked struct {
	doctor.Report
	text string
}

// named returns a check.
func (c checked) named(t testing.TB, name string) doctor.Check {
	t.Helper()
	i := slices.IndexFunc(c.Checks, func(c doctor.Check) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("there is no check %s", name)
	}
	return c.Checks[i]
}

// only says that one check of a part (postgres or centrifugo) came to this status, with these words
// in its detail or remedy, and that all others of the part that were made are fine.
func (c checked) only(t testing.TB, name string, status doctor.Status, words ...string) {
	t.Helper()
	got := c.named(t, name)
	if got.Status != status {
		t.Errorf("%s: got %s, want %s", name, got.Status, status)
	}
	for _, word := range words {
		if !strings.Contains(got.Detail+"\n"+got.Remedy, word) {
			t.Errorf("%s: got %q and the remedy %q, want %q in it", name, got.Detail, got.Remedy, word)
		}
	}
	part, _, _ := strings.Cut(name, "-")
	for _, other := range c.Checks {
		if other.Name != name && strings.HasPrefix(other.Name, part) &&
			(other.Status == doctor.Warn || other.Status == doctor.Fail) {
			t.Errorf("%s: got %s (%s), want only %s to be", other.Name, other.Status, other.Detail, name)
		}
	}
	if t.Failed() {
		t.Log("\n" + c.text)
	}
}

func TestAllIsWell(t *testing.T) {
	t.Parallel()
	o := onCentrifugo(t, startCentrifugo(t, nil))
	o.Pool, o.Connections, o.Origins = pgtest.New(t).Pool, 11, []string{"http://localhost:5173"}
	report := examine(t, o)
	for _, c := range report.Checks {
		if c.Status != doctor.OK {
			t.Errorf("%s: got %s (%s), want it to be fine", c.Name, c.Status, c.Detail)
		}
	}
	t.Log("\n" + report.text)
}
