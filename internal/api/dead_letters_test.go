package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/identity"
)

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	operator := at.as(at.outsider, identity.ScopeAdmin)
	letters := as[struct {
		Items []struct {
			ActivityID uuid.UUID `json:"activity_id"`
			Error      string
		}
	}](operator.do("GET", "/v1/outbox/dead", "").want(http.StatusOK)).Items
	if len(letters) != 1 || letters[0].ActivityID != at.dead || letters[0].Error != "too large" {
		t.Errorf("got %+v, want the one of the tenant", letters)
	}
	// The nil UUID does not select all dead letters.
	operator.do("POST", "/v1/outbox/dead/"+uuid.Nil.String()+"/replay", "").want(http.StatusUnprocessableEntity)
	replay := operator.do("POST", "/v1/outbox/dead/"+at.dead.String()+"/replay", "").want(http.StatusOK)
	if got := as[map[string]int](replay); got["replayed"] != 1 {
		t.Errorf("got %v, want one replayed", got)
	}
	status := as[map[string]any](operator.do("GET", "/v1/outbox", "").want(http.StatusOK))
	if status["dead_letters"] != 0.0 || status["pending"] != 5.0 {
		t.Errorf("got %v, want none dead and five pending, with the record", status)
	}
	if got := w.count(`SELECT count(*) FROM fanfare.dead_letters`); got != 1 {
		t.Errorf("got %d dead letters left, want the one of the other tenant", got)
	}
}

// bury records activities that are dead letters with an error, of an action, and that died at a
// time.
func (at *tenant) bury(n int, action, text string, diedAt time.Time) (ids []uuid.UUID) {
	at.w.t.Helper()
	for range n {
		id := at.record(activity.Envelope{Action: action, Visibility: activity.Private})
		at.w.exec(`
			WITH deleted AS (DELETE FROM fanfare.outbox WHERE activity_id = $1 RETURNING *)
			INSERT INTO fanfare.dead_letters (
			    activity_id, lane, seq, tenant_id, resource_id, recorded_at, attempts, error, died_at)
			SELECT activity_id, lane, seq, tenant_id, resource_id, recorded_at, 3, $2, $3 FROM deleted`,
			id, fmt.Sprintf(text, uuid.New(), len(ids)), diedAt)
		ids = append(ids, id)
	}
	return ids
}

type letterPage struct {
	Items []struct {
		ActivityID uuid.UUID `json:"activity_id"`
		Error      string
	}
	NextCursor string `json:"next_cursor"`
}

// letters returns the dead letters that a query selects, page by page.
func letters(c client, query string) (ids []uuid.UUID) {
	c.t.Helper()
	for cursor := ""; ; {
		target := "/v1/outbox/dead?limit=2&" + query + "&cursor=" + url.QueryEscape(cursor)
		page := as[letterPage](c.do("GET", target, "").want(http.StatusOK))
		for _, item := range page.Items {
			ids = append(ids, item.ActivityID)
		}
		if cursor = page.NextCursor; cursor == "" {
			return ids
		}
		if len(page.Items) != 2 {
			c.t.Fatalf("got a page of %d items before the last one, want 2", len(page.Items))
		}
	}
}

const (
	noChannel = "channel chat:%s.%d: unknown namespace"
	tooLarge  = "message of %[2]d bytes for %[1]s: too_large 100%%"
)

func TestDeadLetterFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	w.exec(`DELETE FROM fanfare.dead_letters`)
	day := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }
	old := at.bury(3, "chat.posted", noChannel, day(1))
	young := at.bury(2, "chat.edited", noChannel, day(2))
	large := at.bury(3, "file.uploaded", tooLarge, day(2))
	w.elsewhere.bury(3, "chat.posted", noChannel, day(1))
	c := at.as(at.outsider, identity.ScopeAdmin)
	all := slices.Concat(old, young, large)
	kind := url.QueryEscape("channel chat:<id>.<n>: unknown namespace")
	raw := url.QueryEscape(fmt.Sprintf(noChannel, uuid.New(), 99))
	for query, want := range map[string][]uuid.UUID{
		"":                                    all,
		"error=UNKNOWN":                       slices.Concat(old, young),
		"error=too_large%20100%25":            large,
		"error=o_large":                       large,
		"error=too%25":                        nil,
		"error_kind=" + kind:                  slices.Concat(old, young),
		"error_kind=" + raw:                   slices.Concat(old, young),
		"action=chat.*":                       slices.Concat(old, young),
		"action=chat.edited&error=namespace":  young,
		"resource_type=signal":                all,
		"resource_type=folder":                nil,
		"resource=" + at.signal.String():      all,
		"resource=" + w.elsewhere.id.String(): nil,
		"since=2026-03-02T00:00:00Z":          slices.Concat(young, large),
		"until=2026-03-02T00:00:00Z":          old,
		"since=2026-03-01T00:00:00Z&until=2026-03-01T00:00:01Z&action=chat*": old,
	} {
		got := letters(c, query)
		newest := func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) }
		slices.SortFunc(want, newest)
		slices.SortFunc(got, newest)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", query, got, want)
		}
	}
	first := as[letterPage](c.do("GET", "/v1/outbox/dead?limit=2", "").want(http.StatusOK))
	other := w.elsewhere.as(w.elsewhere.member, identity.ScopeAdmin)
	next := "cursor=" + url.QueryEscape(first.NextCursor)
	other.do("GET", "/v1/outbox/dead?limit=2&"+next, "").want(http.StatusBadRequest)
	c.do("GET", "/v1/outbox/dead?action=chat.*&"+next, "").want(http.StatusBadRequest)
	c.do("GET", "/v1/outbox/dead?since=2026-03-02T00:00:00Z&until=2026-03-01T00:00:00Z", "").
		want(http.StatusUnprocessableEntity)

	type group struct {
		ErrorKind string `json:"error_kind"`
		Action    string
		Count     int
		OldestAt  time.Time `json:"oldest_at"`
		NewestAt  time.Time `json:"newest_at"`
		SampleID  uuid.UUID `json:"sample_activity_id"`
	}
	groups := as[struct {
		Items []group
		Exact bool
	}](c.do("GET", "/v1/outbox/dead/groups", "").want(http.StatusOK))
	if len(groups.Items) != 3 || !groups.Exact {
		t.Fatalf("got %+v, want three groups", groups)
	}
	for _, g := range groups.Items {
		if g.Action == "chat.edited" && (g.Count != 2 || g.ErrorKind != "channel chat:<id>.<n>: unknown namespace" ||
			!g.OldestAt.Equal(day(2)) || !g.NewestAt.Equal(day(2)) || g.SampleID != young[1]) {
			t.Errorf("got %+v, want the two of day 2", g)
		}
	}
	if n := len(letters(c, "error_kind="+url.QueryEscape(groups.Items[0].ErrorKind)+"&action="+
		groups.Items[0].Action)); n != groups.Items[0].Count {
		t.Errorf("got %d dead letters of the first group, want %d", n, groups.Items[0].Count)
	}
}

// TestChangeDeadLetters replays and discards in several requests, and checks what is recorded.
func TestChangeDeadLetters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	w.exec(`DELETE FROM fanfare.dead_letters`)
	chats := at.bury(7, "chat.posted", noChannel, day)
	at.bury(2, "file.uploaded", tooLarge, day)
	w.elsewhere.bury(7, "chat.posted", noChannel, day)
	c := at.as(at.outsider, identity.ScopeAdmin)
	type changed struct {
		Count, Remaining int
		Until            time.Time
	}
	change := func(what, body string) changed {
		t.Helper()
		return as[changed](c.do("POST", "/v1/outbox/dead/"+what, body).want(http.StatusOK))
	}
	first := change("replay", `{"filter":{"action":"chat.*"},"limit":3}`)
	if first.Count != 3 || first.Remaining != 4 || time.Since(first.Until) > timeout {
		t.Errorf("got %+v, want 3 and 4 remaining, until now", first)
	}
	// What dies again after the first request is not replayed by the next.
	w.exec(`WITH gone AS (DELETE FROM fanfare.outbox WHERE activity_id = $1 RETURNING *)
		INSERT INTO fanfare.dead_letters (activity_id, lane, seq, tenant_id, resource_id, recorded_at, attempts, error)
		SELECT activity_id, lane, seq, tenant_id, resource_id, recorded_at, 3, 'again' FROM gone`, chats[0])
	until := first.Until.Format(time.RFC3339Nano)
	second := change("replay", fmt.Sprintf(`{"filter":{"action":"chat.*","until":%q}}`, until))
	if second.Count != 4 || second.Remaining != 0 || !second.Until.Equal(first.Until) {
		t.Errorf("got %+v, want the 4 others until %s", second, until)
	}
	if got := letters(c, "action=chat.*"); len(got) != 1 || got[0] != chats[0] {
		t.Errorf("got %v dead, want the one that died again", got)
	}
	if got := w.count(`SELECT count(*) FROM fanfare.outbox WHERE activity_id = ANY ($1)`, chats[1:]); got != 6 {
		t.Errorf("got %d in the outbox, want the 6 replayed", got)
	}
	if got := change("discard", `{"filter":{"error":"too_large"},"limit":1}`); got.Count != 1 || got.Remaining != 1 {
		t.Errorf("got %+v, want one discarded and one left", got)
	}
	one := fmt.Sprintf(`{"filter":{"activity_id":%q}}`, chats[0])
	if got := change("discard", one); got.Count != 1 || got.Remaining != 0 {
		t.Errorf("got %+v, want the one discarded", got)
	}
	if got := change("discard", one); got.Count != 0 {
		t.Errorf("got %+v, want none left", got)
	}
	c.do("GET", "/v1/activities/"+chats[0].String(), "").want(http.StatusNotFound) // private
	if got := w.count(`SELECT count(*) FROM fanfare.activities WHERE id = $1`, chats[0]); got != 1 {
		t.Error("a discarded activity is no longer in the log")
	}
	if got := w.count(`SELECT count(*) FROM fanfare.dead_letters WHERE tenant_id = $1`, w.elsewhere.id); got != 7 {
		t.Errorf("got %d dead letters of the other tenant, want 7", got)
	}
	var records []map[string]any
	for _, item := range as[struct {
		Items []struct {
			Action string
			Actor  struct {
				PrincipalID uuid.UUID `json:"principal_id"`
			}
			Payload map[string]any
		}
	}](c.do("GET", "/v1/audit?action=outbox.*", "").want(http.StatusOK)).Items {
		if item.Actor.PrincipalID != at.outsider {
			t.Errorf("got the actor %s, want the caller %s", item.Actor.PrincipalID, at.outsider)
		}
		records = append(records, map[string]any{
			"action": item.Action, "count": item.Payload["count"],
			"filter": item.Payload["filter"],
		})
	}
	want := []map[string]any{
		{"action": "outbox.discarded", "count": 1.0, "filter": map[string]any{"activity_id": chats[0].String()}},
		{"action": "outbox.discarded", "count": 1.0, "filter": map[string]any{"error": "too_large"}},
		{"action": "outbox.replayed", "count": 4.0, "filter": map[string]any{"action": "chat.*", "until": until}},
		{"action": "outbox.replayed", "count": 3.0, "filter": map[string]any{"action": "chat.*"}},
	}
	if diff := cmp.Diff(want, records); diff != "" {
		t.Errorf("the log (-want +got):\n%s", diff)
	}
	for _, body := range []string{
		`{}`, `{"filter":null}`, `{"filter":{},"limit":0}`, `{"filter":{},"limit":1001}`,
		`{"filter":{"tenant_id":"x"}}`,
		`{"filter":{"activity_id":"00000000-0000-0000-0000-000000000000"}}`,
	} {
		c.do("POST", "/v1/outbox/dead/discard", body).want(http.StatusUnprocessableEntity)
	}
}
