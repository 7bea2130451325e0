package api

import (
	"math"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

// maxBuckets is the maximum number of buckets. The least recently used bucket is dropped, and its
// principal starts again with a full one.
const maxBuckets = 16384

// limiter limits the request rate of each principal, or of each peer, by a token bucket.
type limiter[K comparable] struct {
	perSecond rate.Limit
	burst     int
	now       func() time.Time
	buckets   *lru.Cache[K, *rate.Limiter]
}

func newLimiter[K comparable](perSecond float64, burst int, now func() time.Time) (*limiter[K], error) {
	buckets, err := lru.New[K, *rate.Limiter](maxBuckets)
	if err != nil {
		return nil, err
	}
	return &limiter[K]{perSecond: rate.Limit(perSecond), burst: burst, now: now, buckets: buckets}, nil
}

// take takes a token from the bucket of a key. If there is none, it returns the time until
// there is one.
func (l *limiter[K]) take(key K) (wait time.Duration) {
	bucket, known := l.buckets.Get(key)
	if !known {
		bucket = rate.NewLimiter(l.perSecond, l.burst)
		if other, raced, _ := l.buckets.PeekOrAdd(key, bucket); raced {
			bucket = other
		}
	}
	now := l.now()
	reservation := bucket.ReserveN(now, 1)
	if wait = reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}

// limitRate rejects the requests of a caller that exceeds its rate, or of a peer where there is no
// caller.
func (s *Server) limitRate(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	info := requestInfoOf(r.Context())
	wait := time.Duration(0)
	if isPublic(ctx.Operation()) {
		wait = s.signIns.take(peerOf(r))
	} else {
		wait = s.limiter.take(info.caller.Principal)
	}
	if wait > 0 {
		seconds := max(1, int(math.Ceil(wait.Seconds())))
		newProblem(TooManyRequests).withHeader("Retry-After", strconv.Itoa(seconds)).write(w, info.requestID)
		return
	}
	next(ctx)
}
