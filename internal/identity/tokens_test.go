package identity_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// newTokens returns the tokens of a new database, and an authenticator that accepts them.
func newTokens(t testing.TB, c *clock) (*identity.Tokens, *identity.Authenticator, *pgtest.DB) {
	t.Helper()
	db := pgtest.New(t)
	tokens := identity.NewTokens(db.Pool, c.now)
	return tokens, build(t, identity.Options{Tokens: tokens, Now: c.now, Report: func(err error) { t.Error(err) }}), db
}

// create creates a token with a lifetime of an hour.
func create(t testing.TB, tokens *identity.Tokens, who someone, scopes ...string) (string, identity.Token) {
	t.Helper()
	text, token, err := tokens.Create(t.Context(), identity.NewToken{
		TenantID: who.tenant, PrincipalID: who.principal, Name: "importer", Scopes: scopes, Lifetime: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text), token
}

func TestServiceToken(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	tokens, a, _ := newTokens(t, c)
	text, token := create(t, tokens, who, "activity:admin", "activity:admin")
	got := wantSomeone(t, a, withBearer(text), who)
	want := identity.Identity{
		Principal: activity.Principal{TenantID: who.tenant, PrincipalID: who.principal},
		Scopes:    identity.Scopes{"activity:admin"},
		Via:       "token",
		TokenID:   token.ID,
		Expires:   token.ExpiresAt,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("identity (-want +got):\n%s", diff)
	}
	plain, _ := create(t, tokens, who)
	if got := wantSomeone(t, a, withBearer(plain), who); got.Scopes.Has(identity.ScopeRead) {
		t.Errorf("got the scopes %v, want none", got.Scopes)
	}
}

func TestServiceTokenRefused(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	tokens, a, _ := newTokens(t, c)
	text, token := create(t, tokens, who)
	other, _ := create(t, tokens, newSomeone())
	flip := func(at int) string {
		changed := []byte(text)
		if changed[at]++; changed[at] == '9'+1 || changed[at] == 'f'+1 {
			changed[at] = '0'
		}
		return string(changed)
	}
	const idAt = 3 + 32 + 1
	const secretAt = idAt + 32 + 1
	for name, wrong := range map[string]string{
		"truncated by one":        text[:len(text)-1],
		"truncated to the id":     text[:secretAt],
		"without its ids":         "ff_" + text[secretAt:],
		"without its tenant":      "ff_" + text[idAt:],
		"without its id":          text[:idAt] + text[secretAt:],
		"the prefix only":         "ff_",
		"one more":                text + "0",
		"padded":                  text + "=",
		"the id of another":       other[:secretAt] + text[secretAt:],
		"the secret of another":   text[:secretAt] + other[secretAt:],
		"the tenant of another":   other[:idAt] + text[idAt:],
		"another tenant":          flip(5),
		"another id":              flip(idAt),
		"another secret":          flip(secretAt),
		"another end":             flip(len(text) - 1),
		"upper case":              "ff_" + strings.ToUpper(text[3:]),
		"upper-case id":           "ff_" + strings.ToUpper(text[3:secretAt]) + text[secretAt:],
		"another separator":       text[:secretAt-1] + "-" + text[secretAt:],
		"the nil id":              text[:idAt] + strings.Repeat("0", 32) + text[secretAt-1:],
		"the nil tenant":          "ff_" + strings.Repeat("0", 32) + text[idAt-1:],
		"another first separator": text[:idAt-1] + "-" + text[idAt:],
		"a separator moved":       text[:idAt-2] + "_" + text[idAt-2:idAt-1] + text[idAt:],
		"a secret of zeros":       text[:secretAt] + strings.Repeat("0", 64),
		"no hexadecimal":          text[:secretAt] + strings.Repeat("z", 64),
		"its id as UUID":          text[:idAt] + token.ID.String() + "_" + text[secretAt:],
		"a secret of one's own":   text[:secretAt] + strings.Repeat("ab", 32),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantRefused(t, a, withBearer(wrong), identity.ReasonToken)
		})
	}
	wantRefused(t, a, request("Authorization", "Bearer "+text, "Authorization", "Bearer "+text), identity.ReasonRequest)
	wantRefused(t, a, request("X-Api-Key", text), identity.ReasonMissing)
}

func TestServiceTokenExpires(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	tokens, a, _ := newTokens(t, c)
	text, token := create(t, tokens, who)
	c.advance(time.Hour - time.Microsecond)
	wantSomeone(t, a, withBearer(text), who)
	c.advance(time.Microsecond)
	wantRefused(t, a, withBearer(text), identity.ReasonExpired)
	wantRefused(t, a, withBearer(text[:len(text)-1]+"x"),
		identity.ReasonToken) // the state is reported only with the secret
	if got := token.State(c.now()); got != "expired" {
		t.Errorf("state: got %s, want expired", got)
	}
}

func TestServiceTokenRevoked(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	tokens, a, _ := newTokens(t, c)
	text, token := create(t, tokens, who)
	kept, _ := create(t, tokens, who)
	for name, tenant := range map[string]uuid.UUID{"another tenant": uuid.New(), "no tenant": uuid.Nil} {
		if _, err := tokens.Revoke(t.Context(), tenant, token.ID); !errors.Is(err, activity.ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", name, err)
		}
	}
	if _, err := tokens.Revoke(t.Context(), who.tenant, uuid.New()); !errors.Is(err, activity.ErrNotFound) {
		t.Errorf("another token: got %v, want ErrNotFound", err)
	}
	wantSomeone(t, a, withBearer(text), who)

	revoked, err := tokens.Revoke(t.Context(), who.tenant, token.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantRefused(t, a, withBearer(text), identity.ReasonRevoked)
	wantSomeone(t, a, withBearer(kept), who)
	c.advance(time.Minute)
	again, err := tokens.Revoke(t.Context(), who.tenant, token.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(revoked, again); diff != "" {
		t.Errorf("revoked again (-first +again):\n%s", diff)
	}
	if got := again.State(c.now()); got != "revoked" || again.RevokedAt == nil || again.RevokedAt.Equal(c.now()) {
		t.Errorf("got %s at %v, want revoked at the first time", got, again.RevokedAt)
	}
}

func TestListIsOfOneTenant(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	tokens, _, _ := newTokens(t, c)
	_, first := create(t, tokens, who, identity.ScopeRead)
	_, second := create(t, tokens, who)
	create(t, tokens, newSomeone())
	got, err := tokens.List(t.Context(), who.tenant)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]identity.Token{second, first}, got); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
	if got, err := tokens.List(t.Context(), uuid.New()); err != nil || len(got) != 0 {
		t.Errorf("another tenant: got %v, %v, want none", got, err)
	}
}

// The database contains no text from which a token can be restored.
func TestSecretsAreNotStored(t *testing.T) {
	t.Parallel()
	tokens, _, db := newTokens(t, newClock())
	text, _ := create(t, tokens, newSomeone())
	rows, err := db.Pool.Query(t.Context(),
		`SELECT to_jsonb(t)::text || encode(hash, 'escape') || encode(hash, 'base64') FROM fanfare.service_tokens t`)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(kept) != 1 {
		t.Fatalf("got %d rows, %v, want 1", len(kept), err)
	}
	if secret := text[len(text)-64:]; strings.Contains(kept[0], secret) {
		t.Errorf("the database contains the secret: %s", kept[0])
	}
	again, _ := create(t, tokens, newSomeone())
	if again[len(again)-64:] == text[len(text)-64:] {
		t.Error("two tokens have one secret")
	}
}

func TestLookupsUseAnIndex(t *testing.T) {
	t.Parallel()
	_, _, db := newTokens(t, newClock())
	_, err := db.Pool.Exec(t.Context(), `
		INSERT INTO fanfare.service_tokens (id, tenant_id, principal_id, created_at, expires_at, name, scopes, hash)
		SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), now(), now() + interval '1 hour', 'n', '{}',
			sha256(int4send(i))
		FROM generate_series(1, 20000) AS i`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Pool.Exec(t.Context(), `ANALYZE fanfare.service_tokens`); err != nil {
		t.Fatal(err)
	}
	for _, where := range []string{`id = $1`, `tenant_id = $1`, `tenant_id = $1 AND id = $1`} {
		rows, _ := db.Pool.Query(t.Context(), `EXPLAIN SELECT * FROM fanfare.service_tokens WHERE `+where, uuid.New())
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(plan[0], "Index") && !strings.Contains(plan[0], "Bitmap") {
			t.Errorf("%s: got the plan %s, want an index", where, plan[0])
		}
	}
}

func TestNewTokenReportsEveryViolation(t *testing.T) {
	t.Parallel()
	tokens, _, db := newTokens(t, newClock())
	_, _, err := tokens.Create(t.Context(),
		identity.NewToken{Name: "a\nb", Scopes: []string{"activity:*"}, Lifetime: 367 * 24 * time.Hour})
	for _, want := range []string{"tenant", "principal", "name", "activity:*", "expires_in"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
	right := identity.NewToken{TenantID: uuid.New(), PrincipalID: uuid.New(), Name: "n", Lifetime: time.Hour}
	for name, change := range map[string]func(*identity.NewToken){
		"no name":           func(n *identity.NewToken) { n.Name = "" },
		"a long name":       func(n *identity.NewToken) { n.Name = strings.Repeat("é", 101) },
		"no text":           func(n *identity.NewToken) { n.Name = "\xff" },
		"NUL":               func(n *identity.NewToken) { n.Name = "a\x00" },
		"no lifetime":       func(n *identity.NewToken) { n.Lifetime = 0 },
		"a past":            func(n *identity.NewToken) { n.Lifetime = -time.Hour },
		"more than a year":  func(n *identity.NewToken) { n.Lifetime = identity.MaxTokenLifetime + 1 },
		"a scope with more": func(n *identity.NewToken) { n.Scopes = []string{"activity:read activity:admin"} },
	} {
		wrong := right
		change(&wrong)
		if _, _, err := tokens.Create(t.Context(), wrong); err == nil {
			t.Errorf("%s: got a token, want an error", name)
		}
	}
	longest := right
	longest.Lifetime, longest.Name = identity.MaxTokenLifetime, strings.Repeat("é", 100)
	if _, _, err := tokens.Create(t.Context(), longest); err != nil {
		t.Errorf("maximum lifetime and name: got %v, want no error", err)
	}
	var count int
	if err := db.Pool.QueryRow(t.Context(), `SELECT count(*) FROM fanfare.service_tokens`).Scan(&count); err != nil ||
		count != 1 {
		t.Errorf("got %d tokens, %v, want the valid one", count, err)
	}
}

// A constraint of the database limits the lifetime of a token to a year.
func TestDatabaseRefusesLongLifetimes(t *testing.T) {
	t.Parallel()
	_, _, db := newTokens(t, newClock())
	const insert = `
		INSERT INTO fanfare.service_tokens (id, tenant_id, principal_id, created_at, expires_at, name, scopes, hash)
		VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), now(), now() + $1::interval, 'n', '{}',
			sha256(''))`
	for lifetime, accepted := range map[string]bool{
		"8784 hours": true, "8785 hours": false, "0": false, "-1 hour": false, "infinity": false,
	} {
		_, err := db.Pool.Exec(t.Context(), insert, lifetime)
		if (err == nil) != accepted {
			t.Errorf("%s: got %v, want accepted %t", lifetime, err, accepted)
		}
	}
}

// lastUse returns the time at which a token was last used.
func lastUse(t testing.TB, tokens *identity.Tokens, token identity.Token) *time.Time {
	t.Helper()
	all, err := tokens.List(t.Context(), token.TenantID)
	if err != nil {
		t.Fatal(err)
	}
	for _, each := range all {
		if each.ID == token.ID {
			return each.LastUsedAt
		}
	}
	t.Fatalf("token %s is not listed", token.ID)
	return nil
}

// runOnce runs the authenticator's background tasks once; at their end, uses are stored.
func runOnce(t testing.TB, a *identity.Authenticator) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestLastUse(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	tokens, a, _ := newTokens(t, c)
	text, token := create(t, tokens, who)
	idle, idleToken := create(t, tokens, who)
	use := func() *time.Time {
		wantSomeone(t, a, withBearer(text), who)
		runOnce(t, a)
		return lastUse(t, tokens, token)
	}
	first := c.now()
	wantSomeone(t, a, withBearer(text), who)
	if got := lastUse(t, tokens, token); got != nil {
		t.Errorf("before it is stored: got %v, want nil", got)
	}
	if got := use(); got == nil || !got.Equal(first) {
		t.Errorf("got %v, want %s", got, first)
	}
	c.advance(59 * time.Second)
	if got := use(); got == nil || !got.Equal(first) {
		t.Errorf("within the minute: got %v, want %s", got, first)
	}
	c.advance(time.Second)
	if got := use(); got == nil || !got.Equal(c.now()) {
		t.Errorf("after the minute: got %v, want %s", got, c.now())
	}
	// A refused request does not count as a use.
	wantRefused(t, a, withBearer(idle[:len(idle)-1]+"x"), identity.ReasonToken)
	if _, err := tokens.Revoke(t.Context(), who.tenant, idleToken.ID); err != nil {
		t.Fatal(err)
	}
	wantRefused(t, a, withBearer(idle), identity.ReasonRevoked)
	runOnce(t, a)
	if got := lastUse(t, tokens, idleToken); got != nil {
		t.Errorf("a refused token: got last used at %v, want never", got)
	}
}

// Several processes store the uses of many tokens concurrently.
func TestLastUseByMany(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	tokens, _, db := newTokens(t, c)
	var texts []string
	var made []identity.Token
	for range 20 {
		text, token := create(t, tokens, who)
		texts, made = append(texts, text), append(made, token)
	}
	failures := make(chan error, 100)
	var all sync.WaitGroup
	for range 4 {
		a := build(
			t,
			identity.Options{
				Tokens: identity.NewTokens(db.Pool, c.now),
				Now:    c.now,
				Report: func(err error) { failures <- err },
			},
		)
		all.Go(func() {
			for _, text := range texts {
				if _, err := a.Authenticate(withBearer(text)); err != nil {
					failures <- err
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			failures <- a.Run(ctx)
		})
	}
	all.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			t.Error(err)
		}
	}
	for _, token := range made {
		if got := lastUse(t, tokens, token); got == nil || !got.Equal(c.now()) {
			t.Errorf("got %v, want %s", got, c.now())
		}
	}
}

// While the database is unavailable, no token is refused, and uses are kept for later.
func TestDatabaseUnavailable(t *testing.T) {
	t.Parallel()
	c, who := newClock(), newSomeone()
	server, db := pgtest.NewCluster(t)
	tokens := identity.NewTokens(db.Pool, c.now)
	var reported []error
	a := build(t,
		identity.Options{Tokens: tokens, Now: c.now, Report: func(err error) { reported = append(reported, err) }})
	text, token := create(t, tokens, who)
	wantSomeone(t, a, withBearer(text), who)
	if err := server.Kill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := wantUnavailable(t, a, withBearer(text)); strings.Contains(err.Error(), text[len(text)-64:]) {
		t.Errorf("the error shows the secret: %v", err)
	}
	runOnce(t, a)
	if len(reported) != 1 {
		t.Errorf("got the reports %v, want one", reported)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	db.Pool.Reset()
	runOnce(t, a)
	if got := lastUse(t, tokens, token); got == nil || !got.Equal(c.now()) {
		t.Errorf("got last used at %v, want %s", got, c.now())
	}
}
