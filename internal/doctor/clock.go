package doctor

import (
	"context"
	"fmt"
	"time"
)

// maxSkew is the difference between clocks from which a check warns. The expiry of tokens and the
// times of retries depend on the clocks.
const maxSkew = 2 * time.Second

// clockReading is one reading of another machine's clock. Its time was between first and last at a
// moment that was between before and after on our clock.
type clockReading struct{ before, after, first, last time.Time }

// skew returns the minimum by which the other clock is ahead of ours; negative if it is behind.
func (r clockReading) skew() time.Duration {
	switch {
	case r.first.After(r.after):
		return r.first.Sub(r.after)
	case r.last.Before(r.before):
		return r.last.Sub(r.before)
	}
	return 0
}

// evaluate returns the finding on the clock of a server. consequence is the effect of a skew.
func (r clockReading) evaluate(server, consequence string) finding {
	skew := r.skew()
	direction := "ahead of"
	if skew < 0 {
		direction = "behind"
	}
	if skew.Abs() > maxSkew {
		size := skew.Abs().Round(100 * time.Millisecond)
		return warning(
			fmt.Sprintf("the clock of %s is %s %s this machine's: %s", server, size, direction, consequence),
			"synchronize the clocks of both machines by NTP",
		)
	}
	return passed("within %s of this machine's clock", maxSkew)
}

func checkDatabaseClock(ctx context.Context, x *examination) finding {
	// Acquiring may take long; the reading must not.
	conn, err := x.Pool.Acquire(ctx)
	if err != nil {
		return databaseFailure(err, x.role)
	}
	defer conn.Release()
	r := clockReading{before: time.Now()}
	if err := conn.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&r.first); err != nil {
		return databaseFailure(err, x.role)
	}
	r.after, r.last = time.Now(), r.first
	return r.evaluate("PostgreSQL", "ages and latencies are wrong by that much")
}

func checkCentrifugoClock(_ context.Context, x *examination) finding {
	if x.info.clock.first.IsZero() {
		return skipped("skipped: Centrifugo's responses have no header Date", "")
	}
	return x.info.clock.evaluate("Centrifugo", "tokens expire too early or too late")
}
