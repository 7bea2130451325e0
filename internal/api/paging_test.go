package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/identity"
)

// page has the common fields of lists.
type page struct {
	Items []struct {
		ID      uuid.UUID `json:"id"`
		EventID uuid.UUID `json:"event_id"`
	} `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

// walk reads all pages of a list, and calls meanwhile between two pages.
func walk(t *testing.T, c client, list string, meanwhile func()) (ids []uuid.UUID) {
	t.Helper()
	for target := list; ; {
		p := as[page](c.do("GET", target, "").want(http.StatusOK))
		for _, item := range p.Items {
			if item.ID == uuid.Nil {
				item.ID = item.EventID
			}
			ids = append(ids, item.ID)
		}
		if p.NextCursor == nil {
			return ids
		}
		meanwhile()
		target = list + "&cursor=" + url.QueryEscape(*p.NextCursor)
	}
}

// TestPages checks that pages return each item that exists when the first page is read once and in
// order, while items are added.
func TestPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	var recorded []uuid.UUID
	record := func() {
		id := at.record(activity.Envelope{Action: "signal.updated"})
		at.notify(at.member, id)
		recorded = append(recorded, id)
	}
	for range 12 {
		record()
	}
	for _, list := range []string{
		"/v1/notifications?state=unread", "/v1/activities?action=signal.updated",
		"/v1/audit?resource=" + at.signal.String() + "&action=*.updated",
	} {
		for _, limit := range []int{1, 5, 200} {
			before := len(recorded)
			got := walk(t, at.as(at.member, identity.ScopeRead), fmt.Sprintf("%s&limit=%d", list, limit), record)
			position := map[uuid.UUID]int{}
			for i, id := range got {
				if at, twice := position[id]; twice {
					t.Errorf("%s, limit %d: got %s at %d and at %d", list, limit, id, at, i)
				}
				position[id] = i
			}
			last := -1
			for i := before - 1; i >= 0; i-- {
				at, found := position[recorded[i]]
				if !found || at < last {
					t.Errorf(
						"%s, limit %d: activity %d of %d: got place %d, found %v, want it after place %d",
						list,
						limit,
						i,
						before,
						at,
						found,
						last,
					)
				}
				last = at
			}
		}
	}
}

func TestPagesOfSubscriptionsAndWatchers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	for range 9 {
		resource, principal := uuid.New(), uuid.New()
		w.exec(
			`INSERT INTO fanfare.resources (tenant_id, id, parent_id, type) VALUES ($1, $2, $3, 'signal')`,
			at.id,
			resource,
			at.folder,
		)
		w.exec(
			`INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id)
			 VALUES ($1, $2, $3), ($1, $4, $5)`,
			at.id,
			at.member,
			resource,
			principal,
			at.signal,
		)
	}
	if got := walk(t, at.as(at.member), "/v1/subscriptions?limit=4", func() {}); len(got) != 10 {
		t.Errorf("subscriptions: got %d, want 10", len(got))
	}
	seen := 0
	for target := "/v1/resources/" + at.signal.String() + "/watchers?limit=5"; target != ""; {
		p := as[page](at.as(at.delegator).do("GET", target, "").want(http.StatusOK))
		seen += len(p.Items)
		if target = ""; p.NextCursor != nil {
			target = "/v1/resources/" + at.signal.String() + "/watchers?limit=5&cursor=" + *p.NextCursor
		}
	}
	if seen != 12 { // nine subscribers, the member, the owner and the delegator
		t.Errorf("watchers: got %d, want 12", seen)
	}
}
