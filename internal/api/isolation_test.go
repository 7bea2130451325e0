package api_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/identity"
)

// tries is the number of attempts to read or change data of another tenant.
const tries = 10_000

// attacker is display name of another tenant, with every scope there, who knows all ids and holds
// all cursors of this one.
type attacker struct {
	random  *rand.Rand
	w       *world
	client  client
	ids     []uuid.UUID
	cursors []string
}

func newAttacker(w *world) *attacker {
	at := w.here
	a := &attacker{
		random: rand.New(rand.NewPCG(3, 4)), w: w, client: w.elsewhere.as(w.elsewhere.member, identity.ScopeAdmin),
		ids: []uuid.UUID{
			at.shown, at.hidden, at.addressed, at.dead, at.subscription, at.signal, at.folder,
			at.owner, at.delegator, at.member, at.outsider, at.id,
		},
	}
	// Cursors of all lists of this tenant, with filters.
	for _, who := range []uuid.UUID{at.member, at.owner} {
		for _, list := range []string{
			"/v1/notifications?limit=1", "/v1/notifications?limit=1&state=unread", "/v1/subscriptions?limit=1",
			"/v1/notifications?limit=1&state=all&group_by=burst",
			"/v1/activities?limit=1", "/v1/audit?limit=1", "/v1/audit?limit=1&action=signal.*",
			"/v1/audit/actors/" + at.owner.String() + "?limit=1", "/v1/audit/owners/" + at.owner.String() + "?limit=1",
			"/v1/audit/entities/signal/" + at.signal.String() + "?limit=1",
			"/v1/resources/" + at.signal.String() + "/watchers?limit=1", "/v1/watch-levels?limit=1",
			"/v1/resources?limit=1", "/v1/resources?limit=1&parent_id=" + at.folder.String(),
			"/v1/resources?limit=1&q=the",
			"/v1/principals?limit=1", "/v1/principals?limit=1&q=name",
			"/v1/activities/" + at.shown.String() + "/audience?limit=1",
		} {
			page := as[struct {
				NextCursor string `json:"next_cursor"`
			}](at.as(who, identity.ScopeRead).do("GET", list, ""))
			if page.NextCursor != "" {
				a.cursors = append(a.cursors, page.NextCursor)
			}
		}
	}
	return a
}

func (a *attacker) id() uuid.UUID {
	id := a.ids[a.random.IntN(len(a.ids))]
	if a.random.IntN(4) == 0 {
		id[a.random.IntN(len(id))] ^= byte(1 << a.random.IntN(8)) // a similar id
	}
	return id
}

func (a *attacker) cursor() string {
	cursor := []byte(a.cursors[a.random.IntN(len(a.cursors))])
	if a.random.IntN(3) == 0 {
		cursor[a.random.IntN(len(cursor))] = "ABCabc012-_"[a.random.IntN(11)]
	}
	return string(cursor)
}

func (a *attacker) channel() string {
	names, here, elsewhere := a.w.channels, a.w.here.id, a.w.elsewhere.id
	return []string{
		names.User(principalOf(here, a.id())), names.Resource(here, a.id()), names.Tenant(here),
		names.Resource(elsewhere, a.id()), names.User(principalOf(elsewhere, a.id())),
		names.Resource(here, a.w.elsewhere.signal), names.User(principalOf(here, a.w.elsewhere.member)),
		names.Tenant(elsewhere) + "," + names.Tenant(here),
		fmt.Sprintf("resource:%s.%s.%s", elsewhere, a.w.elsewhere.signal, a.id()), "chat:" + here.String() + ".room",
	}[a.random.IntN(10)]
}

// attempt is a request; won reports whether its response discloses or changes data.
type attempt struct {
	method, target string
	body           any
	won            func(reply) bool
}

// anythingBut reports all responses but those with a status and without a token.
func anythingBut(status int) func(reply) bool {
	return func(r reply) bool { return r.status != status || strings.Contains(string(r.body), "eyJ") }
}

// holding reports responses that contain a text.
func holding(text string) func(reply) bool {
	return func(r reply) bool { return strings.Contains(string(r.body), text) }
}

func (a *attacker) attempt() attempt {
	id, here, elsewhere := a.id(), a.w.here, a.w.elsewhere
	one := func(all ...string) string { return all[a.random.IntN(len(all))] }
	ofHere := holding(here.id.String()) // every event and every row names its tenant
	switch a.random.IntN(14) {
	case 0:
		if a.random.IntN(4) == 0 {
			resource := one("/", "?parent_id=", "?q=s&parent_id=")
			return attempt{"GET", "/resources" + resource + id.String(), nil, anythingBut(http.StatusNotFound)}
		}
		part := one("", "/explain", "/explain?principal_id="+a.id().String(), "/audience")
		return attempt{"GET", "/activities/" + id.String() + part, nil, anythingBut(http.StatusNotFound)}
	case 1:
		return attempt{
			"PATCH",
			"/notifications/" + id.String(),
			map[string]bool{"read": true},
			anythingBut(http.StatusNotFound),
		}
	case 2:
		return attempt{"DELETE", "/subscriptions/" + id.String(), nil, anythingBut(http.StatusNotFound)}
	case 3:
		if a.random.IntN(2) == 0 {
			envelope := map[string]any{"resource_id": id, "resource_type": "signal", "action": "signal.updated"}
			return attempt{"POST", "/activities/dry-run", envelope, holding("principal_id")}
		}
		return attempt{"GET", "/resources/" + id.String() + "/watchers", nil, anythingBut(http.StatusNotFound)}
	case 4:
		if a.random.IntN(2) == 0 {
			filter := map[string]any{one("resource", "activity_id"): id}
			body := map[string]any{"filter": filter}
			return attempt{"POST", "/outbox/dead/" + one("replay", "discard"), body, func(r reply) bool {
				got := as[map[string]any](r)
				return got["count"] != 0.0 || got["remaining"] != 0.0
			}}
		}
		return attempt{"POST", "/outbox/dead/" + id.String() + "/replay", nil, anythingBut(http.StatusNotFound)}
	case 5:
		return attempt{
			"POST",
			"/subscriptions",
			map[string]any{"resource_id": id, "scope": "descendants"},
			anythingBut(http.StatusNotFound),
		}
	case 6:
		return attempt{
			"POST",
			"/subscriptions/bulk",
			map[string]any{
				"subscriptions": []any{map[string]any{"resource_id": id}, map[string]any{"resource_id": a.id()}},
			},
			holding(`"subscription":`),
		}
	case 7:
		channels := []string{a.w.channels.Resource(elsewhere.id, elsewhere.signal), a.channel()}
		return attempt{
			"POST",
			"/realtime/token",
			map[string]any{"channels": channels},
			anythingBut(http.StatusForbidden),
		}
	case 8:
		list := one(
			"/notifications",
			"/activities",
			"/audit",
			"/subscriptions",
			"/watch-levels",
			"/resources",
			"/principals",
			"/audit/actors/"+id.String(),
			"/resources/"+elsewhere.signal.String()+"/watchers",
		)
		return attempt{
			"GET",
			list + "?limit=1&cursor=" + url.QueryEscape(a.cursor()),
			nil,
			anythingBut(http.StatusBadRequest),
		}
	case 9:
		filter := "?" + one("actor", "resource", "target", "owner", "correlation_id") + "=" + id.String()
		if a.random.IntN(3) == 0 {
			return attempt{
				"GET",
				"/audit/count" + filter,
				nil,
				func(r reply) bool { return as[map[string]any](r)["count"] != 0.0 },
			}
		}
		if a.random.IntN(3) == 0 {
			return attempt{
				"GET",
				"/audit/facets" + filter,
				nil,
				func(r reply) bool { return as[map[string]any](r)["count"] != 0.0 },
			}
		}
		return attempt{"GET", one("/audit", "/activities") + filter, nil, ofHere}
	case 10:
		method := one("GET", "PUT")
		var body any
		if method == "PUT" {
			body = map[string]any{"level": "ignore", "scope": "descendants"}
		}
		return attempt{method, "/watch-levels/" + id.String(), body, anythingBut(http.StatusNotFound)}
	case 11:
		return attempt{"DELETE", "/watch-levels/" + id.String(), nil, anythingBut(http.StatusNoContent)}
	case 12:
		return attempt{
			"GET",
			one("/audit/actors/", "/audit/owners/", "/audit/entities/signal/") + id.String(),
			nil,
			ofHere,
		}
	default:
		return attempt{
			"GET",
			one(
				"/notifications",
				"/notifications/unread-count",
				"/realtime/bootstrap",
				"/outbox",
				"/outbox/dead",
				"/outbox/dead/groups",
				"/outbox/dead?resource="+id.String(),
				"/outbox/parked",
				"/outbox/jobs",
				"/outbox/lanes",
				"/subscriptions",
				"/watch-levels",
				"/tenant/preferences",
				"/activities?q="+here.id.String(),
				"/principals",
				"/principals?q="+here.id.String(),
				"/principals?ids="+id.String()+","+a.id().String(),
				"/audit/facets",
			),
			nil,
			ofHere,
		}
	}
}

// try makes one attempt and returns a description if it succeeds.
func (a *attacker) try() string {
	attempt, body := a.attempt(), ""
	if attempt.body != nil {
		text, err := json.Marshal(attempt.body)
		if err != nil {
			panic(err)
		}
		body = string(text)
	}
	response := a.client.do(attempt.method, "/v1"+attempt.target, body)
	if response.status < 500 && !attempt.won(response) {
		return ""
	}
	return fmt.Sprintf("%s %s %s: got %d: %s", attempt.method, attempt.target, body, response.status, response.body)
}

// TestTenantIsolation makes ten thousand attempts from another tenant, with known and guessed ids,
// stolen and forged cursors, channels and filters.
func TestTenantIsolation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *api.Options) { o.Logger = zap.NewNop() })
	state := func() string {
		t.Helper()
		var text string
		err := w.db.Pool.QueryRow(t.Context(), `
			SELECT json_build_array(
			    (
			        SELECT json_agg(n ORDER BY n.activity_id, n.principal_id)
			        FROM fanfare.notifications AS n WHERE n.tenant_id = $1
			    ),
			    (
			        SELECT json_agg(s ORDER BY s.id)
			        FROM fanfare.subscriptions AS s WHERE s.tenant_id = $1 OR s.resource_id IN ($2, $3)
			    ),
			    (
			        SELECT json_agg(l ORDER BY l.principal_id, l.resource_id)
			        FROM fanfare.watch_levels AS l WHERE l.tenant_id = $1 OR l.resource_id IN ($2, $3)
			    ),
			    (SELECT json_agg(d) FROM fanfare.dead_letters AS d WHERE d.tenant_id = $1),
			    (SELECT count(*) FROM fanfare.activities AS a WHERE a.tenant_id = $1))::text`,
			w.here.id, w.here.signal, w.here.folder).Scan(&text)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	a := newAttacker(w)
	if len(a.cursors) < 10 {
		t.Fatalf("got %d cursors, want at least 10", len(a.cursors))
	}
	before, won := state(), 0
	for range tries {
		if success := a.try(); success != "" {
			if won++; won <= 10 {
				t.Error(success)
			}
		}
	}
	t.Logf("%d tries across tenants: %d succeed", tries, won)
	if after := state(); after != before {
		t.Errorf("the data of this tenant changed: got %s, want %s", after, before)
	}
}

// TestCursors checks that a cursor is valid only for its principal, list and filter.
func TestCursors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	cursorOf := func(c client, list string) string {
		return as[struct {
			NextCursor string `json:"next_cursor"`
		}](c.do("GET", list, "").want(http.StatusOK)).NextCursor
	}
	member, delegator := w.here.as(w.here.member, identity.ScopeRead), w.here.as(w.here.delegator, identity.ScopeRead)
	cursor := cursorOf(member, "/v1/audit?limit=1")
	member.do("GET", "/v1/audit?limit=3&cursor="+cursor, "").want(http.StatusOK) // the limit may change
	restarted := member
	restarted.handler = w.newServer(nil).Handler()
	restarted.do("GET", "/v1/audit?limit=1&cursor="+cursor, "").want(http.StatusOK)
	otherSecret := member
	otherSecret.handler = w.newServer(func(o *api.Options) { o.CursorSecret = nil }).Handler()
	for what, response := range map[string]reply{
		"another principal's": delegator.do("GET", "/v1/audit?limit=1&cursor="+cursor, ""),
		"another tenant's": w.elsewhere.as(w.elsewhere.member, identity.ScopeRead).do(
			"GET", "/v1/audit?cursor="+cursor, "",
		),
		"another list's":   member.do("GET", "/v1/activities?cursor="+cursor, ""),
		"another filter's": member.do("GET", "/v1/audit?status=success&cursor="+cursor, ""),
		"another path's":   member.do("GET", "/v1/audit/actors/"+w.here.owner.String()+"?cursor="+cursor, ""),
		"another secret's": otherSecret.do("GET", "/v1/audit?cursor="+cursor, ""),
		"truncated":        member.do("GET", "/v1/audit?cursor="+cursor[:20], ""),
		"extended":         member.do("GET", "/v1/audit?cursor="+cursor+"AAAA", ""),
		"changed":          member.do("GET", "/v1/audit?cursor=B"+cursor[1:], ""),
		"garbage":          member.do("GET", "/v1/audit?cursor=%21", ""),
		"a bare id":        member.do("GET", "/v1/audit?cursor="+w.here.shown.String(), ""),
	} {
		got := as[struct {
			Type   string
			Errors []struct{ Field string }
		}](response.want(http.StatusBadRequest))
		if got.Type != "/problems/invalid-cursor" || len(got.Errors) != 1 || got.Errors[0].Field != "cursor" {
			t.Errorf("%s: got %s, want a problem that names the cursor", what, response.body)
		}
	}
}
