package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/api"
	"github.com/fanfarehq/fanfare/internal/identity"
)

type resourcePage struct {
	Items      []api.DirectoryResource
	NextCursor *string `json:"next_cursor"`
	Complete   bool
}

// names returns the names of a list of resources, one page after the other.
func (c client) names(query url.Values) string {
	c.t.Helper()
	var names []string
	for {
		page := as[resourcePage](c.do("GET", "/v1/resources?"+query.Encode(), "").want(http.StatusOK))
		for _, item := range page.Items {
			names = append(names, item.Name)
		}
		if page.NextCursor == nil {
			slices.Sort(names)
			return strings.Join(names, ", ")
		}
		query.Set("cursor", *page.NextCursor)
	}
}

func TestResources(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	w.exec(`INSERT INTO fanfare.resources (tenant_id, id, parent_id, type, name)
		SELECT $1, gen_random_uuid(), $2, 'signal', 'signal ' || n FROM generate_series(1, 5) AS n`, at.id, at.folder)
	signals := "signal 1, signal 2, signal 3, signal 4, signal 5, the signal"
	for _, tt := range []struct {
		what  string
		c     client
		query url.Values
		want  string
	}{
		{"the highest of a member", at.as(at.member), url.Values{}, "the folder"},
		{"the highest of an owner", at.as(at.owner), url.Values{}, "the signal"},
		{"the highest of an outsider", at.as(at.outsider), url.Values{}, ""},
		{"with the scope", at.as(at.outsider, identity.ScopeRead), url.Values{}, "the folder"},
		{"below", at.as(at.member), url.Values{"parent_id": {at.folder.String()}, "limit": {"2"}}, signals},
		{"a text", at.as(at.member), url.Values{"q": {"SIGNAL"}, "limit": {"2"}}, signals},
		{
			"a text with the scope", at.as(at.outsider, identity.ScopeRead),
			url.Values{"q": {"The "}, "limit": {"1"}},
			"the folder, the signal",
		},
		{"an owner's text", at.as(at.owner), url.Values{"q": {"signal"}, "limit": {"1"}}, "the signal"},
		{"a pattern", at.as(at.member), url.Values{"q": {"%"}}, ""},
		{"empty", at.as(at.member), url.Values{"q": {""}, "parent_id": {""}, "cursor": {""}}, "the folder"},
	} {
		if got := tt.c.names(tt.query); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.what, got, tt.want)
		}
	}
	got := as[api.ResourceDetails](at.as(at.member).do("GET", "/v1/resources/"+at.signal.String(), "").
		want(http.StatusOK))
	if got.ParentID == nil || *got.ParentID != at.folder || got.Owner || len(got.Roles) != 0 || got.HasChildren ||
		len(got.Ancestors) != 1 || got.Ancestors[0].ResourceID != at.folder ||
		!slices.Equal(got.Ancestors[0].Roles, []string{"viewer"}) || !got.Ancestors[0].HasChildren {
		t.Errorf("a member: got %+v", got)
	}
	got = as[api.ResourceDetails](at.as(at.owner).do("GET", "/v1/resources/"+at.signal.String(), "").
		want(http.StatusOK))
	if got.ParentID != nil || !got.Owner || len(got.Ancestors) != 0 {
		t.Errorf("an owner without a role: got %+v, want no parent", got)
	}
	first := as[resourcePage](at.as(at.member).do("GET", "/v1/resources?limit=2&parent_id="+at.folder.String(), ""))
	for what, target := range map[string]string{
		"another parent's": "/v1/resources?cursor=",
		"another text's":   "/v1/resources?q=s&parent_id=" + at.folder.String() + "&cursor=",
	} {
		got := at.as(at.member).do("GET", target+*first.NextCursor, "").want(http.StatusBadRequest)
		if kind := problemType(got); kind != string(api.InvalidCursor) {
			t.Errorf("%s cursor: got %s", what, kind)
		}
	}
}

func TestPrincipals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	gone := at.inactive()
	outsider, reader := at.as(at.outsider), at.as(at.outsider, identity.ScopeRead)
	type list struct {
		Items      []api.DirectoryPrincipal
		NextCursor *string `json:"next_cursor"`
	}
	ids := []string{gone.String(), w.elsewhere.owner.String(), uuid.NewString(), at.owner.String()}
	got := as[list](outsider.do("GET", "/v1/principals?ids="+strings.Join(ids, ","), "").want(http.StatusOK))
	want := []api.DirectoryPrincipal{
		{PrincipalID: gone, Kind: "user"},
		{PrincipalID: at.owner, Kind: "user", DisplayName: "display name of " + at.id.String(), Active: true},
	}
	if !slices.Equal(got.Items, want) || got.NextCursor != nil {
		t.Errorf("by ids: got %+v, want %+v", got, want)
	}
	for _, target := range []string{"/v1/principals", "/v1/principals?q=a", "/v1/principals?ids="} {
		kind := problemType(outsider.do("GET", target, "").want(http.StatusForbidden))
		if kind != string(api.InsufficientScope) {
			t.Errorf("%s without the scope: got %s", target, kind)
		}
	}
	for query, want := range map[string]int{"": 5, "q=DISPLAY": 4, "q=" + w.elsewhere.id.String(): 0, "q=%25": 0} {
		n, cursor := 0, ""
		for {
			target := "/v1/principals?limit=2&" + query + "&cursor=" + cursor
			page := as[list](reader.do("GET", target, "").want(http.StatusOK))
			if n += len(page.Items); page.NextCursor == nil {
				break
			}
			cursor = *page.NextCursor
		}
		if n != want {
			t.Errorf("%q: got %d, want %d", query, n, want)
		}
	}
	tooMany := strings.TrimSuffix(strings.Repeat(uuid.NewString()+",", 101), ",")
	for _, query := range []string{"ids=a", "ids=,", "ids=" + at.owner.String() + "&q=a", "ids=" + tooMany} {
		reader.do("GET", "/v1/principals?"+query, "").want(http.StatusUnprocessableEntity)
	}
	hundred := strings.TrimSuffix(strings.Repeat(at.owner.String()+",", 100), ",")
	got = as[list](reader.do("GET", "/v1/principals?ids="+hundred, "").want(http.StatusOK))
	if len(got.Items) != 100 {
		t.Errorf("a hundred: got %d", len(got.Items))
	}
}

func TestFacets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	at := w.here
	w.elsewhere.fill(10)
	reader := at.as(at.outsider, identity.ScopeRead)
	type facets struct {
		Facets map[string][]api.FacetValue
		Count  int
		Exact  bool
	}
	get := func(query string) facets {
		t.Helper()
		return as[facets](reader.do("GET", "/v1/audit/facets?"+query, "").want(http.StatusOK))
	}
	got := get("")
	if len(got.Facets) != 8 || got.Count != 4 || !got.Exact {
		t.Errorf("all: got %+v", got)
	}
	name := "display name of " + at.id.String()
	for field, want := range map[string]string{
		"actor": fmt.Sprint([]api.FacetValue{{Value: at.owner.String(), Label: name, Count: 4}}),
		"owner": fmt.Sprint([]api.FacetValue{{Value: at.owner.String(), Label: name, Count: 4}}),
		"resource": fmt.Sprint([]api.FacetValue{{
			Value: at.signal.String(), Label: "the signal", Count: 4,
		}}),
		"severity": fmt.Sprint([]api.FacetValue{{Value: "info", Label: "info", Count: 4}}),
	} {
		if fmt.Sprint(got.Facets[field]) != want {
			t.Errorf("%s: got %v, want %s", field, got.Facets[field], want)
		}
	}
	if len(got.Facets["action"]) != 4 || got.Facets["action"][0].Value != "signal.checked" {
		t.Errorf("action: got %v, want four in the order of their names", got.Facets["action"])
	}
	got = get("fields=action,action&limit=1&action=signal.m*")
	if len(got.Facets) != 1 || len(got.Facets["action"]) != 1 || got.Count != 1 {
		t.Errorf("of one: got %+v", got)
	}
	if got = get("actor=" + at.member.String()); got.Count != 0 || len(got.Facets["action"]) != 0 {
		t.Errorf("of none: got %+v", got)
	}
	at.fill(50_001)
	got = get("fields=action")
	if got.Exact || got.Count != 50_000 || got.Facets["action"][0].Value != "signal.measured" {
		t.Errorf("of many: got %+v, want the newest 50,000", got)
	}
	for _, query := range []string{"fields=payload", "fields=,", "fields=action%20", "limit=101", "since=x"} {
		reader.do("GET", "/v1/audit/facets?"+query, "").want(http.StatusUnprocessableEntity)
	}
}
