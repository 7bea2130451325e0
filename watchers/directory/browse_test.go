package directory_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/directorytest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// browser lists resources by the names that they have in a test.
type browser struct {
	*directorytest.Tenant
	ids   map[string]uuid.UUID
	names map[uuid.UUID]string
}

func newBrowser(t *testing.T) browser {
	t.Helper()
	d := directorytest.New(t, pgtest.New(t))
	b := browser{d, map[string]uuid.UUID{}, map[uuid.UUID]string{}}
	for name, id := range map[string]uuid.UUID{
		"org": d.Org, "team": d.Team, "other team": d.OtherTeam, "doc": d.Doc, "sibling": d.Sibling,
	} {
		b.name(t, name, id)
	}
	return b
}

func (b browser) name(t *testing.T, name string, id uuid.UUID) {
	t.Helper()
	b.ids[name], b.names[id] = id, name
	b.Exec(t, `UPDATE fanfare.resources SET name = $3 WHERE tenant_id = $1 AND id = $2`, b.ID, id, name)
}

// add adds a resource with a name; "" is no parent.
func (b browser) add(t *testing.T, name, parent string, owner uuid.UUID) uuid.UUID {
	t.Helper()
	id := uuid.New()
	b.AddResource(t, id, b.ids[parent], owner)
	b.name(t, name, id)
	return id
}

// list returns the names of all pages of a list, sorted, or the error.
func (b browser) list(t *testing.T, r directory.Reader, parent, text string, limit int) string {
	t.Helper()
	q := directory.ResourceQuery{ParentID: b.ids[parent], Name: text, Limit: limit}
	if parent != "" && q.ParentID == uuid.Nil {
		q.ParentID = uuid.MustParse(parent)
	}
	var names []string
	for pages := 0; ; pages++ {
		page, err := directory.ListResources(t.Context(), b.DB.Pool, r, q)
		switch {
		case errors.Is(err, activity.ErrNotFound):
			return "not found"
		case err != nil:
			t.Fatal(err)
		case pages > 100 || len(page.Items) > limit:
			t.Fatalf("got page %d with %d items, want at most %d", pages, len(page.Items), limit)
		}
		for _, item := range page.Items {
			names = append(names, b.names[item.ID])
		}
		if q.After = page.Next; page.Next == uuid.Nil {
			slices.Sort(names)
			return strings.Join(names, ", ")
		}
	}
}

func TestListResources(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	foreign := directorytest.New(t, b.DB)
	as := func(id uuid.UUID) directory.Reader { return directory.Reader{Principal: b.Principal(id)} }
	all := directory.Reader{Principal: b.Principal(b.Stranger), All: true}
	group, member := uuid.New(), uuid.New()
	b.AddRole(t, group, b.Sibling, "viewer")
	b.Exec(t, `INSERT INTO fanfare.memberships (tenant_id, group_id, principal_id) VALUES ($1, $2, $3)`,
		b.ID, group, member)
	landlord := uuid.New()
	b.add(t, "house", "", landlord)
	b.add(t, "flat", "house", uuid.Nil)
	b.add(t, "garden", "house", landlord)
	twice := uuid.New()
	b.AddRole(t, twice, b.Org, "viewer")
	b.AddRole(t, twice, b.Doc, "editor")
	b.AddRole(t, twice, uuid.New(), "viewer") // which the directory does not contain
	for _, tt := range []struct {
		what         string
		reader       directory.Reader
		parent, text string
		want         string
	}{
		{"the highest of an owner", as(b.Owner), "", "", "doc"},
		{"the highest of a delegator", as(b.Delegator), "", "", "org"},
		{"the highest of a viewer", as(b.Viewer), "", "", "team"},
		{"the highest of roles on a resource and below it", as(twice), "", "", "org"},
		{"the highest through a group", as(member), "", "", "sibling"},
		{"of none", as(b.Stranger), "", "", ""},
		{"of an unknown one", as(b.Unknown), "", "", ""},
		{"of an inactive one", as(b.Inactive), "", "", ""},
		{"the roots", all, "", "", "house, org"},
		{"below a role", as(b.Viewer), "team", "", "doc, sibling"},
		{"below a role above", as(b.Delegator), "team", "", "doc, sibling"},
		{"below what is seen by none", as(b.Viewer), "org", "", "not found"},
		{"below what is owned", as(landlord), "house", "", "garden"},
		{"below a leaf", as(b.Viewer), "doc", "", ""},
		{"below what is invisible", as(b.Neighbour), "team", "", "not found"},
		{"below what is unknown", as(b.Viewer), uuid.NewString(), "", "not found"},
		{"below what is foreign", as(b.Viewer), foreign.Team.String(), "", "not found"},
		{"below what is foreign, of all", all, foreign.Team.String(), "", "not found"},
		{"all below", all, "org", "", "other team, team"},
		{"a text in all", all, "", "TEAM", "other team, team"},
		{"a text in what is visible", as(b.Viewer), "", "O", "doc"},
		{"a text in what is owned", as(landlord), "", "a", "garden"},
		{"a text below what is owned", as(landlord), "house", "a", "garden"},
		{"a text below", as(b.Delegator), "org", "O", "doc, other team"},
		{"a text below, of all", all, "team", "o", "doc"},
		{"a text below what is invisible", as(b.Neighbour), "team", "o", "not found"},
		{"a text that is invisible", as(b.Neighbour), "", "doc", ""},
		{"a pattern", all, "", "%", ""},
		{"another", all, "", "_", ""},
		{"a backslash", all, "", `\`, ""},
	} {
		for _, limit := range []int{1, 2, 50} {
			if got := b.list(t, tt.reader, tt.parent, tt.text, limit); got != tt.want {
				t.Errorf("%s, limit %d: got %q, want %q", tt.what, limit, got, tt.want)
			}
		}
	}
}

func TestGetResource(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	foreign := directorytest.New(t, b.DB)
	b.AddRole(t, b.Viewer, b.Doc, "editor")
	b.AddRole(t, b.Viewer, b.Doc, "approver")
	b.AddRole(t, b.Owner, b.Org, "viewer")
	b.add(t, "page", "doc", uuid.Nil)
	b.add(t, "line", "page", b.Neighbour)
	for _, tt := range []struct {
		what   string
		reader directory.Reader
		id     uuid.UUID
		want   string
	}{
		{
			"roles on it and above",
			directory.Reader{Principal: b.Principal(b.Viewer)},
			b.Doc,
			"team > doc parent=team owner=false roles=[approver editor] children=true",
		},
		{
			"owned",
			directory.Reader{Principal: b.Principal(b.Owner)},
			b.Doc,
			"org > team > doc parent=team owner=true roles=[] children=true",
		},
		{
			"a role on it alone",
			directory.Reader{Principal: b.Principal(b.Neighbour)},
			b.Sibling,
			"sibling parent= owner=false roles=[viewer] children=false",
		},
		{
			"owned deep below what is invisible",
			directory.Reader{Principal: b.Principal(b.Neighbour)},
			b.ids["line"],
			"line parent= owner=true roles=[] children=false",
		},
		{
			"all",
			directory.Reader{Principal: b.Principal(b.Unknown), All: true},
			b.ids["line"],
			"org > team > doc > page > line parent=page owner=false roles=[] children=false",
		},
		{"invisible", directory.Reader{Principal: b.Principal(b.Neighbour)}, b.Doc, "not found"},
		{"inactive", directory.Reader{Principal: b.Principal(b.Inactive)}, b.Doc, "not found"},
		{"unknown", directory.Reader{Principal: b.Principal(b.Viewer), All: true}, uuid.New(), "not found"},
		{"foreign", directory.Reader{Principal: b.Principal(b.Viewer), All: true}, foreign.Doc, "not found"},
	} {
		r, above, err := directory.GetResource(t.Context(), b.DB.Pool, tt.reader, tt.id)
		got := "not found"
		if err == nil {
			got = ""
			for _, a := range above {
				got += b.names[a.ID] + " > "
			}
			got += fmt.Sprintf("%s parent=%s owner=%t roles=%s children=%t",
				r.Name, b.names[r.ParentID], r.Owner, r.Roles, r.HasChildren)
		} else if !errors.Is(err, activity.ErrNotFound) {
			t.Fatal(err)
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.what, got, tt.want)
		}
	}
}

// TestBrowseCyclesAndDepth lists a cycle of resources, one below itself, and a chain that is deeper
// than MaxDepth.
func TestBrowseCyclesAndDepth(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	one, two, self := uuid.New(), uuid.New(), uuid.New()
	for _, r := range []struct {
		name       string
		id, parent uuid.UUID
	}{{"one", one, two}, {"two", two, one}, {"self", self, self}} {
		b.AddResource(t, r.id, r.parent, uuid.Nil)
		b.name(t, r.name, r.id)
	}
	b.AddRole(t, b.Viewer, one, "viewer")
	b.AddRole(t, b.Viewer, self, "viewer")
	viewer := directory.Reader{Principal: b.Principal(b.Viewer)}
	all := directory.Reader{Principal: b.Principal(b.Viewer), All: true}
	for _, tt := range []struct {
		reader             directory.Reader
		parent, text, want string
	}{
		{viewer, "", "", "one, self, team"},
		{viewer, "one", "", "two"},
		{viewer, "two", "", "one"},
		{viewer, "self", "", "self"},
		{viewer, "", "o", "doc, one, two"},
		{viewer, "two", "o", "one"},
		{all, "", "o", "doc, one, org, other team, two"},
	} {
		if got := b.list(t, tt.reader, tt.parent, tt.text, 50); got != tt.want {
			t.Errorf("below %q, text %q: got %q, want %q", tt.parent, tt.text, got, tt.want)
		}
	}
	r, above, err := directory.GetResource(t.Context(), b.DB.Pool, viewer, one)
	if err != nil || len(above) != 1 || r.ParentID != uuid.Nil {
		t.Errorf("one: got %+v, %d ancestors, %v", r, len(above), err)
	}

	chain := make([]uuid.UUID, directory.MaxDepth+3)
	for i := range chain {
		chain[i] = uuid.New()
	}
	b.Exec(t, `INSERT INTO fanfare.resources (tenant_id, id, parent_id, type, name)
		SELECT $1, r.id, p.id, 'level', 'level ' || r.n
		FROM unnest($2::uuid[]) WITH ORDINALITY AS r(id, n)
		LEFT JOIN unnest($2::uuid[]) WITH ORDINALITY AS p(id, n) ON p.n = r.n + 1`, b.ID, chain)
	b.AddRole(t, b.Neighbour, chain[len(chain)-1], "viewer")
	neighbour := directory.Reader{Principal: b.Principal(b.Neighbour)}
	page, err := directory.ListResources(t.Context(), b.DB.Pool, neighbour, directory.ResourceQuery{
		Name: "level", Limit: 200,
	})
	if err != nil || len(page.Items) != directory.MaxDepth+1 {
		t.Errorf("a deep chain: got %d, %v, want those with at most %d ancestors up to the role",
			len(page.Items), err, directory.MaxDepth)
	}
	_, _, err = directory.GetResource(t.Context(), b.DB.Pool, neighbour, chain[0])
	if !errors.Is(err, activity.ErrNotFound) {
		t.Errorf("the deepest: got %v, want not found", err)
	}
	if _, above, err = directory.GetResource(t.Context(), b.DB.Pool, all, chain[0]); err != nil ||
		len(above) != directory.MaxDepth {
		t.Errorf("the deepest, of all: got %d ancestors, %v", len(above), err)
	}
}

// TestBrowseViews replaces the directory by views of tables with other types and no indexes, in
// which rows are repeated and values missing.
func TestBrowseViews(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	for _, sql := range []string{
		`CREATE SCHEMA app`,
		`CREATE DOMAIN app.id AS uuid`,
		`CREATE TYPE app.kind AS ENUM ('doc', 'user')`,
		`CREATE COLLATION app.loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
		`CREATE TABLE app.resources AS SELECT id::app.id, tenant_id::app.id, parent_id::app.id,
			owner_principal_id::app.id, type::app.kind, name::varchar COLLATE app.loose AS name FROM fanfare.resources`,
		`CREATE TABLE app.principals AS SELECT id::app.id, tenant_id::app.id, 'user'::app.kind AS kind,
			nullif(display_name, 'P')::varchar COLLATE app.loose AS display_name, active FROM fanfare.principals`,
		`INSERT INTO app.principals SELECT * FROM app.principals`,
		`INSERT INTO app.resources SELECT * FROM app.resources`,
		`DROP TABLE fanfare.resources, fanfare.principals`,
		`CREATE VIEW fanfare.resources AS SELECT * FROM app.resources`,
		`CREATE VIEW fanfare.principals AS SELECT * FROM app.principals`,
		`DO $$ BEGIN EXECUTE format('GRANT SELECT ON fanfare.resources, fanfare.principals TO %I',
			fanfare.role_of_directory()); END $$`,
	} {
		b.Exec(t, sql)
	}
	viewer := directory.Reader{Principal: b.Principal(b.Viewer)}
	all := directory.Reader{Principal: b.Principal(b.Viewer), All: true}
	for _, tt := range []struct {
		reader             directory.Reader
		parent, text, want string
	}{
		{viewer, "", "", "team"},
		{viewer, "team", "", "doc, sibling"},
		{viewer, "", "DO", "doc"},
		{all, "", "", "org"},
		{all, "org", "", "other team, team"},
		{all, "org", "team", "other team, team"},
	} {
		if got := b.list(t, tt.reader, tt.parent, tt.text, 2); got != tt.want {
			t.Errorf("below %q, text %q: got %q, want %q", tt.parent, tt.text, got, tt.want)
		}
	}
	entries, err := directory.Principals(t.Context(), b.DB.Pool, b.ID, []uuid.UUID{b.Inactive, b.Unknown, b.Owner})
	want := []directory.Entry{{b.Inactive, "user", "", false}, {b.Owner, "user", "", true}}
	if err != nil || !slices.Equal(entries, want) {
		t.Errorf("principals: got %v, %v, want %v", entries, err, want)
	}
}

func TestListPrincipals(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	foreign := directorytest.New(t, d.DB)
	d.Exec(t, `UPDATE fanfare.principals SET display_name = 'Ada 100%' WHERE id = $1`, d.Owner)
	for _, tt := range []struct {
		text string
		want int
	}{{"", 6}, {"p", 4}, {"ada", 1}, {"0%", 1}, {"%1", 0}, {"_", 0}} {
		for _, limit := range []int{1, 3, 50} {
			got := 0
			for q := (directory.PrincipalQuery{Tenant: d.ID, Name: tt.text, Limit: limit}); ; {
				list, next, err := directory.ListPrincipals(t.Context(), d.DB.Pool, q)
				if err != nil {
					t.Fatal(err)
				}
				got += len(list)
				if q.After = next; next == uuid.Nil {
					break
				}
			}
			if got != tt.want {
				t.Errorf("%q, limit %d: got %d, want %d", tt.text, limit, got, tt.want)
			}
		}
	}
	list, err := directory.Principals(t.Context(), d.DB.Pool, d.ID, []uuid.UUID{foreign.Owner, d.Unknown})
	if err != nil || len(list) != 0 {
		t.Errorf("foreign and unknown: got %v, %v, want none", list, err)
	}
}
