package outbox

import (
	"math"
	"time"
)

// latencies counts durations in buckets. The upper bound of bucket i is 1.5^i milliseconds; the
// last bucket has no upper bound. Those of two workers are added bucket by bucket. Buckets after
// the last one that is not empty may be missing.
type latencies []int64

// Of the buckets; the last one begins at about two hours.
const (
	latencyBuckets = 41
	latencyRatio   = 1.5
)

// bucketOf returns the bucket of a duration.
func bucketOf(d time.Duration) int {
	ms := d.Seconds() * 1000
	if ms <= 1 {
		return 0
	}
	return min(int(math.Ceil(math.Log(ms)/math.Log(latencyRatio))), latencyBuckets-1)
}

// add counts a duration.
func (l *latencies) add(d time.Duration) {
	bucket := bucketOf(d)
	for len(*l) <= bucket {
		*l = append(*l, 0)
	}
	(*l)[bucket]++
}

// merge adds the counts of others.
func (l *latencies) merge(others latencies) {
	for len(*l) < len(others) {
		*l = append(*l, 0)
	}
	for i, n := range others {
		(*l)[i] += n
	}
}

// quantile returns the duration below which the part q of all durations is, to within the width of
// a bucket; ok is false if there are none.
func (l latencies) quantile(q float64) (d time.Duration, ok bool) {
	total := 0.0
	for _, n := range l {
		total += float64(n)
	}
	if total == 0 {
		return 0, false
	}
	rank, below := q*total, 0.0
	for i, n := range l {
		if n == 0 || below+float64(n) < rank {
			below += float64(n)
			continue
		}
		low, high := 0.0, math.Pow(latencyRatio, float64(i))
		if i > 0 {
			low = high / latencyRatio
		}
		ms := low + (high-low)*max(rank-below, 0)/float64(n)
		return time.Duration(ms * float64(time.Millisecond)), true
	}
	return time.Duration(math.Pow(latencyRatio, float64(len(l)-1)) * float64(time.Millisecond)), true
}
