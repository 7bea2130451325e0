package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
)

// right is a route, and how it answers those who ask for what is in a tenant.
type right struct {
	operation string
	target    func(at *tenant) string
	body      func(at *tenant) string
	who       func(at *tenant) uuid.UUID // has the right in that tenant
	scope     string                     // and needs this

	other, without, with int // statuses: of the same in another tenant, of somebody without the right, of who
}

func fixed(text string) func(*tenant) string { return func(*tenant) string { return text } }

func theMember(at *tenant) uuid.UUID { return at.member }

func theOwner(at *tenant) uuid.UUID { return at.owner }

func rights() []right {
	return []right{
		{"get-preferences", fixed("/notifications/preferences"), nil, theMember, "", 200, 200, 200},
		{
			"put-preferences",
			fixed("/notifications/preferences"),
			fixed(`{"filter_mode":"custom","custom_actions":["signal.*"],"muted":false}`),
			theMember,
			"",
			200,
			200,
			200,
		},
		{
			"test-preferences",
			fixed("/notifications/preferences/test"),
			fixed(`{"patterns":["a.*"],"actions":["a.b","b.a"]}`),
			theMember,
			"",
			200,
			200,
			200,
		},
		{"list-notifications", fixed("/notifications"), nil, theMember, "", 200, 200, 200},
		{"count-unread", fixed("/notifications/unread-count"), nil, theMember, "", 200, 200, 200},
		{
			"mark-notification",
			func(at *tenant) string { return "/notifications/" + at.shown.String() },
			fixed(`{"read":true}`),
			theMember,
			"",
			404,
			404,
			200,
		},
		{"mark-all-read", fixed("/notifications/mark-all-read"), nil, theMember, "", 200, 200, 200},
		{"subscribe", fixed("/subscriptions"), func(at *tenant) string {
			return fmt.Sprintf(`{"resource_id":%q,"scope":"descendants"}`, at.folder)
		}, theMember, "", 404, 404, 201},
		{"list-subscriptions", fixed("/subscriptions"), nil, theMember, "", 200, 200, 200},
		{
			"unsubscribe",
			func(at *tenant) string { return "/subscriptions/" + at.subscription.String() },
			nil,
			theMember,
			"",
			404,
			404,
			204,
		},
		{"subscribe-many", fixed("/subscriptions/bulk"), func(at *tenant) string {
			return fmt.Sprintf(`{"subscriptions":[{"resource_id":%q},{"resource_id":%q}]}`, at.folder, at.signal)
		}, theMember, "", 200, 200, 200},
		{
			"list-watchers",
			func(at *tenant) string { return "/resources/" + at.signal.String() + "/watchers" },
			nil,
			theOwner,
			"",
			404,
			404,
			200,
		},
		{"make-realtime-tokens", fixed("/realtime/token"), func(at *tenant) string {
			return fmt.Sprintf(`{"channels":[%q]}`, at.w.channels.Resource(at.id, at.signal))
		}, theMember, "", 403, 403, 200},
		{"bootstrap-realtime", fixed("/realtime/bootstrap"), nil, theMember, "", 200, 200, 200},
		{"list-activities", fixed("/activities"), nil, theMember, "", 200, 200, 200},
		{
			"get-activity",
			func(at *tenant) string { return "/activities/" + at.shown.String() },
			nil,
			theMember,
			"",
			404,
			404,
			200,
		},
		{"stream-activities", fixed("/activities/stream"), nil, theMember, identity.ScopeRead, 200, 403, 200},
		{"export-activities", fixed("/activities/export"), nil, theMember, identity.ScopeRead, 200, 403, 200},
		{"list-audit", fixed("/audit"), nil, theMember, identity.ScopeRead, 200, 403, 200},
		{"count-audit", fixed("/audit/count"), nil, theMember, identity.ScopeRead, 200, 403, 200},
		{
			"list-audit-of-entity",
			func(at *tenant) string { return "/audit/entities/signal/" + at.signal.String() },
			nil,
			theMember,
			identity.ScopeRead,
			200,
			403,
			200,
		},
		{
			"list-audit-of-actor",
			func(at *tenant) string { return "/audit/actors/" + at.owner.String() },
			nil,
			theMember,
			identity.ScopeRead,
			200,
			403,
			200,
		},
		{
			"list-audit-of-owner",
			func(at *tenant) string { return "/audit/owners/" + at.owner.String() },
			nil,
			theMember,
			identity.ScopeRead,
			200,
			403,
			200,
		},
		{"get-retention", fixed("/retention"), nil, theMember, identity.ScopeAdmin, 200, 403, 200},
		{
			"put-retention",
			fixed("/retention"),
			fixed(`{"max_days":400,"inbox_days":0,"token_days":null}`),
			theMember,
			identity.ScopeAdmin,
			200,
			403,
			200,
		},
		{"get-taxonomy", fixed("/taxonomy"), nil, theMember, identity.ScopeAdmin, 200, 403, 200},
		{"get-outbox", fixed("/outbox"), nil, theMember, identity.ScopeAdmin, 200, 403, 200},
		{"list-dead-letters", fixed("/outbox/dead"), nil, theMember, identity.ScopeAdmin, 200, 403, 200},
		{
			"replay-dead-letter",
			func(at *tenant) string { return "/outbox/dead/" + at.dead.String() + "/replay" },
			nil,
			theMember,
			identity.ScopeAdmin,
			404,
			403,
			200,
		},
	}
}

// Every route, asked for what is here: by nobody known, from another tenant with every scope, by
// somebody here without the right, and by who has it. Whoever may not see something finds nothing
// of it in the answer.
func TestRights(t *testing.T) {
	t.Parallel()
	w, _ := newLiveWorld(t)
	covered := map[string]right{}
	for _, r := range rights() {
		covered[r.operation] = r
	}
	var table strings.Builder
	table.WriteString("| route | no identity | other tenant | without right | with right |\n|---|---|---|---|---|\n")
	for _, op := range operations(w.server.Document()) {
		r, known := covered[op.OperationID]
		if !known {
			t.Errorf("%s %s is not in the table", op.method, op.path)
			continue
		}
		target, body := "/v1"+r.target(w.here), ""
		if r.body != nil {
			body = r.body(w.here)
		}
		cells := []string{}
		ask := func(as string, c client, want int, leaks ...uuid.UUID) {
			t.Helper()
			got := c.do(op.method, target, body)
			cells = append(cells, fmt.Sprintf("%d = %d", want, got.status))
			if got.status != want {
				t.Errorf("%s %s, %s: got %d, want %d: %s", op.method, op.path, as, got.status, want, got.body)
			}
			if r.operation == "subscribe-many" || r.operation == "make-realtime-tokens" {
				return // these name what was asked for; what they grant is looked at below
			}
			for _, id := range leaks {
				if strings.Contains(string(got.body), id.String()) {
					t.Errorf("%s %s, %s: the answer holds %s: %s", op.method, op.path, as, id, got.body)
				}
			}
		}
		secrets := []uuid.UUID{
			w.here.hidden,
			w.here.shown,
			w.here.addressed,
			w.here.dead,
			w.here.signal,
			w.here.folder,
			w.here.owner,
			w.here.member,
		}
		ask("no identity", w.anyone(), 401, secrets...)
		ask(
			"other tenant",
			w.elsewhere.as(r.who(w.elsewhere), identity.ScopeAdmin),
			r.other,
			append(secrets, w.here.id)...)
		ask("without right", w.here.as(w.here.nobody), r.without, secrets...)
		ask("with right", w.here.as(r.who(w.here), r.scope), r.with)
		fmt.Fprintf(&table, "| %s %s | %s |\n", op.method, op.path, strings.Join(cells, " | "))
	}
	t.Logf("Expected = got.\n\n%s", &table)

	for who, c := range map[string]client{
		"other tenant": w.elsewhere.as(w.elsewhere.member), "without right": w.here.as(w.here.nobody),
	} {
		if got := w.count(`SELECT count(*) FROM fanfare.subscriptions WHERE principal_id = $1 AND resource_id IN ($2, $3)`,
			c.header.Get("X-Principal-Id"), w.here.folder, w.here.signal); got != 0 {
			t.Errorf("%s: got %d subscriptions to what is here, want 0", who, got)
		}
	}
}

// What may not be seen, what is another tenant's and what there is not are answered alike, to the
// byte.
func TestNotFoundIsOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.here.as(w.here.nobody, identity.ScopeAdmin).withHeader("X-Request-Id", "the-same")
	reference := string(c.do("GET", "/v1/nowhere", "").want(http.StatusNotFound).body)
	for _, ids := range []struct{ method, pattern, body string }{
		{"GET", "/v1/activities/%s", ""},
		{"PATCH", "/v1/notifications/%s", `{"read":true}`},
		{"DELETE", "/v1/subscriptions/%s", ""},
		{"GET", "/v1/resources/%s/watchers", ""},
		{"POST", "/v1/outbox/dead/%s/replay", ""},
		{"POST", "/v1/subscriptions", `{"resource_id":"%s"}`},
	} {
		for what, id := range map[string]uuid.UUID{
			"unknown": uuid.New(), "foreign activity": w.elsewhere.dead, "forbidden activity": w.here.hidden, "foreign resource": w.elsewhere.signal,
			"forbidden resource": w.here.signal, "foreign subscription": w.elsewhere.subscription, "somebody's subscription": w.here.subscription,
		} {
			target, body := ids.pattern, ids.body
			if strings.Contains(target, "%s") {
				target = fmt.Sprintf(target, id)
			} else {
				body = fmt.Sprintf(body, id)
			}
			if got := c.do(ids.method, target, body).want(http.StatusNotFound); string(got.body) != reference {
				t.Errorf("%s %s of %s: got %s, want %s", ids.method, ids.pattern, what, got.body, reference)
			}
		}
	}
}
