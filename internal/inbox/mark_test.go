package inbox

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
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

// TestMarkAllWhileRowsChange marks all as read while another transaction marks the newest ones as
// seen: the mark waits for it, and leaves none of them out.
func TestMarkAllWhileRowsChange(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	ids := b.add(t, 50, b.visible, false)
	tx, err := b.db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), `UPDATE fanfare.notifications SET seen_at = now()
		WHERE tenant_id = $1 AND principal_id = $2 AND activity_id = ANY ($3)`,
		b.principal.TenantID, b.principal.PrincipalID, pg.UUIDs(ids[40:])); err != nil {
		t.Fatal(err)
	}
	var (
		marked int
		wg     sync.WaitGroup
	)
	wg.Go(func() {
		var err error
		if marked, err = MarkAllRead(t.Context(), b.db.Pool, b.principal, uuid.Nil); err != nil {
			t.Error(err)
		}
	})
	waittest.Query(t, b.db.Pool, "the mark waits for the other transaction", `
		SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')`)
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if left := b.unread(t); marked != 50 || left != 0 {
		t.Errorf("got %d marked and %d left, want 50 and 0", marked, left)
	}
}

// TestMarkByFilterAndUndo changes what a filter selects, and reverses it with the ids.
func TestMarkByFilterAndUndo(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	b.add(t, 3, b.second, false)
	b.add(t, 2, b.visible, true)
	old := b.add(t, 4, b.visible, false)
	b.add(t, 5, b.hidden, false)
	late := b.add(t, 1, b.visible, false)
	before := b.states(t)
	filter := Selection{Filter: activity.Filter{Resource: b.visible}}
	tomorrow := time.Now().Add(24 * time.Hour)
	for _, tt := range []struct {
		do, undo Changes
		count    int // of the six
	}{
		{Changes{Seen: new(true)}, Changes{Seen: new(false)}, 6},
		{Changes{Read: new(true)}, Changes{Read: new(false), Seen: new(false)}, 4},
		{Changes{Archived: new(true)}, Changes{Archived: new(false)}, 6},
		{Changes{Snooze: &Snooze{Until: tomorrow}}, Changes{Snooze: &Snooze{}}, 6},
		{
			Changes{Archived: new(true), Snooze: &Snooze{Until: tomorrow}},
			Changes{Archived: new(false), Snooze: &Snooze{}},
			6,
		},
	} {
		marked := b.mark(t, Marking{Selection: filter, UpTo: old[3], Changes: tt.do})
		if marked.Count != tt.count || len(marked.IDs) != tt.count || slices.Contains(marked.IDs, late[0]) {
			t.Errorf("%+v: got %+v, want %d and not the one that came later", tt.do, marked, tt.count)
		}
		if again := b.mark(t, Marking{IDs: marked.IDs, Changes: tt.do}); again.Count != 0 {
			t.Errorf("%+v again: got %+v, want none", tt.do, again)
		}
		if undone := b.mark(t, Marking{IDs: marked.IDs, Changes: tt.undo}); undone.Count != tt.count {
			t.Errorf("undo %+v: got %+v, want %d", tt.do, undone, tt.count)
		}
		if got := b.states(t); !slices.Equal(got, before) {
			t.Errorf("undone %+v: got %q\nwant %q", tt.do, got, before)
		}
	}
}

// states returns which marks each notification of the tenant has.
func (b *box) states(t testing.TB) []string {
	t.Helper()
	rows, err := b.db.Pool.Query(t.Context(), `
		SELECT concat_ws(' ', activity_id, seen_at IS NULL, read_at IS NULL, archived_at IS NULL, snoozed_until IS NULL)
		FROM fanfare.notifications WHERE tenant_id = $1 ORDER BY activity_id`, b.principal.TenantID)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func (b *box) mark(t testing.TB, m Marking) Marked {
	t.Helper()
	marked, err := Mark(t.Context(), b.db.Pool, b.principal, m)
	if err != nil {
		t.Fatal(err)
	}
	return marked
}

// TestMarkByIDs checks that ids of what the principal may not see, of others and of nothing have no
// effect, and that repeated ones count once.
func TestMarkByIDs(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	foreign := newBox(t, b.db)
	foreign.visibility = activity.TenantVisible
	own, hidden := b.add(t, 2, b.visible, false), b.add(t, 1, b.hidden, false)
	others := foreign.add(t, 1, foreign.visible, false)
	ids := []uuid.UUID{own[1], own[0], own[1], hidden[0], others[0], b.addPurged(t), uuid.New()}
	marked := b.mark(t, Marking{IDs: ids, Changes: Changes{Archived: new(true)}})
	if marked.Count != 2 || len(marked.IDs) != 2 || marked.Next != uuid.Nil {
		t.Errorf("got %+v, want the two", marked)
	}
	for place, want := range map[*box]int{b: 4, foreign: 1} {
		got := 0
		err := b.db.Pool.QueryRow(t.Context(), `SELECT count(*) FROM fanfare.notifications
			WHERE tenant_id = $1 AND archived_at IS NULL OR tenant_id = $1 AND activity_id = ANY ($2)`,
			place.principal.TenantID, pg.UUIDs(own)).Scan(&got)
		if err != nil || got != want {
			t.Errorf("got %d, %v, want %d", got, err, want)
		}
	}
	if got := b.mark(t, Marking{IDs: own, UpTo: own[0], Changes: Changes{Archived: new(false)}}); got.Count != 1 {
		t.Errorf("up to the first: got %+v, want one", got)
	}
	_, err := Mark(t.Context(), b.db.Pool, b.principal, Marking{
		IDs: make([]uuid.UUID, MaxMarkIDs+1), Changes: Changes{Read: new(true)},
	})
	wantInvalid(t, err, "marking")
}

// TestMarkContinues checks that a call reads at most its budget, and that the next one goes on.
func TestMarkContinues(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	b.add(t, MarkBudget+30, b.visible, false)
	m := Marking{Changes: Changes{Seen: new(true)}}
	first := b.mark(t, m)
	m.After = first.Next
	second := b.mark(t, m)
	if first.Count != MarkBudget || first.IDs != nil || second.Count != 30 || len(second.IDs) != 30 ||
		second.Next != uuid.Nil {
		t.Errorf("got %d and %d, want %d and 30", first.Count, second.Count, MarkBudget)
	}
}

// TestInvalidChanges checks that the time of a snooze is compared with the database's clock.
func TestInvalidChanges(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	id := b.add(t, 1, b.visible, false)[0]
	for name, c := range map[string]Changes{
		"none":                 {},
		"unseen but read":      {Seen: new(false), Read: new(true)},
		"snoozed to the past":  {Snooze: &Snooze{Until: time.Now().Add(-time.Second)}},
		"snoozed for too long": {Snooze: &Snooze{Until: time.Now().Add(MaxSnooze + time.Minute)}},
	} {
		_, err := Change(t.Context(), b.db.Pool, b.principal, id, c)
		wantInvalid(t, err, "changes")
		_, err = Mark(t.Context(), b.db.Pool, b.principal, Marking{IDs: []uuid.UUID{id}, Changes: c})
		wantInvalid(t, err, "changes")
		if got := b.unread(t); got != 1 {
			t.Errorf("%s: got %d unread, want 1", name, got)
		}
	}
}

// TestSnoozeEndsByTheClock checks that a notification whose snooze has ended is unread before any
// worker has seen that, and that changes of it keep that.
func TestSnoozeEndsByTheClock(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	id := b.add(t, 1, b.visible, true)[0]
	change := func(c Changes) Notification {
		t.Helper()
		n, err := Change(t.Context(), b.db.Pool, b.principal, id, c)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	until := time.Now().Add(time.Hour).Truncate(time.Millisecond)
	if n := change(Changes{Snooze: &Snooze{Until: until}}); n.SnoozedUntil == nil || !n.SnoozedUntil.Equal(until) ||
		n.ReadAt == nil {
		t.Errorf("snoozed: got %+v, want it read and snoozed until %v", n, until)
	}
	if n := change(Changes{Snooze: &Snooze{}}); n.SnoozedUntil != nil || n.ReadAt == nil || b.unread(t) != 0 {
		t.Errorf("undone: got %+v, want it read and not snoozed", n)
	}
	b.exec(t, `UPDATE fanfare.notifications SET read_at = now() - interval '2 hours',
		seen_at = now() - interval '2 hours', snoozed_until = now() - interval '1 hour' WHERE activity_id = $1`, id)
	if got := b.unread(t); got != 1 {
		t.Errorf("ended: got %d unread, want 1", got)
	}
	if n := change(Changes{Archived: new(true)}); n.ArchivedAt == nil || n.ReadAt != nil || n.SnoozedUntil != nil {
		t.Errorf("archived: got %+v, want it unread and not snoozed", n)
	}
	if n := change(Changes{Archived: new(false)}); n.ReadAt != nil || b.unread(t) != 1 {
		t.Errorf("in the inbox again: got %+v, want it unread", n)
	}
}
