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
	job := at.wait("fan_out_jobs", "notified, started_at", "5000, '2026-03-01Z'")
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
		t.Errorf("got %+v, want the job of the tenant", jobs)
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
