package identity_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/identity"
)

// The creation and the revocation of a token are each recorded once, without the secret.
func TestTokensAreRecorded(t *testing.T) {
	t.Parallel()
	who, actor := newSomeone(), uuid.New()
	tokens, _, db := newTokens(t, newClock())
	text, token := create(t, tokens, who, identity.ScopeRead)
	for range 2 {
		if _, err := tokens.Revoke(activity.WithActor(t.Context(), actor), who.tenant, token.ID); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tokens.Revoke(t.Context(), who.tenant, uuid.New()); !errors.Is(err, activity.ErrNotFound) {
		t.Errorf("an unknown token: got %v, want ErrNotFound", err)
	}
	found, _, err := pglog.New(db.Pool).
		List(t.Context(), who.tenant, activity.OfEntity("service_token", token.ID), activity.Page{})
	if err != nil || len(found) != 2 {
		t.Fatalf("got %+v, %v; want two activities", found, err)
	}
	for i, want := range []struct {
		action  string
		actor   uuid.UUID
		payload map[string]any
	}{
		{"token.revoked", actor, map[string]any{"token_id": token.ID.String()}},
		{"token.created", activity.System, map[string]any{
			"token_id": token.ID.String(), "scopes": []any{"activity:read"},
			"expires_at": token.ExpiresAt.Format(time.RFC3339Nano),
		}},
	} {
		a := found[i]
		if a.Action != want.action || a.ActorPrincipalID != want.actor || a.OwnerID != who.principal ||
			a.ResourceName != "importer" ||
			a.Visibility != activity.Private {
			t.Errorf("got %+v, want %s by %s", a, want.action, want.actor)
		}
		var payload map[string]any
		if err := json.Unmarshal(a.Payload, &payload); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.payload, payload); diff != "" {
			t.Errorf("%s: payload (-want +got):\n%s", a.Action, diff)
		}
	}
	var rows string
	if err := db.Pool.QueryRow(t.Context(),
		`SELECT json_agg(a)::text FROM fanfare.activities AS a`).Scan(&rows); err != nil {
		t.Fatal(err)
	}
	if secret := text[len(text)-32:]; strings.Contains(rows, secret) {
		t.Errorf("the log contains the secret %s: %s", secret, rows)
	}
}

// A token whose activity cannot be recorded is not created or revoked.
func TestTokenThatCannotBeRecorded(t *testing.T) {
	t.Parallel()
	who := newSomeone()
	tokens, _, db := newTokens(t, newClock())
	_, token := create(t, tokens, who)
	for _, sql := range []string{
		`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'on purpose'; END $$`,
		`CREATE TRIGGER fail BEFORE INSERT ON fanfare.outbox FOR EACH ROW EXECUTE FUNCTION fail()`,
	} {
		if _, err := db.Pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	text, _, err := tokens.Create(t.Context(), identity.NewToken{
		TenantID: who.tenant, PrincipalID: who.principal, Name: "x", Lifetime: time.Hour,
	})
	if err == nil || text != "" {
		t.Errorf("Create: got %v, want an error and no token", err)
	}
	if _, err := tokens.Revoke(t.Context(), who.tenant, token.ID); err == nil {
		t.Error("Revoke: got no error")
	}
	list, err := tokens.List(t.Context(), who.tenant)
	if err != nil || len(list) != 1 || list[0].RevokedAt != nil {
		t.Errorf("got %+v, %v; want the one token, not revoked", list, err)
	}
}
