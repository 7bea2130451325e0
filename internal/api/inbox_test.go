package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// inboxPage is a response of GET /notifications.
type inboxPage struct {
	Items []struct {
		ID           uuid.UUID
		SeenAt       *time.Time `json:"seen_at"`
		ReadAt       *time.Time `json:"read_at"`
		ArchivedAt   *time.Time `json:"archived_at"`
		SnoozedUntil *time.Time `json:"snoozed_until"`
	}
	Groups []struct {
		Filter        json.RawMessage
		Total, Unread int
		ActorCount    int `json:"actor_count"`
		Actors        []struct {
			PrincipalID uuid.UUID `json:"principal_id"`
			DisplayName string    `json:"display_name"`
		}
		Items []struct{ ID uuid.UUID }
	}
	NextCursor  *string `json:"next_cursor"`
	UnreadCount int     `json:"unread_count"`
}

func (c client) inbox(query string) inboxPage {
	c.t.Helper()
	return as[inboxPage](c.do("GET", "/v1/notifications?"+query, "").want(http.StatusOK))
}

// counts returns the response of GET /notifications/counts.
func (c client) counts() map[string]int {
	c.t.Helper()
	return as[map[string]int](c.do("GET", "/v1/notifications/counts", "").want(http.StatusOK))
}

// TestStatesOfANotification takes one notification through all states by PATCH, and back.
func TestStatesOfANotification(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	c := at.as(at.member)
	path := "/v1/notifications/" + at.shown.String()
	until := time.Now().Add(time.Hour).UTC().Format(time.RFC3339Nano)
	for _, step := range []struct {
		body   string
		states []string // that list the notification
		counts string
	}{
		{`{"seen":true}`, []string{"inbox", "unread", "all"}, "map[archived:0 inbox:2 snoozed:0 unread:2 unseen:1]"},
		{`{"read":true}`, []string{"inbox", "all"}, "map[archived:0 inbox:2 snoozed:0 unread:1 unseen:1]"},
		{`{"archived":true}`, []string{"archived", "all"}, "map[archived:1 inbox:1 snoozed:0 unread:1 unseen:1]"},
		{
			`{"archived":false,"snoozed_until":"` + until + `"}`,
			[]string{"snoozed", "all"},
			"map[archived:0 inbox:1 snoozed:1 unread:1 unseen:1]",
		},
		{`{"snoozed_until":null}`, []string{"inbox", "all"}, "map[archived:0 inbox:2 snoozed:0 unread:1 unseen:1]"},
		{
			`{"seen":false,"read":false}`,
			[]string{"inbox", "unread", "unseen", "all"},
			"map[archived:0 inbox:2 snoozed:0 unread:2 unseen:2]",
		},
	} {
		changed := c.do("PATCH", path, step.body).want(http.StatusOK)
		if got := c.do("GET", path, "").want(http.StatusOK); string(got.body) != string(changed.body) {
			t.Errorf("%s: GET returns %s\nwant as PATCH %s", step.body, got.body, changed.body)
		}
		var states []string
		for _, state := range []string{"inbox", "unread", "unseen", "archived", "snoozed", "all"} {
			for _, item := range c.inbox("state=" + state).Items {
				if item.ID == at.shown {
					states = append(states, state)
				}
			}
		}
		if !slices.Equal(states, step.states) {
			t.Errorf("%s: got it in %q, want %q", step.body, states, step.states)
		}
		if got := fmt.Sprint(c.counts()); got != step.counts {
			t.Errorf("%s: got %s, want %s", step.body, got, step.counts)
		}
	}
}

// TestGroupsOfNotifications checks the pages of groups, and that the filter of a group lists and
// marks its notifications.
func TestGroupsOfNotifications(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	c := at.as(at.member)
	for n := range 12 {
		e := activity.Envelope{Action: "signal.updated", CorrelationID: uuid.UUID{1, byte(n)}}
		if n%2 == 0 {
			e.ResourceID = at.folder
		}
		at.notify(at.member, at.record(e))
	}
	for by, groups := range map[string]int{"resource": 2, "correlation": 14, "burst": 2} {
		total, seen := 0, map[string]bool{}
		for query := "state=all&limit=1&group_by=" + by; query != ""; {
			page := c.inbox(query)
			for _, g := range page.Groups {
				if seen[string(g.Filter)] {
					t.Errorf("by %s: got %s twice", by, g.Filter)
				}
				seen[string(g.Filter)], total = true, total+g.Total
				list := url.Values{"state": {"all"}, "limit": {"200"}}
				for name, value := range as[map[string]string](reply{t: t, body: g.Filter}) {
					list.Set(name, value)
				}
				if got := len(c.inbox(list.Encode()).Items); got != g.Total || len(g.Items) != min(g.Total, 3) ||
					g.ActorCount != 1 || g.Actors[0].PrincipalID != at.owner || g.Actors[0].DisplayName == "" {
					t.Errorf("by %s, %s: got %d listed, group %+v", by, g.Filter, got, g)
				}
			}
			if query = ""; page.NextCursor != nil {
				query = "state=all&limit=1&group_by=" + by + "&cursor=" + *page.NextCursor
			}
		}
		if total != 14 || len(seen) != groups {
			t.Errorf("by %s: got %d notifications in %d groups, want 14 in %d", by, total, len(seen), groups)
		}
	}
	first := c.inbox("limit=1&group_by=resource")
	for _, other := range []string{"limit=1", "limit=1&group_by=burst", "limit=1&group_by=resource&state=all"} {
		c.do("GET", "/v1/notifications?"+other+"&cursor="+*first.NextCursor, "").want(http.StatusBadRequest)
	}
	body := fmt.Sprintf(`{"filter":%s,"changes":{"archived":true}}`, first.Groups[0].Filter)
	marked := as[struct {
		Count int
		IDs   []uuid.UUID
	}](c.do("POST", "/v1/notifications/mark", body).want(http.StatusOK))
	if marked.Count != first.Groups[0].Total || len(marked.IDs) != marked.Count {
		t.Errorf("marked the first group: got %+v, want %d", marked, first.Groups[0].Total)
	}
	if got := c.counts(); got["archived"] != marked.Count || got["inbox"] != 14-marked.Count {
		t.Errorf("got %v, want %d archived of 14", got, marked.Count)
	}
	ids, err := json.Marshal(marked.IDs)
	if err != nil {
		t.Fatal(err)
	}
	c.do("POST", "/v1/notifications/mark", fmt.Sprintf(`{"filter":null,"ids":%s,"changes":{"archived":false}}`, ids)).
		want(http.StatusOK)
	if got := c.counts(); got["archived"] != 0 || got["inbox"] != 14 {
		t.Errorf("undone: got %v, want all in the inbox", got)
	}
}

// TestFiltersOfNotifications checks each filter of the list, with a value that one notification of
// two has.
func TestFiltersOfNotifications(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	c := at.as(at.member)
	id := at.record(activity.Envelope{
		Action: "plan.made", ResourceID: at.folder, ActorPrincipalID: at.delegator, OwnerID: at.outsider,
		TargetPrincipalID: at.member, CorrelationID: uuid.New(), RequestID: "r-1", Status: activity.Failure,
		Severity: activity.Critical, Category: "plans", Message: "a needle",
	})
	at.notify(at.member, id)
	var correlation uuid.UUID
	err := w.db.Pool.QueryRow(t.Context(), `SELECT correlation_id FROM fanfare.activities WHERE id = $1`, id).
		Scan((*[16]byte)(&correlation))
	if err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{
		"action=plan.*", "resource=" + at.folder.String(), "actor=" + at.delegator.String(), "request_id=r-1",
		"status=failure", "severity=critical", "category=plans", "q=NEEDLE", "correlation_id=" + correlation.String(),
		"target=" + at.member.String() + "&severity=critical", "since=2026-01-01T00:00:00Z&action=plan.made",
	} {
		if got := c.inbox(query).Items; len(got) != 1 || got[0].ID != id {
			t.Errorf("%s: got %+v, want %s", query, got, id)
		}
	}
	for _, query := range []string{
		"reason=owner", "until=2026-01-01T00:00:00Z", "resource_type=folder", "owner=" + uuid.NewString(), "q=absent",
	} {
		if got := c.inbox(query).Items; len(got) != 0 {
			t.Errorf("%s: got %+v, want none", query, got)
		}
	}
	if got := c.inbox("reason=subscribed").Items; len(got) != 3 {
		t.Errorf("reason=subscribed: got %d, want 3", len(got))
	}
}
