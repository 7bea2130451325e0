package feed_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/feed"
)

// TestReadTakesFewParts reads a page of 50 from lists of which the principal may see the first
// entries only.
func TestReadTakesFewParts(t *testing.T) {
	t.Parallel()
	for _, visible := range []int{0, 1, 25, 49, 50} {
		entries, parts := 0, 0
		found, next, err := feed.Read(t.Context(), nil, feed.Reading{
			Budget: 2_000,
			Next: func(_ context.Context, _ uuid.UUID, limit int) (feed.Part, error) {
				parts++
				part := feed.Part{Read: limit}
				for range limit {
					part.Last = uuid.UUID{0: byte(entries >> 8), 1: byte(entries)}
					if entries++; entries <= visible {
						part.Visible = append(part.Visible, part.Last)
					}
				}
				return part, nil
			},
			Fetch: func(_ context.Context, ids []uuid.UUID, limit int) (found []activity.Activity, _ error) {
				for _, id := range ids[:min(limit, len(ids))] {
					found = append(found, activity.Activity{ID: id})
				}
				return found, nil
			},
		})
		if err != nil || len(found) != visible || next == uuid.Nil || entries != 2_000 {
			t.Errorf("%d visible: got %d of %d, next %s, %v, want all of 2,000",
				visible, len(found), entries, next, err)
		}
		if parts > 10 {
			t.Errorf("%d visible: got %d parts, want at most 10", visible, parts)
		}
	}
}
