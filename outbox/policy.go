package outbox

import (
	"errors"
	"math/rand/v2"
	"time"
)

// Retries says how failures are answered. The zero value is the default.
type Retries struct {
	MaxAttempts int           // tries of one activity on its own before it becomes a dead letter; default 10
	First       time.Duration // the wait after the first failure; default 200 ms. It doubles with each further one.
	Longest     time.Duration // default 30 s
}

func (r Retries) orDefault() Retries {
	if r.MaxAttempts <= 0 {
		r.MaxAttempts = 10
	}
	if r.First <= 0 {
		r.First = 200 * time.Millisecond
	}
	if r.Longest <= 0 {
		r.Longest = 30 * time.Second
	}
	return r
}

// wait is exponential with jitter: between half and all of First·2^(failures-1), at most Longest.
func (r Retries) wait(failures int, random func() float64) time.Duration {
	d := r.Longest
	if shift := failures - 1; shift < 20 {
		d = min(r.First<<max(shift, 0), r.Longest)
	}
	return time.Duration((0.5 + random()/2) * float64(d))
}

// triesBeforeBlame is how often a batch fails, while others get through, before it is taken apart.
const triesBeforeBlame = 3

// failure is what a lane remembers of its failures in a row.
type failure struct {
	count       int       // failures in a row at the present limit
	since       time.Time // the first of them
	unavailable bool      // the last one was ErrUnavailable
	limit       int       // batch size while the culprit is sought; 0 means the full one
	blamed      error     // the next single item claimed is parked for this
}

// next decides after a failed batch of the given size. othersSince tells whether another lane's
// batch has got through since the lane began to fail: then what is published to can be reached, and
// the fault lies in the batch.
//
// A batch at fault is halved until the culprit stands alone, and that one is parked. An outage
// alone never halves or parks.
func (f failure) next(err error, size int, othersSince bool, now time.Time) failure {
	if f.count == 0 {
		f.since = now
	}
	f.count++
	f.unavailable = errors.Is(err, ErrUnavailable)
	atFault := !f.unavailable || f.count >= triesBeforeBlame && othersSince
	switch {
	case !atFault:
	case size > 1:
		f.limit = (size + 1) / 2
		f.count, f.since = 1, now
	case f.count >= triesBeforeBlame:
		f.blamed = err
	}
	return f
}

// recovered decides after a batch that got through: the limit grows back in steps, as the culprit
// may still be ahead.
func (f failure) recovered(full int) failure {
	limit := f.limit * 2
	if limit >= full {
		limit = 0
	}
	return failure{limit: limit}
}

// randomJitter is the source of jitter, in [0, 1).
func randomJitter() float64 { return rand.Float64() }
