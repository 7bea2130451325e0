package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
)

// access is a route of a tenant, and its responses to principals with different permissions.
type access struct {
	operation string
	target    func(at *tenant) string
	body      func(at *tenant) string
	permitted func(at *tenant) uuid.UUID // a principal with permission
	scope     string                     // that it also requires

	other, without, with int // the statuses from another tenant, without permission, and with it
}

func fixed(text string) func(*tenant) string { return func(*tenant) string { return text } }

func theMember(at *tenant) uuid.UUID { return at.member }

func theOwner(at *tenant) uuid.UUID { return at.owner }

func theSignal(at *tenant) uuid.UUID { return at.signal }

func theFolder(at *tenant) uuid.UUID { return at.folder }

func levelOf(resource func(*tenant) uuid.UUID) func(*tenant) string {
	return func(at *tenant) string { return "/watch-levels/" + resource(at).String() }
}

func accesses() []access {
	return []access{
		{"get-preferences", fixed("/notifications/preferences"), nil, theMember, "", 200, 200, 200},
		{
			"put-preferences",
			fixed("/notifications/preferences"),
			fixed(`{"filter_mode":"custom","custom_actions":["signal.*"],"muted":false}`),
			theMember, "", 200, 200, 200,
		},
		{
			"test-preferences",
			fixed("/notifications/preferences/test"),
			fixed(`{"patterns":["a.*"],"actions":["a.b","b.a"]}`),
			theMember, "", 200, 200, 200,
		},
		{"get-tenant-preferences", fixed("/tenant/preferences"), nil, theMember, "", 200, 200, 200},
		{
			"put-tenant-preferences", fixed("/tenant/preferences"), fixed(`{"filter_mode":"all","inherit":["muted"]}`),
			theMember, identity.ScopeAdmin, 200, 403, 200,
		},
		{"list-watch-levels", fixed("/watch-levels"), nil, theMember, "", 200, 200, 200},
		{"get-watch-level", levelOf(theSignal), nil, theMember, "", 404, 404, 200},
		{
			"put-watch-level", levelOf(theFolder), fixed(`{"level":"custom","scope":"descendants","patterns":["a.*"]}`),
			theMember, "", 404, 404, 200,
		},
		{"delete-watch-level", levelOf(theFolder), nil, theMember, "", 204, 204, 204},
		{"list-notifications", fixed("/notifications"), nil, theMember, "", 200, 200, 200},
		{"count-unread", fixed("/notifications/unread-count"), nil, theMember, "", 200, 200, 200},
		{"count-notifications", fixed("/notifications/counts"), nil, theMember, "", 200, 200, 200},
		{"test-notifications", fixed("/notifications/test"), nil, theMember, "", 202, 202, 202},
		{
			"get-notification", func(at *tenant) string { return "/notifications/" + at.shown.String() }, nil,
			theMember, "", 404, 404, 200,
		},
		{"mark-notifications", fixed("/notifications/mark"), func(at *tenant) string {
			return fmt.Sprintf(`{"ids":[%q],"changes":{"archived":false,"seen":true,"snoozed_until":null}}`, at.shown)
		}, theMember, "", 200, 200, 200},
		{
			"mark-notification",
			func(at *tenant) string { return "/notifications/" + at.shown.String() },
			fixed(`{"read":true,"seen":true,"archived":false,"snoozed_until":null}`),
			theMember, "", 404, 404, 200,
		},
		{"mark-all-read", fixed("/notifications/mark-all-read"), fixed(`{}`), theMember, "", 200, 200, 200},
		{"subscribe", fixed("/subscriptions"), func(at *tenant) string {
			return fmt.Sprintf(`{"resource_id":%q,"scope":"descendants"}`, at.folder)
		}, theMember, "", 404, 404, 201},
		{"list-subscriptions", fixed("/subscriptions"), nil, theMember, "", 200, 200, 200},
		{
			"unsubscribe", func(at *tenant) string { return "/subscriptions/" + at.subscription.String() }, nil,
			theMember, "", 404, 404, 204,
		},
		{"subscribe-many", fixed("/subscriptions/bulk"), func(at *tenant) string {
			return fmt.Sprintf(`{"subscriptions":[{"resource_id":%q},{"resource_id":%q}]}`, at.folder, at.signal)
		}, theMember, "", 200, 200, 200},
		{
			"list-watchers", func(at *tenant) string { return "/resources/" + at.signal.String() + "/watchers" }, nil,
			theOwner, "", 404, 404, 200,
		},
		{
			"list-resources", func(at *tenant) string { return "/resources?parent_id=" + at.folder.String() }, nil,
			theMember, "", 404, 404, 200,
		},
		{
			"get-resource", func(at *tenant) string { return "/resources/" + at.signal.String() }, nil,
			theMember, "", 404, 404, 200,
		},
		{
			"list-principals", func(at *tenant) string { return "/principals?ids=" + at.outsider.String() }, nil,
			theMember, "", 200, 200, 200,
		},
		{"make-realtime-tokens", fixed("/realtime/token"), func(at *tenant) string {
			return fmt.Sprintf(`{"channels":[%q]}`, at.w.channels.Resource(at.id, at.signal))
		}, theMember, "", 403, 403, 200},
		{"bootstrap-realtime", fixed("/realtime/bootstrap"), nil, theMember, "", 200, 200, 200},
		{
			"record-activities", fixed("/activities"),
			fixed(`{"resource_id":"99999999-9999-4999-8999-999999999999","resource_type":"x","action":"x.made"}`),
			theMember, identity.ScopeWrite, 202, 403, 202,
		},
		{"list-activities", fixed("/activities"), nil, theMember, "", 200, 200, 200},
		{
			"get-activity", func(at *tenant) string { return "/activities/" + at.shown.String() }, nil,
			theMember, "", 404, 404, 200,
		},
		{
			"explain-activity", func(at *tenant) string { return "/activities/" + at.shown.String() + "/explain" }, nil,
			theMember, "", 404, 404, 200,
		},
		{
			"list-audience", func(at *tenant) string { return "/activities/" + at.shown.String() + "/audience" }, nil,
			theOwner, "", 404, 404, 200,
		},
		{"dry-run-activity", fixed("/activities/dry-run"), func(at *tenant) string {
			return fmt.Sprintf(`{"resource_id":%q,"resource_type":"signal","action":"signal.updated"}`, at.signal)
		}, theOwner, "", 200, 404, 200},
		{"stream-activities", fixed("/activities/stream"), nil, theMember, identity.ScopeRead, 200, 403, 200},
		{"export-activities", fixed("/activities/export"), nil, theMember, identity.ScopeRead, 200, 403, 200},
		{"list-audit", fixed("/audit"), nil, theMember, identity.ScopeRead, 200, 403, 200},
		{"count-audit", fixed("/audit/count"), nil, theMember, identity.ScopeRead, 200, 403, 200},
		{
			"list-audit-of-entity",
			func(at *tenant) string { return "/audit/entities/signal/" + at.signal.String() },
			nil, theMember, identity.ScopeRead, 200, 403, 200,
		},
		{
			"list-audit-of-actor", func(at *tenant) string { return "/audit/actors/" + at.owner.String() }, nil,
			theMember, identity.ScopeRead, 200, 403, 200,
		},
		{
			"list-audit-of-owner", func(at *tenant) string { return "/audit/owners/" + at.owner.String() }, nil,
			theMember, identity.ScopeRead, 200, 403, 200,
		},
		{
			"list-facets", fixed("/audit/facets?fields=action,actor,resource"), nil,
			theMember, identity.ScopeRead, 200, 403, 200,
		},
		{"get-retention", fixed("/retention"), nil, theMember, identity.ScopeAdmin, 200, 403, 200},
		{
			"put-retention", fixed("/retention"), fixed(`{"max_days":400,"inbox_days":0,"token_days":null}`),
			theMember, identity.ScopeAdmin, 200, 403, 200,
		},
		{"list-actions", fixed("/taxonomy/actions"), nil, theMember, "", 200, 200, 200},
		{"get-taxonomy", fixed("/taxonomy"), nil, theMember, identity.ScopeAdmin, 200, 403, 200},
		{"get-outbox", fixed("/outbox"), nil, theMember, identity.ScopeAdmin, 200, 403, 200},
		{
			"list-workers", fixed("/installation/workers"), nil, theMember, identity.ScopeInstallation, 403, 403, 200,
		},
		{
			"list-installation-lanes", fixed("/installation/lanes"), nil,
			theMember, identity.ScopeInstallation, 403, 403, 200,
		},
		{"get-history", fixed("/installation/history"), nil, theMember, identity.ScopeInstallation, 403, 403, 200},
		{
			"examine-installation", fixed("/installation/doctor"), nil,
			theMember, identity.ScopeInstallation, 403, 403, 200,
		},
		{"list-parked", fixed("/outbox/parked"), nil, theMember, identity.ScopeAdmin, 200, 403, 200},
		{"list-fan-out-jobs", fixed("/outbox/jobs"), nil, theMember, identity.ScopeAdmin, 200, 403, 200},
		{"list-lanes", fixed("/outbox/lanes"), nil, theMember, identity.ScopeAdmin, 200, 403, 200},
		{"group-dead-letters", fixed("/outbox/dead/groups"), nil, theMember, identity.ScopeAdmin, 200, 403, 200},
		{
			"replay-dead-letters", fixed("/outbox/dead/replay"), fixed(`{"filter":{"error":"nothing"},"limit":10}`),
			theMember, identity.ScopeAdmin, 200, 403, 200,
		},
		{
			"discard-dead-letters", fixed("/outbox/dead/discard"), fixed(`{"filter":{"action":"no.*"}}`),
			theMember, identity.ScopeAdmin, 200, 403, 200,
		},
		{"list-dead-letters", fixed("/outbox/dead"), nil, theMember, identity.ScopeAdmin, 200, 403, 200},
		{
			"replay-dead-letter",
			func(at *tenant) string { return "/outbox/dead/" + at.dead.String() + "/replay" },
			nil, theMember, identity.ScopeAdmin, 404, 403, 200,
		},
		{"get-me", fixed("/me"), nil, theMember, "", 200, 200, 200},
		{"begin-session", fixed("/session"), func(at *tenant) string {
			return fmt.Sprintf(`{"code":%q}`, at.code(at.member))
		}, theMember, "", 204, 204, 204},
		{"end-session", fixed("/session"), nil, theMember, "", 204, 204, 204},
	}
}

// TestAccess requests every route without credentials, from another tenant with every scope, from
// this tenant without permission, and with permission. A response without permission must not
// contain any id of this tenant.
func TestAccess(t *testing.T) {
	t.Parallel()
	w, _ := newLiveWorld(t, nil)
	covered := map[string]access{}
	for _, r := range accesses() {
		covered[r.operation] = r
	}
	var table strings.Builder
	table.WriteString("| route | no caller | other tenant | without permission | with permission |\n")
	table.WriteString("|---|---|---|---|---|\n")
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
			if slices.Contains([]string{"subscribe-many", "make-realtime-tokens", "dry-run-activity"}, r.operation) {
				return // these repeat ids of the request; their effects are checked elsewhere
			}
			for _, id := range leaks {
				if strings.Contains(string(got.body), id.String()) {
					t.Errorf("%s %s, %s: the response contains %s: %s", op.method, op.path, as, id, got.body)
				}
			}
		}
		if isPublic(op) {
			ask("anyone", w.anyone(), r.with)
			continue
		}
		secrets := []uuid.UUID{
			w.here.hidden, w.here.shown, w.here.addressed, w.here.dead,
			w.here.signal, w.here.folder, w.here.owner, w.here.member,
		}
		ask("no caller", w.anyone(), 401, secrets...)
		ask(
			"other tenant",
			w.elsewhere.as(r.permitted(w.elsewhere), identity.ScopeAdmin, identity.ScopeWrite),
			r.other,
			append(secrets, w.here.id)...)
		ask("without permission", w.here.as(w.here.outsider), r.without, secrets...)
		ask("with permission", w.here.as(r.permitted(w.here), r.scope), r.with)
		fmt.Fprintf(&table, "| %s %s | %s |\n", op.method, op.path, strings.Join(cells, " | "))
	}
	t.Logf("Expected = got.\n\n%s", &table)

	for who, c := range map[string]client{
		"other tenant": w.elsewhere.as(w.elsewhere.member), "without permission": w.here.as(w.here.outsider),
	} {
		if got := w.count(`
			SELECT count(*) FROM fanfare.subscriptions WHERE principal_id = $1 AND resource_id IN ($2, $3)`,
			c.header.Get("X-Principal-Id"), w.here.folder, w.here.signal); got != 0 {
			t.Errorf("%s: got %d subscriptions to resources of this tenant, want 0", who, got)
		}
	}
}

// TestNotFound checks that ids that do not exist, that belong to another tenant and that the caller
// may not see get the same response.
func TestNotFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.here.as(w.here.outsider, identity.ScopeAdmin).withHeader("X-Request-Id", "the-same")
	reference := string(c.do("GET", "/v1/nowhere", "").want(http.StatusNotFound).body)
	for _, ids := range []struct{ method, pattern, body string }{
		{"GET", "/v1/activities/%s", ""},
		{"PATCH", "/v1/notifications/%s", `{"read":true}`},
		{"DELETE", "/v1/subscriptions/%s", ""},
		{"GET", "/v1/resources/%s/watchers", ""},
		{"POST", "/v1/outbox/dead/%s/replay", ""},
		{"POST", "/v1/subscriptions", `{"resource_id":"%s"}`},
		{"POST", "/v1/subscriptions", fmt.Sprintf(`{"resource_id":"%%s","principal_id":%q}`, w.here.team)},
		{"GET", "/v1/watch-levels/%s", ""},
		{"GET", "/v1/resources/%s", ""},
		{"GET", "/v1/resources?parent_id=%s", ""},
		{"GET", "/v1/resources?q=s&parent_id=%s", ""},
		{"PUT", "/v1/watch-levels/%s", `{"level":"ignore"}`},
	} {
		for what, id := range map[string]uuid.UUID{
			"unknown": uuid.New(), "foreign activity": w.elsewhere.dead, "forbidden activity": w.here.hidden,
			"foreign resource": w.elsewhere.signal, "forbidden resource": w.here.signal,
			"foreign subscription":          w.elsewhere.subscription,
			"another member's subscription": w.here.subscription,
		} {
			target, body := ids.pattern, ids.body
			if strings.Contains(target, "%s") {
				target = fmt.Sprintf(target, id)
			} else {
				body = fmt.Sprintf(body, id)
			}
			c := c
			if strings.HasPrefix(target, "/v1/resources") { // of which activity:read shows all
				c = w.here.as(w.here.outsider).withHeader("X-Request-Id", "the-same")
			}
			if got := c.do(ids.method, target, body).want(http.StatusNotFound); string(got.body) != reference {
				t.Errorf("%s %s of %s: got %s, want %s", ids.method, ids.pattern, what, got.body, reference)
			}
		}
	}
}
