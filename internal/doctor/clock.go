package doctor

import (
	"context"
	"fmt"
	"time"
)

// mostSkew is how far apart clocks may be. Tokens and retry times rest on them.
const mostSkew = 2 * time.Second

// reading is a look at another's clock: it showed a time from first to last at some moment between
// before and after, which are ours.
type reading struct{ before, after, first, last time.Time }

// skew returns by how much at least the other clock is ahead of ours; negative: behind it.
func (r reading) skew() time.Duration {
	switch {
	case r.first.After(r.after):
		return r.first.Sub(r.after)
	case r.last.Before(r.before):
		return r.last.Sub(r.before)
	}
	return 0
}

func (r reading) judge(whose, consequence string) verdict {
	skew := r.skew()
	word := "ahead of"
	if skew < 0 {
		word = "behind"
	}
	if skew.Abs() > mostSkew {
		return warn(
			fmt.Sprintf(
				"the clock of %s is %s ours by %s: %s",
				whose,
				word,
				skew.Abs().Round(100*time.Millisecond),
				consequence,
			),
			"set the clocks of both machines by NTP",
		)
	}
	return fine("within %s of ours", mostSkew)
}

func databaseClock(ctx context.Context, x *examination) verdict {
	// The first query may have to connect.
	conn, err := x.Pool.Acquire(ctx)
	if err != nil {
		return databaseTrouble(err, x.role)
	}
	defer conn.Release()
	r := reading{before: time.Now()}
	if err := conn.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&r.first); err != nil {
		return databaseTrouble(err, x.role)
	}
	r.after, r.last = time.Now(), r.first
	return r.judge("PostgreSQL", "ages and latencies are off by that")
}

func centrifugoClock(_ context.Context, x *examination) verdict {
	if x.info.clock.first.IsZero() {
		return skipped("not checked: Centrifugo's answers bear no date", "")
	}
	return x.info.clock.judge("Centrifugo", "tokens expire too early or too late")
}
