package outbox

import (
	"errors"
	"math/rand/v2"
	"time"
)

// Retries sets the back-off after failures. The zero value is the default.
type Retries struct {
	MaxAttempts int           // failed attempts of an activity on its own before it is a dead letter; default 10
	First       time.Duration // the wait after the first failure, doubled by each further one; default 200 ms
	Longest     time.Duration // the longest wait; default 30 s
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

// wait returns the wait after a number of failures in a row: between half and all of
// First·2^(failures-1), at most Longest. random is the source of the jitter, in [0, 1).
func (r Retries) wait(failures int, random func() float64) time.Duration {
	d := r.Longest
	if shift := failures - 1; shift < 20 {
		d = min(r.First<<max(shift, 0), r.Longest)
	}
	return time.Duration((0.5 + random()/2) * float64(d))
}

// failuresBeforeSplit is the number of times that a batch fails, while other lanes deliver, before
// it is split.
const failuresBeforeSplit = 3

// failure is what a lane remembers of its failures in a row.
type failure struct {
	count       int       // failures in a row at the current limit
	since       time.Time // when the first of them happened
	unavailable bool      // the last one was ErrUnavailable
	limit       int       // the batch size while the culprit is searched; 0 means the full one
	culprit     error     // why the next item that is claimed alone is parked
}

// next returns the state after a failed batch of the given size. othersSince reports whether
// another lane has delivered since this one began to fail: then the servers are reachable, and the
// batch is at fault.
//
// A batch at fault is halved until the culprit is claimed alone, and the culprit is parked. An
// outage alone never halves a batch and never parks an activity.
func (f failure) next(err error, size int, othersSince bool, now time.Time) failure {
	if f.count == 0 {
		f.since = now
	}
	f.count++
	f.unavailable = errors.Is(err, ErrUnavailable)
	atFault := !f.unavailable || f.count >= failuresBeforeSplit && othersSince
	switch {
	case !atFault:
	case size > 1:
		f.limit = (size + 1) / 2
		f.count, f.since = 1, now
	case f.count >= failuresBeforeSplit:
		f.culprit = err
	}
	return f
}

// recovered returns the state after a batch that committed: the limit grows back in steps, since
// the culprit may still be ahead.
func (f failure) recovered(full int) failure {
	limit := f.limit * 2
	if limit >= full {
		limit = 0
	}
	return failure{limit: limit}
}

// randomJitter returns a random number in [0, 1).
func randomJitter() float64 { return rand.Float64() }
