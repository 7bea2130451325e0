package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/identity"
)

func TestPreferences(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.here.as(w.here.member)
	const path = "/v1/notifications/preferences"
	check := func(r reply, want string) {
		t.Helper()
		got := as[map[string]any](r.want(http.StatusOK))
		delete(got, "updated_at")
		if text := fmt.Sprint(got); text != want {
			t.Errorf("got %s, want %s", text, want)
		}
	}
	const defaults = "map[custom_actions:[] filter_mode:mutations inherited:map[custom_actions:installation " +
		"filter_mode:installation muted:installation muted_actions:installation] " +
		"muted:false muted_actions:[] muted_actors:[]]"
	check(c.do("GET", path, ""), defaults)
	check(c.do("PUT", path, `{}`), defaults)
	if got := w.count(`SELECT count(*) FROM fanfare.preferences`); got != 0 {
		t.Errorf("got %d stored rows, want 0", got)
	}
	check(
		c.do("PUT", path, `{"filter_mode":"custom","custom_actions":["a.*","b.?"]}`),
		"map[custom_actions:[a.* b.?] filter_mode:custom inherited:map[muted:installation muted_actions:installation] "+
			"muted:false muted_actions:[] muted_actors:[]]",
	)
	const muted = "map[custom_actions:[a.* b.?] filter_mode:custom inherited:map[] muted:true " +
		"muted_actions:[a.b *.c] muted_actors:[]]"
	check(c.do("PUT", path, `{"muted":true,"filter_mode":null,"muted_actions":["a.b","*.c","a.b"]}`), muted)
	check(c.do("GET", path, ""), muted)
	check(w.here.as(w.here.owner).do("GET", path, ""), defaults)

	tested := c.do("POST", path+"/test", `{"patterns":["a.*","[ab].x"],"actions":["a.x","c"]}`).want(http.StatusOK)
	want := `{"results":[{"action":"a.x","matches":true,"patterns":["a.*","[ab].x"]},` +
		`{"action":"c","matches":false,"patterns":[]}],"taxonomy":[],"patterns":[` +
		`{"pattern":"a.*","actions":0,"nearest":"activity.redacted"},` +
		`{"pattern":"[ab].x","actions":0,"nearest":"log.exported"}]}` + "\n"
	if got := string(tested.body); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestNotifications(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	type inbox struct {
		Items []struct {
			ID      uuid.UUID
			Reasons []string
			ReadAt  *string `json:"read_at"`
			Event   struct {
				EventID uuid.UUID `json:"event_id"`
				Actor   struct {
					DisplayName string `json:"display_name"`
				}
			}
		}
		UnreadCount int `json:"unread_count"`
	}
	read := func(c client, query string) inbox {
		t.Helper()
		return as[inbox](c.do("GET", "/v1/notifications"+query, "").want(http.StatusOK))
	}
	c := at.as(at.member)
	got := read(c, "")
	if len(got.Items) != 2 || got.UnreadCount != 2 || got.Items[0].ID != at.addressed || got.Items[1].ID != at.shown ||
		got.Items[0].ID != got.Items[0].Event.EventID {
		t.Fatalf("got %+v, want the notifications of the member, newest first", got)
	}
	if item := got.Items[1]; !slices.Equal(item.Reasons, []string{"subscribed"}) ||
		item.Event.Actor.DisplayName != "display name of "+at.id.String() ||
		item.ReadAt != nil {
		t.Errorf("got %+v, want a reason and the actor's name", item)
	}
	marked := as[struct {
		ReadAt *string `json:"read_at"`
	}](c.do("PATCH", "/v1/notifications/"+at.shown.String(), `{"read":true}`).want(http.StatusOK))
	if marked.ReadAt == nil {
		t.Error("got no read_at, want one")
	}
	if got := read(c, "?state=unread"); len(got.Items) != 1 || got.UnreadCount != 1 {
		t.Errorf("got %+v, want one unread", got)
	}
	// A notification that the caller may no longer see is neither returned nor counted nor marked.
	outsider := at.as(at.outsider)
	if got := read(outsider, ""); len(got.Items) != 0 || got.UnreadCount != 0 {
		t.Errorf("got %+v, want none after the loss of access", got)
	}
	all := outsider.do("POST", "/v1/notifications/mark-all-read", "{}").want(http.StatusOK)
	if got := as[map[string]int](all); got["marked_count"] != 0 {
		t.Errorf("got %v, want none marked", got)
	}
}

// TestMarkAllRead checks that up_to leaves younger notifications unread, and that the body may be
// absent or empty.
func TestMarkAllRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	c := w.here.as(w.here.member)
	for _, each := range []struct {
		body string
		want int
	}{
		{fmt.Sprintf(`{"up_to":%q}`, w.here.shown), 1},
		{fmt.Sprintf(`{"up_to":%q}`, w.here.shown), 0},
		{"{}", 1},
		{"", 0},
	} {
		got := as[map[string]int](c.do("POST", "/v1/notifications/mark-all-read", each.body).want(http.StatusOK))
		if got["marked_count"] != each.want {
			t.Errorf("%s: got %v, want %d", each.body, got, each.want)
		}
	}
	for _, body := range []string{`{"up_to":"x"}`, `{"before":1}`} {
		c.do("POST", "/v1/notifications/mark-all-read", body).want(http.StatusUnprocessableEntity)
	}
}

// TestSubscriptionActivities checks that creating and revoking a subscription are each recorded
// once.
func TestSubscriptionActivities(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	c := at.as(at.member).withHeader("X-Request-Id", "the-request").withHeader("User-Agent", "a browser")
	type made struct {
		ID    uuid.UUID
		Scope string
	}
	body := fmt.Sprintf(`{"resource_id":%q,"scope":"descendants"}`, at.folder)
	first := as[made](c.do("POST", "/v1/subscriptions", body).want(http.StatusCreated))
	again := as[made](c.do("POST", "/v1/subscriptions", body).want(http.StatusCreated))
	if first != again || first.Scope != "descendants" {
		t.Errorf("got %+v and then %+v, want the same", first, again)
	}
	for range 2 { // the second changes and records nothing
		c.do("DELETE", "/v1/subscriptions/"+first.ID.String(), "").want(http.StatusNoContent)
	}
	c.do("DELETE", "/v1/subscriptions/"+uuid.NewString(), "").want(http.StatusNotFound)

	rows, err := w.db.Pool.Query(t.Context(), `
		SELECT concat_ws(' ', a.action, a.visibility, a.resource_type, a.resource_id = $2, a.actor_principal_id = $3,
		                 a.correlation_id = $4, a.request_id, a.user_agent, a.payload)
		FROM fanfare.activities AS a
		WHERE a.tenant_id = $1 AND a.action LIKE 'subscription.%'
		ORDER BY a.id`, at.id, at.folder, at.member, first.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for _, action := range []string{"created", "revoked"} {
		var got string
		if !rows.Next() || rows.Scan(&got) != nil {
			t.Fatalf("no activity subscription.%s", action)
		}
		want := fmt.Sprintf(`subscription.%s private folder t t t the-request a browser `+
			`{"scope": "descendants", "subscription_id": "%s"}`, action, first.ID)
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if rows.Next() {
		t.Error("got more than two activities")
	}
}

func TestBulkSubscriptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	response := as[struct {
		Results []struct {
			Status       int
			Problem      string
			Subscription *struct{ ID uuid.UUID }
		}
	}](at.as(at.member).do("POST", "/v1/subscriptions/bulk", fmt.Sprintf(
		`{"subscriptions":[{"resource_id":%q},{"resource_id":%q},{"resource_id":%q,"scope":"descendants"},`+
			`{"resource_id":%q,"scope":"descendants"}]}`,
		at.signal,
		w.elsewhere.signal,
		at.folder,
		at.folder,
	)).want(http.StatusOK))
	var got []int
	for _, r := range response.Results {
		got = append(got, r.Status)
		if (r.Subscription == nil) != (r.Status == http.StatusNotFound) ||
			(r.Problem == "/problems/not-found") != (r.Status == http.StatusNotFound) {
			t.Errorf("got %+v, want a subscription or a problem", r)
		}
	}
	if want := []int{200, 404, 201, 200}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := w.count(`SELECT count(*) FROM fanfare.activities WHERE action = 'subscription.created'`); got != 1 {
		t.Errorf("got %d activities, want 1", got)
	}
}

func TestBulkLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	w.exec(`
		INSERT INTO fanfare.resources (tenant_id, id, parent_id, type)
		SELECT $1, fanfare.uuidv7(), $2, 'signal' FROM generate_series(1, 1000)`, at.id, at.folder)
	var body string
	err := w.db.Pool.QueryRow(t.Context(), `
		SELECT json_build_object('subscriptions', json_agg(json_build_object('resource_id', id)))
		FROM fanfare.resources
		WHERE tenant_id = $1 AND parent_id = $2 AND id <> $3`, at.id, at.folder, at.signal).Scan(&body)
	if err != nil {
		t.Fatal(err)
	}
	c := at.as(at.member)
	c.do("POST", "/v1/subscriptions/bulk", body).want(http.StatusOK)
	if got := w.count(`SELECT count(*) FROM fanfare.activities WHERE action = 'subscription.created'`); got != 1000 {
		t.Errorf("got %d activities, want 1000", got)
	}
	one := fmt.Sprintf(`{"subscriptions":[{"resource_id":%q},`, at.signal)
	c.do("POST", "/v1/subscriptions/bulk", strings.Replace(body, `{"subscriptions" : [`, one, 1)).
		want(http.StatusUnprocessableEntity)
}

func TestActivities(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	failed := at.record(
		activity.Envelope{
			Action:    "run.failed",
			Status:    activity.Failure,
			Severity:  activity.Critical,
			Message:   "Out of memory",
			RequestID: "r-1",
			UserAgent: "cli",
			IP:        "192.0.2.1",
		},
	)
	list := func(c client, path string) (ids []uuid.UUID) {
		t.Helper()
		for _, item := range as[page](c.do("GET", path, "").want(http.StatusOK)).Items {
			ids = append(ids, item.EventID)
		}
		return ids
	}
	for path, want := range map[string][]uuid.UUID{
		"/v1/activities":                                  {failed, at.addressed, at.shown},
		"/v1/activities?action=run.*":                     {failed},
		"/v1/activities?status=failure&severity=critical": {failed},
		"/v1/activities?q=memory":                         {failed},
		"/v1/activities?request_id=r-1":                   {failed},
		"/v1/activities?target=" + at.member.String():     {at.addressed},
		"/v1/activities?owner=" + at.delegator.String():   nil,
		"/v1/activities?resource=" + at.signal.String():   {failed, at.addressed, at.shown},
		"/v1/activities?resource_type=folder":             nil,
		"/v1/activities?until=2020-01-01T00:00:00Z":       nil,
	} {
		if got := list(at.as(at.member), path); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
	if got := list(at.as(at.delegator), "/v1/activities"); len(got) != 5 {
		t.Errorf("the delegator: got %d activities, want 5", len(got))
	}
	if got := list(at.as(at.outsider), "/v1/activities"); got != nil {
		t.Errorf("the outsider: got %v, want none", got)
	}
	auditor := at.as(at.outsider, identity.ScopeRead)
	if got := list(auditor, "/v1/audit"); len(got) != 5 {
		t.Errorf("the auditor: got %d activities, want 5", len(got))
	}
	count := as[map[string]any](auditor.do("GET", "/v1/audit/count?action=signal.*", "").want(http.StatusOK))
	if count["count"] != 4.0 || count["exact"] != true {
		t.Errorf("got %v, want 4, exact", count)
	}
	// Fields that could locate the actor are returned on audit routes only.
	shown := as[map[string]any](at.as(at.member).do("GET", "/v1/activities/"+failed.String(), "").want(http.StatusOK))
	if _, hashed := shown["ip_hash"]; hashed || shown["message"] != "Out of memory" ||
		shown["owner_id"] != at.owner.String() ||
		shown["status"] != "failure" {
		t.Errorf("got %v, want the stored fields without those of audit routes", shown)
	}
	audit := auditor.do("GET", "/v1/audit?action=run.*", "").want(http.StatusOK)
	audited := as[struct{ Items []map[string]any }](audit).Items[0]
	if hash, _ := audited["ip_hash"].(string); len(hash) != 64 || audited["user_agent"] != "cli" {
		t.Errorf("got %v, want the fields of audit routes too", audited)
	}
}
