package acceptance

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

// Rate describes how often AtRate starts a function.
type Rate struct {
	PerSecond   int
	Duration    time.Duration   // 0: until Until is closed
	Until       <-chan struct{} // optional
	Concurrency int             // maximum number of functions that run at a time; 0 is unlimited
}

// AtRate starts functions at a steady rate, each at its time whether or not the previous ones have
// returned, and returns when all have. next is called with 0, 1, 2, … in one goroutine and returns
// the function to run in a goroutine of its own. The first error ends it; the end of ctx does not
// count as an error.
func AtRate(ctx context.Context, r Rate, next func(n int) func(context.Context) error) error {
	g, ctx := errgroup.WithContext(ctx)
	if r.Concurrency > 0 {
		g.SetLimit(r.Concurrency)
	}
	started := time.Now()
	total := int(r.Duration.Seconds() * float64(r.PerSecond))
	for n := 0; r.Duration == 0 || n < total; n++ {
		run := next(n)
		due := time.NewTimer(time.Until(started.Add(time.Duration(n) * time.Second / time.Duration(r.PerSecond))))
		select {
		case <-ctx.Done():
			due.Stop()
			return g.Wait()
		case <-r.Until:
			due.Stop()
			return g.Wait()
		case <-due.C:
		}
		g.Go(func() error { return run(ctx) })
	}
	return g.Wait()
}
