package watchers_test

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/watchers"
)

func TestSubscribeTwiceIsOneSubscription(t *testing.T) {
	t.Parallel()
	h := newHouse(t, pgtest.New(t))
	tx := h.begin(t)
	first, created, err := watchers.Subscribe(t.Context(), tx, h.tenant, h.viewer, h.doc, "")
	if err != nil || !created {
		t.Fatalf("got created %v, %v, want a new one", created, err)
	}
	if first.TenantID != h.tenant || first.PrincipalID != h.viewer || first.ResourceID != h.doc ||
		first.Scope != watchers.ScopeResource ||
		first.CreatedAt.IsZero() ||
		first.RevokedAt != nil ||
		first.ID == uuid.Nil {
		t.Errorf("got %+v", first)
	}
	again, created, err := watchers.Subscribe(t.Context(), tx, h.tenant, h.viewer, h.doc, watchers.ScopeResource)
	if err != nil || created || again != first {
		t.Errorf("again: got %+v, created %v, %v, want the first", again, created, err)
	}
	wider, created, err := watchers.Subscribe(t.Context(), tx, h.tenant, h.viewer, h.doc, watchers.ScopeDescendants)
	if err != nil || !created || wider.ID == first.ID {
		t.Errorf("with another scope: got %+v, created %v, %v, want another", wider, created, err)
	}
	if _, err := watchers.Unsubscribe(t.Context(), tx, h.tenant, h.viewer, first.ID); err != nil {
		t.Fatal(err)
	}
	anew, created, err := watchers.Subscribe(t.Context(), tx, h.tenant, h.viewer, h.doc, "")
	if err != nil || !created || anew.ID == first.ID {
		t.Errorf("after revoking: got %+v, created %v, %v, want a new one", anew, created, err)
	}
}

func TestSubscribeRefuses(t *testing.T) {
	t.Parallel()
	h := newHouse(t, pgtest.New(t))
	foreign := newHouse(t, h.db)
	for _, tt := range []struct {
		name                string
		principal, resource uuid.UUID
	}{
		{"unknown resource", h.viewer, uuid.New()},
		{"another tenant's resource", h.viewer, foreign.doc},
		{"another tenant's principal", foreign.viewer, h.doc},
		{"no role", h.stranger, h.doc},
		{"role on something below only", h.viewer, h.org},
		{"inactive", h.retired, h.doc},
	} {
		s, created, err := watchers.Subscribe(t.Context(), h.begin(t), h.tenant, tt.principal, tt.resource, "")
		if !errors.Is(err, activity.ErrNotFound) || created || s != (watchers.Subscription{}) {
			t.Errorf("%s: got %+v, %v, %v, want ErrNotFound and nothing else", tt.name, s, created, err)
		}
	}
	_, _, err := watchers.Subscribe(t.Context(), h.begin(t), h.tenant, h.viewer, h.doc, "everything")
	var invalidErr *invalid.Error
	if !errors.As(err, &invalidErr) || invalidErr.Fields[0].Name != "scope" {
		t.Errorf("a scope that does not exist: got %v, want an error about the field scope", err)
	}
}

func TestSubscribeManyAnswersWishByWish(t *testing.T) {
	t.Parallel()
	h := newHouse(t, pgtest.New(t))
	tx := h.begin(t)
	standing, _, err := watchers.Subscribe(t.Context(), tx, h.tenant, h.viewer, h.sibling, "")
	if err != nil {
		t.Fatal(err)
	}
	granted, err := watchers.SubscribeMany(t.Context(), tx, h.tenant, h.viewer, []watchers.Wish{
		{ResourceID: h.team, Scope: watchers.ScopeDescendants},
		{ResourceID: h.elsewhere},
		{ResourceID: h.sibling},
		{ResourceID: h.doc, Scope: "nonsense"},
		{ResourceID: h.team, Scope: watchers.ScopeDescendants},
		{ResourceID: h.doc, Scope: watchers.ScopeResource},
		{ResourceID: h.doc},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		resource uuid.UUID
		created  bool
	}{
		{h.team, true},
		{uuid.Nil, false},
		{h.sibling, false},
		{uuid.Nil, false},
		{h.team, false},
		{h.doc, true},
		{h.doc, false},
	} {
		if got := granted[i]; got.Created != want.created || got.ResourceID != want.resource ||
			(got.Err == nil) != (want.resource != uuid.Nil) {
			t.Errorf("wish %d: got %+v, want %+v", i, got, want)
		}
	}
	if !errors.Is(granted[1].Err, activity.ErrNotFound) {
		t.Errorf("without a role: got %v, want ErrNotFound", granted[1].Err)
	}
	if _, ok := errors.AsType[*invalid.Error](granted[3].Err); !ok {
		t.Errorf("a scope that does not exist: got %v, want it refused", granted[3].Err)
	}
	if granted[2].ID != standing.ID || granted[0].ID != granted[4].ID || granted[5].ID != granted[6].ID {
		t.Error("the same wish: got different subscriptions")
	}
	if none, err := watchers.SubscribeMany(t.Context(), tx, h.tenant, h.viewer, nil); err != nil || len(none) != 0 {
		t.Errorf("no wishes: got %v, %v, want nothing", none, err)
	}
}

func TestSubscribeAtTheSameTime(t *testing.T) {
	t.Parallel()
	h := newHouse(t, pgtest.New(t))
	wishes := []watchers.Wish{{ResourceID: h.doc}, {ResourceID: h.team}, {ResourceID: h.sibling}}
	const callers = 8
	results := make([][]watchers.Granted, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			order := slices.Clone(wishes)
			if i%2 == 1 {
				slices.Reverse(order)
			}
			err := pgx.BeginFunc(t.Context(), h.db.Pool, func(tx pgx.Tx) (err error) {
				results[i], err = watchers.SubscribeMany(t.Context(), tx, h.tenant, h.viewer, order)
				return err
			})
			if err != nil {
				t.Errorf("caller %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	ids, created := map[uuid.UUID]int{}, 0
	for _, granted := range results {
		for _, g := range granted {
			ids[g.ID]++
			if g.Created {
				created++
			}
		}
	}
	if len(ids) != len(wishes) || created != len(wishes) {
		t.Errorf("got %d subscriptions, %d times created, want %d and %d", len(ids), created, len(wishes), len(wishes))
	}
}

func TestUnsubscribeOnlyOnesOwnAndOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, pgtest.New(t))
	tx := h.begin(t)
	s, _, err := watchers.Subscribe(t.Context(), tx, h.tenant, h.viewer, h.doc, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, who := range map[string][2]uuid.UUID{
		"another principal": {h.tenant, h.owner},
		"another tenant":    {uuid.New(), h.viewer},
	} {
		if _, err := watchers.Unsubscribe(t.Context(), tx, who[0], who[1], s.ID); !errors.Is(
			err,
			activity.ErrNotFound,
		) {
			t.Errorf("%s: got %v, want ErrNotFound", name, err)
		}
	}
	revoked, err := watchers.Unsubscribe(t.Context(), tx, h.tenant, h.viewer, s.ID)
	if err != nil || revoked.RevokedAt == nil || revoked.ID != s.ID {
		t.Errorf("got %+v, %v, want it revoked", revoked, err)
	}
	if _, err := watchers.Unsubscribe(t.Context(), tx, h.tenant, h.viewer, s.ID); !errors.Is(
		err,
		activity.ErrNotFound,
	) {
		t.Errorf("again: got %v, want ErrNotFound", err)
	}
}

func TestSubscriptionsPageByPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t, pgtest.New(t))
	foreign := newHouse(t, h.db)
	h.role(t, h.viewer, h.org, "viewer")
	want := map[uuid.UUID]bool{}
	tx := h.begin(t)
	for i, r := range []uuid.UUID{h.org, h.team, h.doc, h.sibling, h.elsewhere} {
		for _, scope := range []string{watchers.ScopeResource, watchers.ScopeDescendants} {
			s, _, err := watchers.Subscribe(t.Context(), tx, h.tenant, h.viewer, r, scope)
			if err != nil {
				t.Fatal(err)
			}
			if i != 2 {
				want[s.ID] = true
				continue
			}
			if _, err := watchers.Unsubscribe(t.Context(), tx, h.tenant, h.viewer, s.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	commit(t, tx)
	for _, limit := range []int{0, 1, 3, 8, 9, 5000} {
		got := map[uuid.UUID]bool{}
		pages := 0
		for page := (watchers.Page{Limit: limit}); ; pages++ {
			list, next, err := watchers.Subscriptions(t.Context(), h.db.Pool, h.tenant, h.viewer, page)
			if err != nil {
				t.Fatal(err)
			}
			if limit > 0 && len(list) > limit {
				t.Fatalf("limit %d: got %d", limit, len(list))
			}
			for _, s := range list {
				if got[s.ID] || !want[s.ID] {
					t.Errorf("limit %d: got %s twice or without right", limit, s.ID)
				}
				got[s.ID] = true
			}
			if page.After = next; next == uuid.Nil {
				break
			}
		}
		if len(got) != len(want) || limit == 3 && pages != 2 || limit == 8 && pages != 0 {
			t.Errorf("limit %d: got %d in %d pages and one, want %d", limit, len(got), pages, len(want))
		}
	}
	for name, who := range map[string][2]uuid.UUID{"another principal": {h.tenant, h.owner}, "another tenant": {foreign.tenant, h.viewer}} {
		if list, next, err := watchers.Subscriptions(t.Context(), h.db.Pool, who[0], who[1], watchers.Page{}); err != nil ||
			len(list) != 0 ||
			next != uuid.Nil {
			t.Errorf("%s: got %v, %v, %v, want nothing", name, list, next, err)
		}
	}
}
