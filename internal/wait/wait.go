// Package wait pauses without outliving its context.
package wait

import (
	"context"
	"time"
)

// Sleep waits for d, or until ctx ends, and returns ctx's error. A d of zero or less does not wait.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
