package outbox

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/fanfarehq/fanfare/internal/pg"
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

// failure is what a lane remembers of its failures in a row.
type failure struct {
	count       int       // failures in a row at the current limit
	witnessed   int       // those of them before which another delivery succeeded since the previous one
	began       time.Time // when the first of the failures in a row happened, at any limit
	last        time.Time // when the latest one happened
	err         error     // the latest one
	unavailable bool      // the latest one was ErrUnavailable
	limit       int       // the batch size while the culprit is searched; 0 means the full one
	found       bool      // the lane has delivered since the search began
	culprit     error     // why the next item that is claimed alone is parked
}

// failing reports whether the latest batch failed, or a culprit is searched.
func (f failure) failing() bool { return f.count > 0 || f.limit > 0 }

// next returns the state after a failed batch of the given size. delivered is the time of the
// latest delivery of another lane: one since the previous failure shows that the servers work, and
// then the batch may be at fault. A batch of size 0 is not: the failure came before the claim.
//
// A batch at fault is halved until the culprit is claimed alone, and the culprit is parked. Halving
// on suspicion is harmless, so an error that can only come from the batch halves it at once. An
// activity is parked only while others get through: what fails for all is an outage.
func (f failure) next(err error, size int, delivered, now time.Time) failure {
	if f.began.IsZero() {
		f.began = now
	}
	if size > 0 && !f.last.IsZero() && delivered.After(f.last) || f.found && size == 1 {
		f.witnessed++
	}
	f.count, f.last, f.err = f.count+1, now, err
	f.unavailable = errors.Is(err, ErrUnavailable)
	needed := witnessesNeeded(err)
	switch {
	case size > 1 && (!f.unavailable || f.witnessed >= needed):
		f.limit = (size + 1) / 2
		f.count, f.witnessed = 1, 0
	case size == 1 && f.witnessed >= needed:
		f.culprit = err
	}
	return f
}

// recovered returns the state after a batch that committed: the limit grows back in steps, since
// the culprit may still be ahead.
func (f failure) recovered(delivered bool, full int) failure {
	limit := f.limit * 2
	if limit >= full {
		limit = 0
	}
	return failure{limit: limit, found: limit > 0 && (delivered || f.found)}
}

// How many failures have a witness before a batch is at fault.
const (
	witnesses       = 2
	manyWitnesses   = 10
	noWitnessCounts = 1 << 30
)

// witnessesNeeded returns the number of witnessed failures after which a batch is at fault. Errors
// of the configuration may concern the data of one tenant, behind a view, but rarely do. Errors of
// prepared statements come and go with the connections of a pooler and are never an activity's.
func witnessesNeeded(err error) int {
	switch pg.ReasonOf(err) {
	case pg.Pooler, pg.ReadOnly:
		return noWitnessCounts
	case pg.Configuration:
		return manyWitnesses
	}
	return witnesses
}

// randomJitter returns a random number in [0, 1).
func randomJitter() float64 { return rand.Float64() }
