package feed_test

import (
	"maps"
	"testing"
	"time"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/feed"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

func TestCountActions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, pgtest.New(t))
	since := time.Now().Add(-time.Hour)
	count := func(want map[string]int, wantExact bool) {
		t.Helper()
		got, exact, err := feed.CountActions(t.Context(), w.db.Pool, w.principal, since)
		if err != nil || exact != wantExact || !maps.Equal(got, want) {
			t.Errorf("got %v, exact %t, %v, want %v, exact %t", got, exact, err, want, wantExact)
		}
	}
	count(map[string]int{}, true)
	w.record(t, 2, w.visible, "doc.moved")
	w.record(t, 3, w.visible, "doc.read")
	w.record(t, 5, w.hidden, "doc.moved")
	w.recordVisible(t, 1, w.visible, "doc.kept", activity.Private)
	w.exec(t, `INSERT INTO fanfare.activities SELECT * FROM jsonb_populate_record(
		(SELECT a FROM fanfare.activities AS a WHERE action = 'doc.read' LIMIT 1),
		jsonb_build_object('id', fanfare.uuidv7(now() - interval '61 minutes'),
			'recorded_at', now() - interval '61 minutes'))`)
	count(map[string]int{"doc.moved": 2, "doc.read": 3}, true)
	w.record(t, feed.ReadBudget-4, w.hidden, "doc.moved")
	w.record(t, 4, w.visible, "doc.seen")
	count(map[string]int{"doc.seen": 4}, false)
}
