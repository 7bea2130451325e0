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

// wait records an activity and moves it to a table of activities that wait.
func (at *tenant) wait(table, columns, values string) uuid.UUID {
	at.w.t.Helper()
	id := at.record(activity.Envelope{Action: "signal.waits"})
	at.w.exec(fmt.Sprintf(`
		WITH taken AS (DELETE FROM fanfare.outbox WHERE activity_id = $1 RETURNING *)
		INSERT INTO fanfare.%s (activity_id, lane, seq, tenant_id, resource_id, recorded_at, %s)
		SELECT activity_id, lane, seq, tenant_id, resource_id, recorded_at, %s FROM taken`, table, columns, values), id)
	return id
}

func TestWaitingActivities(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	failing := at.wait("parked", "attempts, retry_at, error, channels", "3, now(), 'too large', '{chat:x}'")
	blocked := at.wait("parked", "attempts", "0")
	// The folder has three subscribers and a group of two, of whom the job has passed some. A
	// subscription to the folder alone, and a revoked one, do not reach the signal.
	principal := func(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }
	for n, scope := range []string{"descendants", "descendants", "descendants", "resource"} {
		w.exec(`INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id, scope)
			VALUES ($1, $2, $3, $4)`, at.id, principal(n), at.folder, scope)
	}
	w.exec(`INSERT INTO fanfare.memberships (tenant_id, group_id, principal_id) VALUES ($1, $2, $3), ($1, $2, $4)`,
		at.id, principal(9), principal(1), principal(8))
	w.exec(`INSERT INTO fanfare.subscriptions (tenant_id, principal_id, resource_id, scope, revoked_at) VALUES
		($1, $2, $3, 'descendants', NULL), ($1, $4, $3, 'descendants', now())`,
		at.id, principal(9), at.folder, principal(7))
	job := at.wait("fan_out_jobs", "notified, started_at, last_principal_id",
		"5000, '2026-03-01Z', '"+principal(1)+"'")
	w.elsewhere.wait("parked", "attempts", "7")
	w.elsewhere.wait("fan_out_jobs", "notified", "9")
	c := at.as(at.outsider, identity.ScopeAdmin)

	type page struct {
		Items []struct {
			ActivityID   uuid.UUID `json:"activity_id"`
			Action       string
			ResourceName string `json:"resource_name"`
			Attempts     int
			RetryAt      *string `json:"retry_at"`
			Channels     []string
			Error        string
			Notified     int
			Progress     *float64
			Audience     *int
			StartedAt    string `json:"started_at"`
		}
		NextCursor string `json:"next_cursor"`
	}
	get := func(path string) page {
		t.Helper()
		return as[page](c.do("GET", "/v1/outbox/"+path, "").want(http.StatusOK))
	}
	first := get("parked?limit=1")
	if len(first.Items) != 1 || first.Items[0].ActivityID != blocked || first.Items[0].RetryAt != nil {
		t.Fatalf("got %+v, want the blocked one", first)
	}
	second := get("parked?limit=1&cursor=" + url.QueryEscape(first.NextCursor))
	if len(second.Items) != 1 || second.NextCursor != "" {
		t.Fatalf("got %+v, want one on the last page", second)
	}
	if got := second.Items[0]; got.ActivityID != failing || got.Attempts != 3 || got.RetryAt == nil ||
		got.Error != "too large" || got.Action != "signal.waits" || got.ResourceName != "the signal" ||
		len(got.Channels) != 1 {
		t.Errorf("got %+v, want the failing one", got)
	}
	if got := get("parked?failing=true"); len(got.Items) != 1 || got.Items[0].ActivityID != failing {
		t.Errorf("got %+v, want the failing one", got)
	}
	c.do("GET", "/v1/outbox/parked?failing=true&cursor="+url.QueryEscape(first.NextCursor), "").
		want(http.StatusBadRequest)
	jobs := get("jobs")
	if len(jobs.Items) != 1 || jobs.Items[0].ActivityID != job || jobs.Items[0].Notified != 5000 {
		t.Fatalf("got %+v, want the job of the tenant", jobs)
	}
	// With the member, who subscribes to the signal, and the group itself.
	if got := jobs.Items[0]; got.Audience == nil || *got.Audience != 7 ||
		got.Progress == nil || *got.Progress != 3.0/7 {
		t.Errorf("got %+v, want an audience of 7, of whom 3 are passed", got)
	}

	lanes := as[struct {
		Items []struct {
			Lane, Pending, Parked, Failing int
			FanOutJobs                     int     `json:"fan_out_jobs"`
			OldestAt                       *string `json:"oldest_at"`
		}
	}](c.do("GET", "/v1/outbox/lanes", "").want(http.StatusOK)).Items
	if len(lanes) != 64 {
		t.Fatalf("got %d lanes, want 64", len(lanes))
	}
	used := w.count(`SELECT fanfare.lane_of($1, $2)`, at.id, at.signal)
	for i, lane := range lanes {
		want := fmt.Sprint(i, 0, 0, 0, 0, true)
		if i == used {
			want = fmt.Sprint(i, 3, 2, 1, 1, false)
		}
		got := fmt.Sprint(lane.Lane, lane.Pending, lane.Parked, lane.Failing, lane.FanOutJobs, lane.OldestAt == nil)
		if got != want {
			t.Errorf("lane %d: got %s, want %s", i, got, want)
		}
	}
}
