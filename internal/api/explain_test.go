package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/explain"
	"github.com/fanfarehq/fanfare/internal/identity"
)

func explainPath(id uuid.UUID) string { return "/v1/activities/" + id.String() + "/explain" }

func explainFor(id, principal uuid.UUID) string {
	return explainPath(id) + "?principal_id=" + principal.String()
}

// TestExplain asks about everybody, as everybody who may.
func TestExplain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	askers := map[string]client{
		"owner": at.as(at.owner), "delegator": at.as(at.delegator), "admin": at.as(at.outsider, identity.ScopeAdmin),
	}
	for name, want := range map[string]struct {
		principal uuid.UUID
		activity  uuid.UUID
		notified  bool
		rule      string
		then      string
		grounds   string // kinds and roles
	}{
		"the member": {
			at.member, at.shown, true, "level", "notified",
			"subscription resource role viewer",
		},
		"the actor":                     {at.owner, at.shown, false, "actor", "pending", "owner"},
		"the outsider":                  {at.outsider, at.shown, false, "concern", "notified", ""},
		"a principal without an entry":  {uuid.New(), at.shown, false, "concern", "pending", ""},
		"a principal of another tenant": {w.elsewhere.member, at.shown, false, "concern", "pending", ""},
		"the target": {
			at.member, at.addressed, true, "target", "notified",
			"target subscription resource role viewer",
		},
		"the subscriber of a private": {
			at.member, at.hidden, false, "permission", "pending",
			"subscription resource role viewer",
		},
		"the delegator":               {at.delegator, at.hidden, false, "mode", "pending", "role delegator"},
		"the delegator of a lost one": {at.delegator, at.dead, false, "mode", "dead", "role delegator"},
	} {
		for asker, c := range askers {
			response := c.do("GET", explainFor(want.activity, want.principal), "")
			got := as[explain.Explanation](response.want(http.StatusOK))
			var grounds []string
			for _, g := range got.Grounds {
				grounds = append(grounds, strings.Join(strings.Fields(g.Kind+" "+g.Scope+" "+g.Role), " "))
			}
			wanted := want.grounds
			if asker == "owner" { // who may not see which roles there are on the folder
				wanted = strings.NewReplacer("role viewer", "role", "role delegator", "role").Replace(wanted)
			}
			if got.Now.Notified != want.notified || got.Now.DecidedBy != want.rule || got.Then.State != want.then ||
				strings.Join(grounds, " ") != wanted || got.PrincipalID != want.principal {
				t.Errorf("%s, asked by the %s: got %+v, %+v, %q; want %+v",
					name, asker, got.Now, got.Then, grounds, want)
			}
		}
	}
}

// TestExplainToOneself asks without a principal, and about activities that the caller may not see.
func TestExplainToOneself(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	got := as[explain.Explanation](at.as(at.member).do("GET", explainPath(at.shown), "").want(http.StatusOK))
	if got.PrincipalID != at.member || !got.Now.Notified || len(got.Grounds) != 2 ||
		got.Grounds[0].SubscriptionID == nil || *got.Grounds[0].SubscriptionID != at.subscription {
		t.Errorf("got %+v, want the member's subscription", got)
	}
	reference := at.as(at.member).withHeader("X-Request-Id", "the-same").do("GET", "/v1/nowhere", "").want(404)
	for what, request := range map[string]struct {
		as     uuid.UUID
		target string
	}{
		"an unknown activity":              {at.member, explainPath(uuid.New())},
		"a foreign activity":               {at.member, explainPath(w.elsewhere.shown)},
		"a forbidden activity":             {at.member, explainPath(at.hidden)},
		"a forbidden activity, and others": {at.member, explainFor(at.hidden, at.owner)},
		"an activity, without a role":      {at.outsider, explainPath(at.shown)},
		"others, as a viewer":              {at.member, explainFor(at.shown, at.owner)},
		"others, as their target":          {at.member, explainFor(at.addressed, at.owner)},
		"unknown others, as a viewer":      {at.member, explainFor(at.shown, uuid.New())},
		"an audience, as a viewer":         {at.member, "/v1/activities/" + at.shown.String() + "/audience"},
		"an unknown audience":              {at.owner, "/v1/activities/" + uuid.NewString() + "/audience"},
		"a foreign audience":               {at.owner, "/v1/activities/" + w.elsewhere.shown.String() + "/audience"},
	} {
		c := at.as(request.as, identity.ScopeRead).withHeader("X-Request-Id", "the-same")
		got := c.do("GET", request.target, "").want(http.StatusNotFound)
		if string(got.body) != string(reference.body) {
			t.Errorf("%s: got %s, want %s", what, got.body, reference.body)
		}
	}
}

// TestExplainUnconcerned asks about a principal whom the activity does not concern, but who holds a
// role.
func TestExplainUnconcerned(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	w.exec(`INSERT INTO fanfare.role_bindings (tenant_id, principal_id, scope_resource_id, role_name)
		VALUES ($1, $2, $3, 'auditor')`, at.id, at.outsider, at.folder)
	ask := func(by client) explain.Explanation {
		return as[explain.Explanation](by.do("GET", explainFor(at.shown, at.outsider), "").want(http.StatusOK))
	}
	got := ask(at.as(at.delegator))
	if got.Now.DecidedBy != "concern" || got.DisplayName != "" || len(got.Grounds) != 0 {
		t.Errorf("the delegator: got %+v, want that it is not concerned, and no more", got)
	}
	for name, by := range map[string]client{
		"the principal": at.as(at.outsider), "an administrator": at.as(at.member, identity.ScopeAdmin),
	} {
		if got := ask(by); got.DisplayName == "" || len(got.Grounds) != 1 || got.Grounds[0].Role != "auditor" {
			t.Errorf("%s: got %+v, want the name and the role", name, got)
		}
	}
}

// TestExplainWithholds gives the member a group that subscribes to the folder above the signal, and
// a level there. The owner of the signal may not see either.
func TestExplainWithholds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	group, root := uuid.New(), uuid.New()
	for _, sql := range []string{
		`INSERT INTO fanfare.memberships (tenant_id, group_id, principal_id) VALUES ($1, $2, $3)`,
		`WITH x AS (SELECT $3::uuid) INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id, scope)
		SELECT $1, $2, '` + root.String() + `', 'descendants' FROM x`,
		`WITH x AS (SELECT $2::uuid)
		INSERT INTO fanfare.watch_levels (tenant_id, principal_id, resource_id, level, scope)
		SELECT $1, $3, '` + at.folder.String() + `', 'all', 'descendants' FROM x
		ON CONFLICT (tenant_id, principal_id, resource_id) DO UPDATE SET level = 'all', scope = 'descendants'`,
	} {
		w.exec(sql, at.id, group, at.member)
	}
	w.exec(`INSERT INTO fanfare.resources (tenant_id, id, type) VALUES ($1, $2, 'root')`, at.id, root)
	w.exec(`UPDATE fanfare.resources SET parent_id = $3 WHERE tenant_id = $1 AND id = $2`, at.id, at.folder, root)
	for name, want := range map[string]struct {
		by             client
		seen, withheld []uuid.UUID
	}{
		"the owner": {
			by: at.as(at.owner), seen: []uuid.UUID{at.signal, at.subscription},
			withheld: []uuid.UUID{root, at.folder, group},
		},
		"the delegator of the folder": {
			by: at.as(at.delegator), seen: []uuid.UUID{at.signal, at.subscription, at.folder},
			withheld: []uuid.UUID{root, group},
		},
		"the member": {
			by:   at.as(at.member),
			seen: []uuid.UUID{at.signal, at.subscription, at.folder, group}, withheld: []uuid.UUID{root},
		},
		"an administrator": {
			by:   at.as(at.outsider, identity.ScopeAdmin),
			seen: []uuid.UUID{at.signal, at.subscription, at.folder, root, group},
		},
	} {
		got := string(want.by.do("GET", explainFor(at.shown, at.member), "").want(http.StatusOK).body)
		for _, id := range want.seen {
			if !strings.Contains(got, id.String()) {
				t.Errorf("%s: got %s without %s", name, got, id)
			}
		}
		for _, id := range want.withheld {
			if strings.Contains(got, id.String()) {
				t.Errorf("%s: got %s with %s", name, got, id)
			}
		}
	}
}

type audiencePage struct {
	Items      []explain.AudienceMember
	NextCursor *string `json:"next_cursor"`
}

// TestAudience reads an audience in pages of every size.
func TestAudience(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	id := at.record(activity.Envelope{Action: "signal.created", ActorPrincipalID: at.delegator})
	want := map[uuid.UUID]bool{at.owner: true, at.member: true, at.delegator: false}
	for range 5 {
		p := uuid.New()
		w.exec(`INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id) VALUES ($1, $2, $3)`,
			at.id, p, at.signal)
		want[p] = false // without a role
	}
	path := "/v1/activities/" + id.String() + "/audience"
	for _, notified := range []string{"", "true", "false"} {
		for _, limit := range []int{1, 2, 7, 200} {
			got := map[uuid.UUID]bool{}
			for cursor := ""; ; {
				target := fmt.Sprintf("%s?limit=%d&notified=%s&cursor=%s", path, limit, notified, cursor)
				page := as[audiencePage](at.as(at.owner).do("GET", target, "").want(http.StatusOK))
				for _, m := range page.Items {
					if _, twice := got[m.PrincipalID]; twice || len(page.Items) > limit || len(m.Now.Reasons) == 0 {
						t.Errorf("notified %q, limit %d: got %+v", notified, limit, m)
					}
					got[m.PrincipalID] = m.Now.Notified
				}
				if page.NextCursor == nil {
					break
				}
				cursor = *page.NextCursor
			}
			for p, isNotified := range want {
				_, found := got[p]
				selected := notified == "" || notified == fmt.Sprint(isNotified)
				if found != selected || got[p] != (isNotified && selected) {
					t.Errorf("notified %q, limit %d: got %s %t, notified %t; want %t",
						notified, limit, p, found, got[p], isNotified)
				}
			}
		}
	}
	first := as[audiencePage](at.as(at.owner).do("GET", path+"?limit=1", "").want(http.StatusOK))
	for what, c := range map[string]struct {
		by     client
		target string
	}{
		"another principal's": {at.as(at.delegator), path + "?limit=1"},
		"another filter's":    {at.as(at.owner), path + "?limit=1&notified=true"},
		"another activity's":  {at.as(at.owner), "/v1/activities/" + at.shown.String() + "/audience?limit=1"},
	} {
		got := c.by.do("GET", c.target+"&cursor="+*first.NextCursor, "")
		if got.status != http.StatusBadRequest {
			t.Errorf("%s cursor: got %d, want 400", what, got.status)
		}
	}
	at.as(at.owner).do("GET", path+"?notified=maybe", "").want(http.StatusUnprocessableEntity)
	at.as(at.owner).do("GET", explainPath(id)+"?principal_id=x", "").want(http.StatusUnprocessableEntity)
}
