package api_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/api"
)

func TestWatchLevels(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	c := at.as(at.delegator)
	path := "/v1/watch-levels/" + at.signal.String()
	none := as[api.EffectiveLevel](c.do("GET", path, "").want(http.StatusOK))
	if none.ResourceID != at.signal || none.Level != nil || none.From != nil || none.Scope != nil ||
		none.Patterns == nil || none.UpdatedAt != nil {
		t.Errorf("none: got %+v", none)
	}

	got := as[api.WatchLevel](c.do("PUT", path, `{"level":"ignore"}`).want(http.StatusOK))
	if got.ResourceID != at.signal || got.Level != "ignore" || got.Scope != "resource" || len(got.Patterns) != 0 ||
		got.UpdatedAt.IsZero() {
		t.Errorf("set: got %+v", got)
	}
	got = as[api.WatchLevel](c.do("PUT", path,
		`{"level":"custom","scope":"descendants","patterns":["a.*","b.*","a.*"]}`).want(http.StatusOK))
	if got.Level != "custom" || got.Scope != "descendants" || !slices.Equal(got.Patterns, []string{"a.*", "b.*"}) {
		t.Errorf("replaced: got %+v", got)
	}
	got = as[api.WatchLevel](c.do("PUT", path, `{"level":"participating","patterns":[]}`).want(http.StatusOK))
	if got.Level != "participating" || got.Scope != "resource" || len(got.Patterns) != 0 {
		t.Errorf("replaced again: got %+v, want nothing of the level before", got)
	}
	read := as[api.EffectiveLevel](c.do("GET", path, "").want(http.StatusOK))
	if *read.Level != got.Level || *read.From != at.signal || !read.UpdatedAt.Equal(got.UpdatedAt) {
		t.Errorf("read: got %+v, want %+v", read, got)
	}
	got = as[api.WatchLevel](c.do("PUT", path, `{"level":"all","scope":null,"patterns":null}`).want(http.StatusOK))
	if got.Level != "all" || got.Scope != "resource" || len(got.Patterns) != 0 {
		t.Errorf("with nulls: got %+v, want the defaults", got)
	}
	if other := as[api.EffectiveLevel](at.as(at.owner).do("GET", path, "").want(http.StatusOK)); other.Level != nil {
		t.Errorf("of another principal: got %+v, want none", other)
	}

	// Access that is lost does not take away what the caller may read and remove of its own.
	w.exec(`UPDATE fanfare.role_bindings SET revoked_at = now() WHERE tenant_id = $1 AND principal_id = $2`,
		at.id, at.delegator)
	c.do("PUT", path, `{"level":"all"}`).want(http.StatusNotFound)
	c.do("GET", path, "").want(http.StatusOK)
	for range 2 {
		c.do("DELETE", path, "").want(http.StatusNoContent)
	}
	c.do("GET", path, "").want(http.StatusNotFound)
	if n := w.count(`SELECT count(*) FROM fanfare.watch_levels WHERE principal_id = $1`, at.delegator); n != 0 {
		t.Errorf("rows: got %d, want 0", n)
	}
}

func TestPagesOfWatchLevels(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	want := map[uuid.UUID]bool{}
	for range 9 {
		resource := uuid.New()
		want[resource] = true
		w.exec(`INSERT INTO fanfare.watch_levels (tenant_id, principal_id, resource_id, level)
			VALUES ($1, $2, $3, 'ignore'), ($1, $4, $3, 'all')`, at.id, at.outsider, resource, at.owner)
	}
	for target := "/v1/watch-levels?limit=4"; target != ""; {
		p := as[struct {
			Items      []api.WatchLevel
			NextCursor *string `json:"next_cursor"`
		}](at.as(at.outsider).do("GET", target, "").want(http.StatusOK))
		for _, item := range p.Items {
			if !want[item.ResourceID] || item.Level != "ignore" {
				t.Errorf("got %+v, want each level of the caller once", item)
			}
			delete(want, item.ResourceID)
		}
		if target = ""; p.NextCursor != nil {
			target = "/v1/watch-levels?limit=4&cursor=" + *p.NextCursor
		}
	}
	if len(want) > 0 {
		t.Errorf("got no %v", want)
	}
}
