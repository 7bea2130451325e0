package frontier

import (
	"testing"
	"time"
)

// TestAdvance observes short transactions, one that stays open, and two of before the first
// observation.
func TestAdvance(t *testing.T) {
	t.Parallel()
	start := time.UnixMilli(1_800_000_000_000)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	const epoch = 7 << 32 // ids have 64 bits, those of backends the lower 32
	unknown := at(100).Add(-unknownAge)
	var f Frontier
	for _, step := range []struct {
		at           int
		open         []int64
		since, until time.Time
	}{
		{100, []int64{epoch + 1, epoch + 2}, time.Time{}, unknown},
		{105, []int64{epoch + 2, epoch + 3, epoch + 5}, unknown, at(40).Add(-slack)},
		{110, []int64{epoch + 3, epoch + 6}, at(40).Add(-slack), at(100).Add(-slack)},
		{115, []int64{epoch + 3}, at(105).Add(-slack), at(100).Add(-slack)},
		{120, []int64{epoch + 3, epoch + 9}, at(115).Add(-slack), at(100).Add(-slack)},
		{125, nil, at(100).Add(-slack), at(125).Add(-slack)},
		{130, nil, at(125).Add(-slack), at(130).Add(-slack)},
	} {
		got := f.advance(at(step.at), step.open, map[uint32]time.Time{2: at(40)})
		if !got.Since.Equal(step.since) || !got.Until.Equal(step.until) {
			t.Errorf("at %d: got since %v until %v, want %v and %v", step.at,
				got.Since.Sub(start), got.Until.Sub(start), step.since.Sub(start), step.until.Sub(start))
		}
	}
}
