package inbox

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/watchers"
)

func TestListShowsTheNotificationAndItsActivity(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	id := b.tell(t, 1, b.seen, true)[0]
	page, err := List(t.Context(), b.db.Pool, b.id(), Query{})
	if err != nil || len(page.Items) != 1 || page.Next != uuid.Nil {
		t.Fatalf("got %+v, %v, want one and no next", page, err)
	}
	n := page.Items[0]
	if n.ID != id || n.Activity.ID != id || n.Activity.TenantID != b.tenant || n.Activity.ResourceID != b.seen || n.Activity.Action != "doc.moved" ||
		n.Reasons != watchers.Subscribed || n.CreatedAt.IsZero() ||
		n.ReadAt == nil {
		t.Errorf("got %+v", n)
	}
}

// TestPagesNeitherSkipNorRepeat pages through random inboxes while others arrive: what may be seen
// comes once, newest first, and what may not, or is not there any more, never.
func TestPagesNeitherSkipNorRepeat(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	rapid.Check(t, func(rt *rapid.T) {
		b := newBox(t, db)
		var everything, unread []uuid.UUID
		for range rapid.IntRange(0, 6).Draw(rt, "runs") {
			n := rapid.IntRange(1, 5).Draw(rt, "length")
			switch rapid.SampledFrom([]string{"unread", "unread", "read", "lost", "forgotten"}).Draw(rt, "kind") {
			case "unread":
				ids := b.tell(t, n, b.seen, false)
				everything, unread = append(everything, ids...), append(unread, ids...)
			case "read":
				everything = append(everything, b.tell(t, n, b.seen, true)...)
			case "lost":
				b.tell(t, n, b.lost, rapid.Bool().Draw(rt, "read"))
			case "forgotten":
				b.forget(t)
			}
		}
		slices.Reverse(everything)
		slices.Reverse(unread)
		if got := b.unread(t); got != len(unread) {
			rt.Errorf("unread: got %d, want %d", got, len(unread))
		}
		q := Query{UnreadOnly: rapid.Bool().Draw(rt, "unread only"), Limit: rapid.IntRange(1, 7).Draw(rt, "limit")}
		want := everything
		if q.UnreadOnly {
			want = unread
		}
		got, _ := b.all(t, q, func() { b.tell(t, 2, b.seen, false) })
		if !slices.Equal(got, want) {
			rt.Errorf("%+v: got %s\nwant %s", q, got, want)
		}
	})
}

func TestNoPageReadsOnWithoutEnd(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	oldest := b.tell(t, 3, b.seen, false)
	slices.Reverse(oldest)
	b.tell(t, ReadBudget+10, b.lost, false)

	page, err := List(t.Context(), b.db.Pool, b.id(), Query{})
	if err != nil || len(page.Items) != 0 || page.Next == uuid.Nil {
		t.Errorf("got %d items, next %v, %v, want an empty page with a next", len(page.Items), page.Next, err)
	}
	for _, q := range []Query{{}, {UnreadOnly: true}, {Limit: 1}, {Limit: MaxPage + 1}} {
		if got, pages := b.all(t, q, nil); !slices.Equal(got, oldest) || pages < 2 {
			t.Errorf("%+v: got %s in %d pages, want %s", q, got, pages, oldest)
		}
	}
	b.grant(t, b.lost)
	if got, _ := b.all(t, Query{}, nil); len(got) != ReadBudget+13 {
		t.Errorf("with access again: got %d, want %d", len(got), ReadBudget+13)
	}
	if page, err = List(t.Context(), b.db.Pool, b.id(), Query{Limit: 5000}); err != nil ||
		len(page.Items) != MaxPage {
		t.Errorf("a limit above the highest: got %d, %v, want %d", len(page.Items), err, MaxPage)
	}
}

func TestWhatIsUnreadIsFoundBehindMuchThatIsRead(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	oldest := b.tell(t, 2, b.seen, false)
	slices.Reverse(oldest)
	b.tell(t, scanBudget+10, b.seen, true)
	newest := b.tell(t, 1, b.seen, false)

	page, err := List(t.Context(), b.db.Pool, b.id(), Query{UnreadOnly: true})
	if err != nil || len(page.Items) != 1 || page.Next == uuid.Nil {
		t.Errorf("got %d items, next %v, %v, want the newest and a next", len(page.Items), page.Next, err)
	}
	if got, _ := b.all(t, Query{UnreadOnly: true, Limit: 1}, nil); !slices.Equal(got, append(newest, oldest...)) {
		t.Errorf("got %s, want %s and %s", got, newest, oldest)
	}
	if got := b.unread(t); got != 1 {
		t.Errorf("of the newest %d: got %d unread, want 1", MaxUnread, got)
	}
}

func TestOneTenantsOneInbox(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	mine := b.tell(t, 2, b.seen, false)
	foreign := newBox(t, b.db)
	foreign.principal = b.principal
	foreign.grant(t, foreign.seen)
	foreign.visibility = "tenant"
	theirs := foreign.tell(t, 3, foreign.seen, false)
	neighbour := &box{db: b.db, tenant: b.tenant, principal: uuid.New(), seen: b.seen}
	neighbour.grant(t, b.seen)
	neighbour.tell(t, 4, b.seen, false)
	// A row that names another tenant's activity shows nothing of it.
	b.exec(
		t,
		`INSERT INTO fanfare.notifications (tenant_id, principal_id, activity_id, reasons) VALUES ($1, $2, $3, 1)`,
		b.tenant,
		b.principal,
		theirs[0],
	)

	slices.Reverse(mine)
	if got, _ := b.all(t, Query{}, nil); !slices.Equal(got, mine) {
		t.Errorf("got %s, want %s", got, mine)
	}
	if got := b.unread(t); got != 2 {
		t.Errorf("unread: got %d, want 2", got)
	}
	if n, err := MarkAll(t.Context(), b.db.Pool, b.id()); n != 2 || err != nil {
		t.Errorf("marked: got %d, %v, want 2", n, err)
	}
	if got := foreign.unread(t); got != 3 {
		t.Errorf("another tenant's unread: got %d, want 3", got)
	}
	if got := neighbour.unread(t); got != 4 {
		t.Errorf("another principal's unread: got %d, want 4", got)
	}
}
