package api_test

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/identity"
)

// TestPrintedRecording runs the command of docs/recording/README.md as the page prints it, twice.
func TestPrintedRecording(t *testing.T) {
	t.Parallel()
	var tokens *identity.Tokens
	w := newWorld(t, func(o *api.Options) {
		tokens = identity.NewTokens(o.Pool, nil)
		var err error
		if o.Authenticator, err = identity.New(identity.Options{Tokens: tokens}); err != nil {
			t.Fatal(err)
		}
	})
	secret, _, err := tokens.Create(t.Context(), identity.NewToken{
		TenantID: w.here.id, PrincipalID: uuid.New(), Name: "shop", Lifetime: time.Hour,
		Scopes: []string{identity.ScopeWrite}, Actions: []string{"order.*"},
	})
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/recording/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "## Over HTTP")
	_, command, found := strings.Cut(section, "```sh\n")
	command, _, closed := strings.Cut(command, "```")
	if !found || !closed {
		t.Fatal("the page has no command")
	}
	server := httptest.NewServer(w.server.Handler())
	t.Cleanup(server.Close)
	run := func() (got recordings) {
		shell := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", command)
		shell.Env = append(os.Environ(), "API="+server.URL+"/v1", "TOKEN="+string(secret))
		out, err := shell.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return got
	}
	if got := run(); len(got.IDs) != 2 || len(got.Existing) != 0 {
		t.Errorf("got %+v, want two new activities", got)
	}
	if got := run(); len(got.IDs) != 2 || len(got.Existing) != 2 {
		t.Errorf("again: got %+v, want two existing activities", got)
	}
	if n := w.count(`SELECT count(*) FROM fanfare.activities WHERE tenant_id = $1 AND resource_type = 'order'`,
		w.here.id); n != 2 {
		t.Errorf("got %d activities, want 2", n)
	}
}
