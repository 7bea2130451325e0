package api_test

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/api"
)

// TestSubscriptionsOfGroups subscribes a group as its resource's delegator, and revokes that as its
// owner.
func TestSubscriptionsOfGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	body := func(group uuid.UUID) string {
		return fmt.Sprintf(`{"resource_id":%q,"scope":"descendants","principal_id":%q}`, at.signal, group)
	}
	const path = "/v1/subscriptions"
	s := as[api.Subscription](at.as(at.delegator).do("POST", path, body(at.team)).want(http.StatusCreated))
	if s.PrincipalID != at.team || s.ResourceID != at.signal || s.Scope != "descendants" {
		t.Errorf("got %+v, want the group's", s)
	}
	again := as[api.Subscription](at.as(at.owner).do("POST", path, body(at.team)).want(http.StatusCreated))
	if again.ID != s.ID {
		t.Errorf("again: got %s, want %s", again.ID, s.ID)
	}
	for name, principal := range map[string]uuid.UUID{"a member": at.member, "one of the group": at.outsider} {
		at.as(principal).do("POST", path, body(at.team)).want(http.StatusNotFound)
		if got := at.as(principal).do("DELETE", path+"/"+s.ID.String(), ""); got.status != http.StatusNotFound {
			t.Errorf("revoked by %s: got %d, want 404", name, got.status)
		}
	}
	for _, no := range []uuid.UUID{at.member, uuid.New(), w.elsewhere.team} {
		at.as(at.owner).do("POST", path, body(no)).want(http.StatusNotFound)
	}
	bulk := at.as(at.owner).do("POST", path+"/bulk",
		`{"subscriptions":[`+body(at.team)+`,`+body(at.member)+`]}`).want(http.StatusOK)
	if text := string(bulk.body); !strings.Contains(text, `"status":200`) || !strings.Contains(text, `"status":404`) {
		t.Errorf("bulk: got %s, want the existing one, and 404 for a person", text)
	}
	self := as[api.Subscription](at.as(at.member).do("POST", path,
		fmt.Sprintf(`{"resource_id":%q,"scope":null,"principal_id":null}`, at.folder)).want(http.StatusCreated))
	if self.PrincipalID != at.member || self.Scope != "resource" {
		t.Errorf("with nulls: got %+v, want the caller's", self)
	}
	own := as[page](at.as(at.delegator).do("GET", path, "").want(http.StatusOK))
	if len(own.Items) != 0 {
		t.Errorf("the delegator's own: got %+v, want none", own.Items)
	}
	if self.GroupID != nil || s.GroupID == nil || *s.GroupID != at.team {
		t.Errorf("groups: got %v of the member's own and %v of the group's", self.GroupID, s.GroupID)
	}
	for range 2 {
		at.as(at.owner).do("DELETE", path+"/"+s.ID.String(), "").want(http.StatusNoContent)
	}
	if n := w.count(`
		SELECT count(*) FROM fanfare.activities
		WHERE tenant_id = $1 AND correlation_id = $2 AND payload->>'group_id' = $3::text
		  AND (action, actor_principal_id) IN (('subscription.created', $4), ('subscription.revoked', $5))`,
		at.id, s.ID, at.team, at.delegator, at.owner); n != 2 {
		t.Errorf("records: got %d, want 2 with the group", n)
	}
}

// TestSubscriptionsThroughGroups lists the subscriptions of a principal in two groups, one in the
// other, by pages, and those of others.
func TestSubscriptionsThroughGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	principal, inner, outer, other := uuid.New(), uuid.New(), uuid.New(), uuid.New()
	for group, member := range map[uuid.UUID]uuid.UUID{inner: principal, outer: inner, other: at.member} {
		w.exec(`INSERT INTO fanfare.memberships (tenant_id, group_id, principal_id) VALUES ($1, $2, $3)`,
			at.id, group, member)
	}
	w.exec(`INSERT INTO fanfare.memberships (tenant_id, group_id, principal_id) VALUES ($1, $2, $3)`,
		at.id, principal, outer) // a cycle
	want := map[uuid.UUID]int{principal: 3, inner: 3, outer: 3}
	for _, subscriber := range []uuid.UUID{principal, inner, outer, other} {
		for range 3 {
			w.exec(`INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id) VALUES ($1, $2, $3)`,
				at.id, subscriber, uuid.New())
		}
		w.exec(`INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id, revoked_at)
			VALUES ($1, $2, $3, now())`, at.id, subscriber, at.signal)
	}
	w.exec(`INSERT INTO fanfare.memberships (tenant_id, group_id, principal_id) VALUES ($1, $2, $3)`,
		w.elsewhere.id, w.elsewhere.team, principal)

	type page struct {
		Items      []api.Subscription
		NextCursor *string `json:"next_cursor"`
	}
	c := at.as(principal)
	const path = "/v1/subscriptions?limit=2"
	got, first := map[uuid.UUID]int{}, ""
	for target := path + "&through_groups=true"; target != ""; {
		p := as[page](c.do("GET", target, "").want(http.StatusOK))
		for _, item := range p.Items {
			got[item.PrincipalID]++
			if own := item.GroupID == nil; own != (item.PrincipalID == principal) {
				t.Errorf("got %+v, want the group if it is one", item)
			}
		}
		if target = ""; p.NextCursor != nil {
			first = cmp.Or(first, *p.NextCursor)
			target = path + "&through_groups=true&cursor=" + *p.NextCursor
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if own := as[page](c.do("GET", "/v1/subscriptions", "").want(http.StatusOK)); len(own.Items) != 3 {
		t.Errorf("without the groups: got %+v, want the 3 of its own", own.Items)
	}
	c.do("GET", path+"&cursor="+first, "").want(http.StatusBadRequest)
	for name, outsider := range map[string]client{
		"a principal in no group":    at.as(uuid.New()),
		"the same in another tenant": w.elsewhere.as(principal),
	} {
		p := as[page](outsider.do("GET", path+"&through_groups=true", "").want(http.StatusOK))
		for _, item := range p.Items {
			if _, found := want[item.PrincipalID]; found {
				t.Errorf("%s: got %+v", name, item)
			}
		}
	}
}
