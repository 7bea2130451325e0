package inbox

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/watchers"
)

func TestListReturnsTheNotificationAndItsActivity(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	id := b.add(t, 1, b.visible, true)[0]
	page, err := List(t.Context(), b.db.Pool, b.principal, Query{})
	if err != nil || len(page.Items) != 1 || page.Next != uuid.Nil {
		t.Fatalf("got %+v, %v, want one and no next", page, err)
	}
	n := page.Items[0]
	if n.ID != id || n.Reasons != watchers.Subscribed || n.CreatedAt.IsZero() || n.ReadAt == nil {
		t.Errorf("notification: got %+v", n)
	}
	a := n.Activity
	if a.ID != id || a.TenantID != b.principal.TenantID || a.ResourceID != b.visible || a.Action != "doc.moved" {
		t.Errorf("activity: got %+v", a)
	}
}

// TestPagesNeitherSkipNorRepeat reads the pages of random inboxes while notifications are added.
// The pages contain each notification of a visible activity once, newest first, and no other.
func TestPagesNeitherSkipNorRepeat(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	rapid.Check(t, func(rt *rapid.T) {
		b := newBox(t, db)
		var visible, unread []uuid.UUID
		for range rapid.IntRange(0, 6).Draw(rt, "runs") {
			n := rapid.IntRange(1, 5).Draw(rt, "length")
			switch rapid.SampledFrom([]string{"unread", "unread", "read", "hidden", "purged"}).Draw(rt, "kind") {
			case "unread":
				ids := b.add(t, n, b.visible, false)
				visible, unread = append(visible, ids...), append(unread, ids...)
			case "read":
				visible = append(visible, b.add(t, n, b.visible, true)...)
			case "hidden":
				b.add(t, n, b.hidden, rapid.Bool().Draw(rt, "read"))
			case "purged":
				b.addPurged(t)
			}
		}
		slices.Reverse(visible)
		slices.Reverse(unread)
		if got := b.unread(t); got != len(unread) {
			rt.Errorf("unread: got %d, want %d", got, len(unread))
		}
		state := rapid.SampledFrom([]State{"", Unread}).Draw(rt, "state")
		q := Query{Selection: Selection{State: state}, Limit: rapid.IntRange(1, 7).Draw(rt, "limit")}
		want := visible
		if q.State == Unread {
			want = unread
		}
		got, _ := b.list(t, q, func() { b.add(t, 2, b.visible, false) })
		if !slices.Equal(got, want) {
			rt.Errorf("%+v: got %s\nwant %s", q, got, want)
		}
	})
}

func TestListReadsAtMostItsBudget(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	oldest := b.add(t, 3, b.visible, false)
	slices.Reverse(oldest)
	b.add(t, ReadBudget+10, b.hidden, false)

	page, err := List(t.Context(), b.db.Pool, b.principal, Query{})
	if err != nil || len(page.Items) != 0 || page.Next == uuid.Nil {
		t.Errorf("got %d items, next %v, %v, want an empty page with a next", len(page.Items), page.Next, err)
	}
	for _, q := range []Query{{}, {Selection: unread}, {Limit: 1}, {Limit: MaxPage + 1}} {
		if got, pages := b.list(t, q, nil); !slices.Equal(got, oldest) || pages < 2 {
			t.Errorf("%+v: got %s in %d pages, want %s", q, got, pages, oldest)
		}
	}
	b.addRole(t, b.hidden, "viewer")
	if got, _ := b.list(t, Query{}, nil); len(got) != ReadBudget+13 {
		t.Errorf("with access again: got %d, want %d", len(got), ReadBudget+13)
	}
	page, err = List(t.Context(), b.db.Pool, b.principal, Query{Limit: 5000})
	if err != nil || len(page.Items) != MaxPage {
		t.Errorf("limit above the maximum: got %d, %v, want %d", len(page.Items), err, MaxPage)
	}
}

// TestUnreadAtAnyDepth checks that unread notifications behind more read ones than MaxCount, and
// behind more than MaxCount that the principal may not see, are listed first and counted.
func TestUnreadAtAnyDepth(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	oldest := b.add(t, 1, b.visible, false)
	b.add(t, 11_999, b.visible, true)
	page, err := List(t.Context(), b.db.Pool, b.principal, Query{Selection: unread})
	if err != nil || len(page.Items) != 1 || page.Items[0].ID != oldest[0] || page.Next != uuid.Nil {
		t.Errorf("got %d items, next %v, %v, want the oldest alone", len(page.Items), page.Next, err)
	}
	if got := b.unread(t); got != 1 {
		t.Errorf("behind 11,999 read ones: got %d unread, want 1", got)
	}
	newest := b.add(t, 1, b.visible, false)
	if got, pages := b.list(t, Query{Selection: unread, Limit: 1}, nil); pages != 2 ||
		!slices.Equal(got, append(newest, oldest...)) {
		t.Errorf("got %s in %d pages, want %s and %s in 2", got, pages, newest, oldest)
	}
	b.add(t, MaxCount+10, b.hidden, false)
	if got := b.unread(t); got != 2 {
		t.Errorf("behind %d hidden ones: got %d unread, want 2", MaxCount+10, got)
	}
	b.add(t, MaxCount-3, b.visible, false)
	if got := b.unread(t); got != MaxCount-1 {
		t.Errorf("below the limit: got %d unread, want %d", got, MaxCount-1)
	}
	b.add(t, 5, b.visible, false)
	if got := b.unread(t); got != MaxCount {
		t.Errorf("above the limit: got %d unread, want %d", got, MaxCount)
	}
}

func TestInboxesAreIsolated(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	own := b.add(t, 2, b.visible, false)
	foreign := newBox(t, b.db)
	foreign.principal.PrincipalID = b.principal.PrincipalID
	foreign.addRole(t, foreign.visible, "viewer")
	foreign.visibility = activity.TenantVisible
	others := foreign.add(t, 3, foreign.visible, false)
	neighbour := &box{
		db:         b.db,
		principal:  activity.Principal{TenantID: b.principal.TenantID, PrincipalID: uuid.New()},
		visibility: activity.ResourceWide,
	}
	neighbour.addRole(t, b.visible, "viewer")
	neighbour.add(t, 4, b.visible, false)
	// A notification of another tenant's activity does not make the activity visible.
	b.addNotification(t, others[0])

	slices.Reverse(own)
	if got, _ := b.list(t, Query{}, nil); !slices.Equal(got, own) {
		t.Errorf("got %s, want %s", got, own)
	}
	if got := b.unread(t); got != 2 {
		t.Errorf("unread: got %d, want 2", got)
	}
	if n, err := MarkAllRead(t.Context(), b.db.Pool, b.principal, uuid.Nil); n != 2 || err != nil {
		t.Errorf("marked: got %d, %v, want 2", n, err)
	}
	if got := foreign.unread(t); got != 3 {
		t.Errorf("another tenant's unread: got %d, want 3", got)
	}
	if got := neighbour.unread(t); got != 4 {
		t.Errorf("another principal's unread: got %d, want 4", got)
	}
}
