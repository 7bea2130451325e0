package subscriptions_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/directorytest"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/watchers/subscriptions"
)

func request(resource uuid.UUID, scope string) subscriptions.SubscribeRequest {
	return subscriptions.SubscribeRequest{ResourceID: resource, Scope: scope}
}

// subscribe subscribes the viewer of a tenant.
func subscribe(t *testing.T, tx pgx.Tx, d *directorytest.Tenant, r subscriptions.SubscribeRequest) (
	s subscriptions.Subscription, created bool,
) {
	t.Helper()
	s, created, err := subscriptions.Subscribe(t.Context(), tx, d.Principal(d.Viewer), r)
	if err != nil {
		t.Fatal(err)
	}
	return s, created
}

func TestSubscribe(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	tx := d.Begin(t)
	first, created := subscribe(t, tx, d, request(d.Doc, ""))
	want := subscriptions.Subscription{
		ID:          first.ID,
		TenantID:    d.ID,
		PrincipalID: d.Viewer,
		ResourceID:  d.Doc,
		Scope:       subscriptions.ScopeResource,
		CreatedAt:   first.CreatedAt,
	}
	if !created || first != want || first.ID == uuid.Nil || first.CreatedAt.IsZero() {
		t.Errorf("got %+v, created %t, want %+v", first, created, want)
	}
	if again, created := subscribe(t, tx, d, request(d.Doc, subscriptions.ScopeResource)); created || again != first {
		t.Errorf("again: got %+v, created %t, want the first", again, created)
	}
	wider, created := subscribe(t, tx, d, request(d.Doc, subscriptions.ScopeDescendants))
	if !created || wider.ID == first.ID {
		t.Errorf("another scope: got %+v, created %t, want a new subscription", wider, created)
	}
	if _, _, err := subscriptions.Unsubscribe(t.Context(), tx, d.Principal(d.Viewer), first.ID); err != nil {
		t.Fatal(err)
	}
	if anew, created := subscribe(t, tx, d, request(d.Doc, "")); !created || anew.ID == first.ID {
		t.Errorf("after revoking: got %+v, created %t, want a new subscription", anew, created)
	}
}

func TestSubscribeErrors(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	foreign := directorytest.New(t, d.DB)
	for _, tt := range []struct {
		name                string
		principal, resource uuid.UUID
	}{
		{"unknown resource", d.Viewer, uuid.New()},
		{"another tenant's resource", d.Viewer, foreign.Doc},
		{"another tenant's principal", foreign.Viewer, d.Doc},
		{"no role", d.Stranger, d.Doc},
		{"role on a descendant only", d.Viewer, d.Org},
		{"inactive", d.Inactive, d.Doc},
	} {
		principal := d.Principal(tt.principal)
		s, created, err := subscriptions.Subscribe(t.Context(), d.Begin(t), principal, request(tt.resource, ""))
		if !errors.Is(err, activity.ErrNotFound) || created || s != (subscriptions.Subscription{}) {
			t.Errorf("%s: got %+v, %t, %v, want ErrNotFound alone", tt.name, s, created, err)
		}
	}
	_, _, err := subscriptions.Subscribe(t.Context(), d.Begin(t), d.Principal(d.Viewer), request(d.Doc, "everything"))
	var invalidErr *invalid.Error
	if !errors.As(err, &invalidErr) || invalidErr.Fields[0].Name != "scope" {
		t.Errorf("unknown scope: got %v, want an error about the field scope", err)
	}
}

func TestSubscribeManyReturnsOneResultForEachRequest(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	tx := d.Begin(t)
	existing, _ := subscribe(t, tx, d, request(d.Sibling, ""))
	viewer := d.Principal(d.Viewer)
	results, err := subscriptions.SubscribeMany(t.Context(), tx, viewer, []subscriptions.SubscribeRequest{
		request(d.Team, subscriptions.ScopeDescendants),
		request(d.OtherTeam, ""),
		request(d.Sibling, ""),
		request(d.Doc, "nonsense"),
		request(d.Team, subscriptions.ScopeDescendants),
		request(d.Doc, subscriptions.ScopeResource),
		request(d.Doc, ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		resource uuid.UUID // uuid.Nil wants an error
		created  bool
	}{
		{d.Team, true},
		{uuid.Nil, false},
		{d.Sibling, false},
		{uuid.Nil, false},
		{d.Team, false},
		{d.Doc, true},
		{d.Doc, false},
	} {
		got := results[i]
		if got.Created != want.created || got.ResourceID != want.resource ||
			(got.Err == nil) != (want.resource != uuid.Nil) {
			t.Errorf("request %d: got %+v, want %+v", i, got, want)
		}
	}
	if !errors.Is(results[1].Err, activity.ErrNotFound) {
		t.Errorf("without a role: got %v, want ErrNotFound", results[1].Err)
	}
	if invalidErr := (*invalid.Error)(nil); !errors.As(results[3].Err, &invalidErr) {
		t.Errorf("unknown scope: got %v, want an *invalid.Error", results[3].Err)
	}
	if results[2].ID != existing.ID || results[0].ID != results[4].ID || results[5].ID != results[6].ID {
		t.Error("equal requests: got different subscriptions")
	}
	if none, err := subscriptions.SubscribeMany(t.Context(), tx, viewer, nil); err != nil || len(none) != 0 {
		t.Errorf("no requests: got %v, %v, want no results", none, err)
	}
}

func TestSubscribeConcurrently(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	requests := []subscriptions.SubscribeRequest{request(d.Doc, ""), request(d.Team, ""), request(d.Sibling, "")}
	const callers = 8
	results := make([][]subscriptions.SubscribeResult, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			order := slices.Clone(requests)
			if i%2 == 1 {
				slices.Reverse(order)
			}
			err := pgx.BeginFunc(t.Context(), d.DB.Pool, func(tx pgx.Tx) (err error) {
				results[i], err = subscriptions.SubscribeMany(t.Context(), tx, d.Principal(d.Viewer), order)
				return err
			})
			if err != nil {
				t.Errorf("caller %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	ids, created := map[uuid.UUID]int{}, 0
	for _, list := range results {
		for _, r := range list {
			ids[r.ID]++
			if r.Created {
				created++
			}
		}
	}
	if len(ids) != len(requests) || created != len(requests) {
		t.Errorf("got %d subscriptions, created %d times, want %d and %[3]d", len(ids), created, len(requests))
	}
}

func TestUnsubscribe(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	tx := d.Begin(t)
	viewer := d.Principal(d.Viewer)
	s, _ := subscribe(t, tx, d, request(d.Doc, ""))
	for name, other := range map[string]activity.Principal{
		"another principal": d.Principal(d.Owner),
		"another tenant":    {TenantID: uuid.New(), PrincipalID: d.Viewer},
	} {
		_, _, err := subscriptions.Unsubscribe(t.Context(), tx, other, s.ID)
		if !errors.Is(err, activity.ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", name, err)
		}
	}
	first, revoked, err := subscriptions.Unsubscribe(t.Context(), tx, viewer, s.ID)
	if err != nil || !revoked || first.RevokedAt == nil || first.ID != s.ID {
		t.Errorf("got %+v, %t, %v, want it revoked", first, revoked, err)
	}
	again, revoked, err := subscriptions.Unsubscribe(t.Context(), tx, viewer, s.ID)
	if err != nil || revoked || !again.RevokedAt.Equal(*first.RevokedAt) || again.ID != s.ID {
		t.Errorf("again: got %+v, %t, %v, want it unchanged", again, revoked, err)
	}
}

func TestListPages(t *testing.T) {
	t.Parallel()
	d := directorytest.New(t, pgtest.New(t))
	foreign := directorytest.New(t, d.DB)
	d.AddRole(t, d.Viewer, d.Org, "viewer")
	viewer := d.Principal(d.Viewer)
	want := map[uuid.UUID]bool{}
	err := pgx.BeginFunc(t.Context(), d.DB.Pool, func(tx pgx.Tx) error {
		for _, resource := range []uuid.UUID{d.Org, d.Team, d.Doc, d.Sibling, d.OtherTeam} {
			for _, scope := range []string{subscriptions.ScopeResource, subscriptions.ScopeDescendants} {
				s, _, err := subscriptions.Subscribe(t.Context(), tx, viewer, request(resource, scope))
				if err != nil {
					return err
				}
				if resource != d.Doc {
					want[s.ID] = true
				} else if _, _, err := subscriptions.Unsubscribe(t.Context(), tx, viewer, s.ID); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for limit, wantPages := range map[int]int{0: 1, 1: 8, 3: 3, 8: 1, 9: 1, 5000: 1} {
		got := map[uuid.UUID]bool{}
		pages := 0
		for page := (subscriptions.Page{Limit: limit}); ; {
			list, next, err := subscriptions.List(t.Context(), d.DB.Pool, viewer, page)
			if err != nil {
				t.Fatal(err)
			}
			if limit > 0 && len(list) > limit {
				t.Fatalf("limit %d: got a page of %d", limit, len(list))
			}
			for _, s := range list {
				if got[s.ID] || !want[s.ID] {
					t.Errorf("limit %d: got %s twice or revoked", limit, s.ID)
				}
				got[s.ID] = true
			}
			pages++
			if page.After = next; next == uuid.Nil {
				break
			}
		}
		if len(got) != len(want) || pages != wantPages {
			t.Errorf("limit %d: got %d in %d pages, want %d in %d", limit, len(got), pages, len(want), wantPages)
		}
	}
	for name, other := range map[string]activity.Principal{
		"another principal": d.Principal(d.Owner), "another tenant": foreign.Principal(d.Viewer),
	} {
		list, next, err := subscriptions.List(t.Context(), d.DB.Pool, other, subscriptions.Page{})
		if err != nil || len(list) != 0 || next != uuid.Nil {
			t.Errorf("%s: got %v, %v, %v, want no subscriptions", name, list, next, err)
		}
	}
}
