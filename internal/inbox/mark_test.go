package inbox

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

func TestChangeRead(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	id := b.add(t, 1, b.visible, false)[0]
	mark := func(read bool) Notification {
		t.Helper()
		n, err := Change(t.Context(), b.db.Pool, b.principal, id, Changes{Read: &read})
		if err != nil || n.ID != id || n.Activity.ID != id || (n.ReadAt != nil) != read {
			t.Fatalf("read %t: got %+v, %v", read, n, err)
		}
		return n
	}
	if n := mark(false); b.unread(t) != 1 {
		t.Errorf("already unread: got %+v", n)
	}
	first := mark(true)
	if again := mark(true); !again.ReadAt.Equal(*first.ReadAt) {
		t.Errorf("already read: got read at %v, want the first time, %v", again.ReadAt, first.ReadAt)
	}
	if got := b.unread(t); got != 0 {
		t.Errorf("got %d unread, want 0", got)
	}
	mark(false)
	if got := b.unread(t); got != 1 {
		t.Errorf("marked as unread: got %d unread, want 1", got)
	}
}

func TestChangeErrors(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	foreign := newBox(t, b.db)
	foreign.visibility = activity.TenantVisible
	own, hidden, purged := b.add(t, 1, b.visible, false)[0], b.add(t, 1, b.hidden, false)[0], b.addPurged(t)
	others := foreign.add(t, 1, foreign.visible, false)[0]
	b.addNotification(t, others)
	otherTenant, otherPrincipal := b.principal, b.principal
	otherTenant.TenantID, otherPrincipal.PrincipalID = foreign.principal.TenantID, uuid.New()
	for name, tt := range map[string]struct {
		principal activity.Principal
		id        uuid.UUID
	}{
		"unknown notification":      {b.principal, uuid.New()},
		"hidden activity":           {b.principal, hidden},
		"purged activity":           {b.principal, purged},
		"another tenant's activity": {b.principal, others},
		"another tenant":            {otherTenant, own},
		"another principal":         {otherPrincipal, own},
	} {
		for _, read := range []bool{true, false} {
			n, err := Change(t.Context(), b.db.Pool, tt.principal, tt.id, Changes{Read: &read})
			if !errors.Is(err, activity.ErrNotFound) || n.ID != uuid.Nil {
				t.Errorf("%s, read %t: got %+v, %v, want ErrNotFound", name, read, n, err)
			}
		}
	}
	if b.unread(t) != 1 || foreign.unread(t) != 1 {
		t.Errorf("after errors: got %d and %d unread, want 1 and 1", b.unread(t), foreign.unread(t))
	}
}

func TestMarkAllSkipsHiddenActivities(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	b.add(t, markChunk+20, b.visible, false)
	b.add(t, markChunk+10, b.hidden, false)
	b.add(t, 30, b.visible, true)
	b.addPurged(t)
	b.add(t, 5, b.visible, false)
	n, err := MarkAllRead(t.Context(), b.db.Pool, b.principal, uuid.Nil)
	if err != nil || n != markChunk+25 {
		t.Errorf("got %d, %v, want %d", n, err, markChunk+25)
	}
	if n, err := MarkAllRead(t.Context(), b.db.Pool, b.principal, uuid.Nil); err != nil || n != 0 {
		t.Errorf("again: got %d, %v, want 0", n, err)
	}
	if got := b.unread(t); got != 0 {
		t.Errorf("got %d unread, want 0", got)
	}
	b.addRole(t, b.hidden, "viewer")
	if got := b.unread(t); got != markChunk+10 {
		t.Errorf("with access again: got %d unread, want %d", got, markChunk+10)
	}
}

func TestMarkAllUpTo(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	ids := b.add(t, 5, b.visible, false)
	for _, tt := range []struct {
		upTo         uuid.UUID
		marked, left int
	}{
		{ids[1], 2, 3}, {ids[1], 0, 3}, {uuid.UUID{1}, 0, 3}, {ids[2], 1, 2}, {uuid.Max, 2, 0},
	} {
		n, err := MarkAllRead(t.Context(), b.db.Pool, b.principal, tt.upTo)
		if left := b.unread(t); err != nil || n != tt.marked || left != tt.left {
			t.Errorf("up to %s: got %d marked, %d left, %v, want %d and %d", tt.upTo, n, left, err, tt.marked, tt.left)
		}
	}
}

func TestMarkAllConcurrently(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	b.add(t, 300, b.visible, false)
	const callers = 6
	marked := make([]int, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			var err error
			if marked[i], err = MarkAllRead(t.Context(), b.db.Pool, b.principal, uuid.Nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range marked {
		sum += n
	}
	if sum != 300 || b.unread(t) != 0 {
		t.Errorf("got %d marked by all callers and %d unread, want 300 and 0", sum, b.unread(t))
	}
}
