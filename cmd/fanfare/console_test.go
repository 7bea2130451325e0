package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestConsoleLink signs in to a daemon with a link, lists the session and revokes it.
func TestConsoleLink(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	w := newWorld(t, db)
	ids := []string{"--tenant", w.tenant.String(), "--principal", w.owner.String()}
	r := fanfare(t, w.environ(), append([]string{
		"console", "link", "--scope", "activity:admin", "--scope", "installation:read",
	}, ids...)...)
	pattern := regexp.MustCompile(`^http://127\.0\.0\.1:8080/console/#code=([A-Z2-7]{52})\n$`)
	found := pattern.FindStringSubmatch(r.stdout)
	if r.code != exitOK || found == nil || !strings.Contains(r.stderr, "works once, until ") {
		t.Fatalf("got exit code %d, %q and %q, want a link on a line", r.code, r.stdout, r.stderr)
	}
	if strings.Contains(r.stderr, found[1]) {
		t.Errorf("the note contains the code: %s", r.stderr)
	}

	d := startDaemon(t, environment(db, centrifugo), "serve")
	anyone := d.api(t)
	body := fmt.Sprintf(`{"code":%q}`, found[1])
	answer := anyone.send(t, http.MethodPost, "/session", body)
	_ = answer.Body.Close()
	cookie, _, _ := strings.Cut(answer.Header.Get("Set-Cookie"), ";")
	if answer.StatusCode != http.StatusNoContent || !strings.HasPrefix(cookie, "fanfare_session=ff_") {
		t.Fatalf("got %s with %v, want a session", answer.Status, answer.Header)
	}
	browser := anyone.with("Cookie", cookie).with("Sec-Fetch-Site", "same-origin")
	if got := browser.do(t, http.MethodGet, "/outbox", ""); got.status != http.StatusOK {
		t.Errorf("with the session: got %d with %s, want 200", got.status, got.body)
	}
	if got := anyone.do(t, http.MethodPost, "/session", body); got.status != http.StatusUnauthorized {
		t.Errorf("the code again: got %d with %s, want 401", got.status, got.body)
	}
	table := must(t, w.environ(), "token", "list", "--tenant", w.tenant.String())
	if !strings.Contains(table, "PURPOSE") || !strings.Contains(table, "console   session") {
		t.Errorf("got\n%s\nwant the session", table)
	}
	id := regexp.MustCompile(`[0-9a-f-]{36}`).FindString(table)
	must(t, w.environ(), "token", "revoke", id, "--tenant", w.tenant.String())
	if got := browser.do(t, http.MethodGet, "/me", ""); got.status != http.StatusUnauthorized {
		t.Errorf("with the revoked session: got %d with %s, want 401", got.status, got.body)
	}
	secret := cookie[len(cookie)-64:]
	if log := d.log.String(); strings.Contains(log, found[1]) || strings.Contains(log, secret) {
		t.Errorf("the log contains the code or the session:\n%s", log)
	}
}

// TestConsoleIsServed requests the console from a daemon with and without it.
func TestConsoleIsServed(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	newWorld(t, db)
	with := startDaemon(t, environment(db, centrifugo), "serve", "--console-origins", "https://app.example.com").api(t)
	with.base = strings.TrimSuffix(with.base, "/v1")
	config := with.do(t, http.MethodGet, "/console/config.json", "")
	if config.status != http.StatusOK || !strings.Contains(config.body, `"origins":["https://app.example.com"]`) ||
		!strings.Contains(config.body, `"service_token","session"]`) {
		t.Errorf("got %d with %s, want the configuration", config.status, config.body)
	}
	answer := with.send(t, http.MethodGet, "/console/", "")
	_ = answer.Body.Close()
	policy := answer.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "connect-src 'self' ws://") ||
		!strings.Contains(policy, "frame-ancestors https://app.example.com;") {
		t.Errorf("Content-Security-Policy: got %q", policy)
	}
	without := startDaemon(t, environment(db, centrifugo), "serve", "--console=false").api(t)
	if got := without.do(t, http.MethodPost, "/session", `{"code":"A"}`); got.status != http.StatusServiceUnavailable {
		t.Errorf("without the console: got %d with %s, want 503", got.status, got.body)
	}
	without.base = strings.TrimSuffix(without.base, "/v1")
	if got := without.do(t, http.MethodGet, "/console/", ""); got.status != http.StatusNotFound {
		t.Errorf("without the console: got %d with %s, want 404", got.status, got.body)
	}
}

func TestConsoleLinkAsJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	r := fanfare(t, w.environ(), "console", "link", "--tenant-id", w.tenant.String(), "--principal-id",
		w.owner.String(), "--scopes", "activity:read", "--lifetime", "1h", "--json",
		"--console-url", "https://fanfare.example.com/console")
	var link consoleLink
	if err := json.Unmarshal([]byte(r.stdout), &link); err != nil || r.code != exitOK || r.stderr != "" {
		t.Fatalf("got exit code %d, %v, stdout %q, stderr %q", r.code, err, r.stdout, r.stderr)
	}
	if !strings.HasPrefix(link.URL, "https://fanfare.example.com/console/#code=") || link.PrincipalID != w.owner ||
		link.Lifetime != "1h0m0s" || !link.Scopes.Has("activity:read") ||
		time.Until(link.ExpiresAt) > 5*time.Minute || time.Until(link.ExpiresAt) < 4*time.Minute {
		t.Errorf("got %+v", link)
	}
}

func TestConsoleLinkUsage(t *testing.T) {
	t.Parallel()
	environ := map[string]string{"FANFARE_DATABASE_URL": "postgres://u@127.0.0.1:1/d"}
	ids := " --tenant 0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f --principal 0192d3c1-6b7a-7f00-9d1e-3c4d5e6f7a8b"
	for _, c := range []struct{ line, want string }{
		{"link", "--tenant is required; --principal is required"},
		{"link" + ids + " --scope activity:all", `--scope "activity:all" must be activity:read`},
		{"link" + ids + " --expires-in 13h", `--expires-in "13h0m0s" must be from 1m0s to 12h0m0s`},
		{"link" + ids + " --console-url console", "--console-url (FANFARE_CONSOLE_URL)"},
		{"link" + ids + " now", "unknown command"},
	} {
		t.Run(c.line, func(t *testing.T) {
			t.Parallel()
			r := fanfare(t, environ, append([]string{"console"}, strings.Fields(c.line)...)...)
			if r.code != exitUsage || r.stdout != "" || !strings.Contains(r.stderr, c.want) {
				t.Errorf("got exit code %d, stdout %q, stderr %q; want %d, nothing and %q", r.code, r.stdout, r.stderr,
					exitUsage, c.want)
			}
		})
	}
}
