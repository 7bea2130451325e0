package inbox

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

func TestMarkBothWays(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	id := b.tell(t, 1, b.seen, false)[0]
	mark := func(read bool) Notification {
		t.Helper()
		n, err := Mark(t.Context(), b.db.Pool, b.id(), id, read)
		if err != nil || n.ID != id || n.Activity.ID != id || (n.ReadAt != nil) != read {
			t.Fatalf("read %v: got %+v, %v", read, n, err)
		}
		return n
	}
	if n := mark(false); b.unread(t) != 1 {
		t.Errorf("unread as it was: got %+v", n)
	}
	first := mark(true)
	if again := mark(true); !again.ReadAt.Equal(*first.ReadAt) {
		t.Errorf("read again: got read at %v, want the first time, %v", again.ReadAt, first.ReadAt)
	}
	if got := b.unread(t); got != 0 {
		t.Errorf("got %d unread, want none", got)
	}
	mark(false)
	if got := b.unread(t); got != 1 {
		t.Errorf("marked as unread: got %d unread, want 1", got)
	}
}

func TestMarkOnlyWhatIsOnesOwnAndMayBeSeen(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	foreign := newBox(t, b.db)
	foreign.visibility = "tenant"
	mine, lost, forgotten, theirs := b.tell(t, 1, b.seen, false)[0], b.tell(t, 1, b.lost, false)[0], b.forget(
		t,
	), foreign.tell(t, 1, foreign.seen, false)[0]
	b.exec(
		t,
		`INSERT INTO fanfare.notifications (tenant_id, principal_id, activity_id, reasons) VALUES ($1, $2, $3, 1)`,
		b.tenant,
		b.principal,
		theirs,
	)
	for name, tt := range map[string]struct {
		principal activity.Principal
		id        uuid.UUID
	}{
		"unknown":             {b.id(), uuid.New()},
		"without access":      {b.id(), lost},
		"without an activity": {b.id(), forgotten},
		"another tenant's":    {b.id(), theirs},
		"in another tenant":   {activity.Principal{TenantID: foreign.tenant, PrincipalID: b.principal}, mine},
		"another principal's": {activity.Principal{TenantID: b.tenant, PrincipalID: uuid.New()}, mine},
	} {
		for _, read := range []bool{true, false} {
			n, err := Mark(t.Context(), b.db.Pool, tt.principal, tt.id, read)
			if !errors.Is(err, activity.ErrNotFound) || n.ID != uuid.Nil {
				t.Errorf("%s, read %t: got %+v, %v, want ErrNotFound", name, read, n, err)
			}
		}
	}
	if b.unread(t) != 1 || foreign.unread(t) != 1 {
		t.Error("something was marked all the same")
	}
}

func TestMarkAllLeavesWhatMayNotBeSeen(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	b.tell(t, markChunk+20, b.seen, false)
	b.tell(t, markChunk+10, b.lost, false)
	b.tell(t, 30, b.seen, true)
	b.forget(t)
	b.tell(t, 5, b.seen, false)
	n, err := MarkAll(t.Context(), b.db.Pool, b.id())
	if err != nil || n != markChunk+25 {
		t.Errorf("got %d, %v, want %d", n, err, markChunk+25)
	}
	if n, err := MarkAll(t.Context(), b.db.Pool, b.id()); err != nil || n != 0 {
		t.Errorf("again: got %d, %v, want 0", n, err)
	}
	if got := b.unread(t); got != 0 {
		t.Errorf("got %d unread, want 0", got)
	}
	b.grant(t, b.lost)
	if got := b.unread(t); got != min(markChunk+10, MaxUnread) {
		t.Errorf("with access again: got %d unread, want %d", got, markChunk+10)
	}
}

func TestMarkAllAtTheSameTime(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	b.tell(t, 300, b.seen, false)
	const callers = 6
	marked := make([]int, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			var err error
			if marked[i], err = MarkAll(t.Context(), b.db.Pool, b.id()); err != nil {
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
		t.Errorf("got %d marked by all together, %d unread, want each once", sum, b.unread(t))
	}
}
