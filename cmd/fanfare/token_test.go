package main

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/nettest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestToken creates, uses, lists and revokes a token.
func TestToken(t *testing.T) {
	t.Parallel()
	db, centrifugo := pgtest.New(t), startCentrifugo(t)
	w := newWorld(t, db)
	tenant := []string{"--tenant", w.tenant.String()}
	create := append(
		[]string{
			"token",
			"create",
			"--principal",
			w.owner.String(),
			"--name",
			"reports",
			"--scope",
			"activity:read",
			"--scope",
			"activity:admin",
		},
		tenant...)
	r := fanfare(t, w.environ(), create...)
	if r.code != exitOK || !regexp.MustCompile(`^ff(_[0-9a-f]{32}){2}_[0-9a-f]{64}\n$`).MatchString(r.stdout) {
		t.Fatalf("create: got exit code %d and %q, want 0 and a token on a line\n%s", r.code, r.stdout, r.stderr)
	}
	token := strings.TrimSpace(r.stdout)
	if strings.Contains(r.stderr, token) || !strings.Contains(r.stderr, "shown only once") {
		t.Errorf("create: got the note %q, want it without the token", r.stderr)
	}

	table := must(t, w.environ(), append([]string{"token", "list"}, tenant...)...)
	list := must(t, w.environ(), append([]string{"token", "list", "--json"}, tenant...)...)
	for _, secret := range []string{token, token[len(token)-64:]} {
		if strings.Contains(table+list, secret) {
			t.Errorf("list shows the secret:\n%s%s", table, list)
		}
	}
	var tokens []identity.Token
	if err := json.Unmarshal([]byte(list), &tokens); err != nil || len(tokens) != 1 {
		t.Fatalf("list: got %v and %s, want one token", err, list)
	}
	made := tokens[0]
	if made.TenantID != w.tenant || made.PrincipalID != w.owner || made.Name != "reports" || len(made.Scopes) != 2 ||
		made.RevokedAt != nil {
		t.Errorf("list: got %+v", made)
	}
	if lasts := made.ExpiresAt.Sub(made.CreatedAt); lasts != 90*24*time.Hour {
		t.Errorf("got a lifetime of %v, want 90 days", lasts)
	}
	if !strings.Contains(table, made.ID.String()) || !strings.Contains(table, "active") ||
		!strings.Contains(r.stderr, made.ID.String()) {
		t.Errorf("the table and the note do not contain %s:\n%s%s", made.ID, table, r.stderr)
	}
	if other := must(t, w.environ(), "token", "list", "--tenant", uuid.NewString()); other != "No service tokens.\n" {
		t.Errorf("another tenant's list: got %s", other)
	}

	d := startDaemon(t, environment(db, centrifugo), "serve")
	service := d.api(t).bearing(token)
	if got := service.do(t, http.MethodGet, "/outbox", ""); got.status != http.StatusOK {
		t.Errorf("with the token: got status %d with %s, want 200", got.status, got.body)
	}
	revoke := []string{"token", "revoke", made.ID.String()}
	if r := fanfare(t, w.environ(), append(revoke, "--tenant", uuid.NewString())...); r.code != exitFailure ||
		!strings.Contains(r.stderr, "not found") {
		t.Errorf("revoke as another tenant: got exit code %d and %q, want 1 and not found", r.code, r.stderr)
	}
	if out := must(t, w.environ(), append(revoke, tenant...)...); !strings.Contains(out, "was revoked at") {
		t.Errorf("revoke: got %q", out)
	}
	if got := service.do(t, http.MethodGet, "/outbox", ""); got.status != http.StatusUnauthorized {
		t.Errorf("with the revoked token: got status %d with %s, want 401", got.status, got.body)
	}
	if log := d.log.String(); strings.Contains(log, token) {
		t.Errorf("the log shows the token:\n%s", log)
	}
	if table := must(t, w.environ(), append([]string{"token", "list"}, tenant...)...); !strings.Contains(table,
		"revoked") {
		t.Errorf("list after the revocation: got\n%s", table)
	}
}

func TestTokenAsJSON(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	r := fanfare(t, w.environ(), "token", "create", "--tenant", w.tenant.String(), "--principal", w.owner.String(),
		"--name", "n", "--expires-in", "12h", "--json")
	var made struct {
		Text string `json:"token"`
		identity.Token
	}
	if err := json.Unmarshal([]byte(r.stdout), &made); err != nil || r.code != exitOK || r.stderr != "" ||
		!strings.Contains(r.stdout, `"scopes": []`) {
		t.Fatalf("got exit code %d, %v, stdout %q, stderr %q", r.code, err, r.stdout, r.stderr)
	}
	if lasts := made.ExpiresAt.Sub(made.CreatedAt); !strings.HasPrefix(made.Text, "ff_") || lasts != 12*time.Hour ||
		len(made.Scopes) != 0 {
		t.Errorf("got %+v, want a lifetime of 12 hours and no scopes", made)
	}
}

func TestTokenUsage(t *testing.T) {
	t.Parallel()
	refused := nettest.Refused(t)
	environ := map[string]string{"FANFARE_DATABASE_URL": "postgres://u@" + refused + "/d"}
	ids := " --tenant 0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f --principal 0192d3c1-6b7a-7f00-9d1e-3c4d5e6f7a8b"
	for _, c := range []struct{ line, want string }{
		{"create", "--tenant is required; --principal is required; --name must be"},
		{"create" + ids + " --name n --expires-in 400d", "must be from 1s to 366 days"},
		{"create" + ids + " --name n --expires-in soon", "must be a duration, such as 12h or 90d"},
		{"create" + ids + " --name n --expires-in -1h", "must be from 1s to 366 days"},
		{"create" + ids, "--name must be 1 to 100 characters"},
		{
			"create" + ids + " --name n --scope activity:all",
			`--scope "activity:all" must be activity:read, activity:write, activity:admin or installation:read`,
		},
		{"create" + ids + " --name n --actions order.*", "--actions requires the scope activity:write"},
		{
			"create" + ids + " --name n --scope activity:write --actions order.*,",
			"--actions must be a pattern of 1 to 200 bytes",
		},
		{"create" + ids + " --name n now", "unknown command"},
		{"list", "--tenant is required"},
		{"list --tenant acme", `invalid argument "acme" for "--tenant" flag: must be a UUID`},
		{"revoke", "exactly one argument is required: the id of the token"},
		{"revoke x --tenant acme", `invalid argument "acme"`},
		{"revoke x", `token "x": must be a UUID`},
		{"revoke 0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f", "--tenant is required"},
	} {
		t.Run(c.line, func(t *testing.T) {
			t.Parallel()
			r := fanfare(t, environ, append([]string{"token"}, strings.Fields(c.line)...)...)
			if r.code != exitUsage || r.stdout != "" || !strings.Contains(r.stderr, c.want) {
				t.Errorf("got exit code %d, stdout %q, stderr %q; want %d, nothing and %q", r.code, r.stdout, r.stderr,
					exitUsage, c.want)
			}
		})
	}
}

// TestTokenActions limits a token to some actions, which the list shows.
func TestTokenActions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	tenant := []string{"--tenant", w.tenant.String()}
	create := []string{"token", "create", "--principal", w.owner.String(), "--name", "shop"}
	create = append(create, "--scope", "activity:write", "--actions", "order.*,cart.*")
	must(t, w.environ(), append(create, tenant...)...)
	table := must(t, w.environ(), append([]string{"token", "list"}, tenant...)...)
	if !strings.Contains(table, "ACTIONS") || !strings.Contains(table, "order.*,cart.*") {
		t.Errorf("got\n%s\nwant the patterns", table)
	}
	list := must(t, w.environ(), append([]string{"token", "list", "--json"}, tenant...)...)
	var tokens []identity.Token
	if err := json.Unmarshal([]byte(list), &tokens); err != nil || len(tokens) != 1 || len(tokens[0].Actions) != 2 {
		t.Errorf("got %v and %s, want one token with two patterns", err, list)
	}
}
