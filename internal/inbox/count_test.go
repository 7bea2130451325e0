package inbox

import (
	"testing"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestCountAllBeyondMaxCount counts inboxes whose newest MaxCount notifications do not suffice: the
// principal may see none of them, or more than that are in the inbox.
func TestCountAllBeyondMaxCount(t *testing.T) {
	t.Parallel()
	b := newBox(t, pgtest.New(t))
	counts := func(want Counts) {
		t.Helper()
		if got, err := CountAll(t.Context(), b.db.Pool, b.principal); err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	counts(Counts{})
	b.add(t, 7, b.visible, true)
	b.add(t, 5, b.visible, false)
	b.add(t, MaxCount, b.hidden, false)
	counts(Counts{Inbox: 12, Unread: 5, Unseen: 12})
	b.add(t, MaxCount-10, b.second, true)
	counts(Counts{Inbox: MaxCount, Unread: 5, Unseen: MaxCount})
	b.exec(t, `UPDATE fanfare.notifications SET archived_at = now() WHERE read_at IS NOT NULL`)
	counts(Counts{Inbox: 5, Unread: 5, Unseen: 5, Archived: MaxCount - 3})
	b.exec(t, `UPDATE fanfare.notifications SET snoozed_until = now() + interval '1 day' WHERE read_at IS NULL`)
	counts(Counts{Archived: MaxCount - 3, Snoozed: 5})
}
