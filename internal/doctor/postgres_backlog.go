package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/outbox"
)

func checkBacklog(ctx context.Context, x *examination) finding {
	status, err := outbox.NewBacklog(x.Pool).Status(ctx, uuid.Nil)
	if err != nil {
		return databaseFailure(err, x.role)
	}
	return evaluateBacklog(status, time.Now(), x.OldBacklog)
}

// evaluateBacklog warns if the oldest pending activity is older than maxAge, if activities fail,
// and if there are dead letters.
func evaluateBacklog(s outbox.Status, now time.Time, maxAge time.Duration) finding {
	var found []finding
	if s.OldestAt != nil && now.Sub(*s.OldestAt) > maxAge {
		age := now.Sub(*s.OldestAt).Round(time.Second)
		found = append(found, warning(
			fmt.Sprintf("%d activities are pending, the oldest for %s", s.Pending, age),
			"run fanfare worker, or read its log",
		))
	}
	if s.Failing > 0 {
		found = append(found, warning(
			fmt.Sprintf("%d parked (%d failed, %d blocked)", s.Parked, s.Failing, s.Parked-s.Failing),
			"read the worker's log for the reason",
		))
	}
	if s.DeadLetters > 0 {
		found = append(found, warning(
			fmt.Sprintf("%d dead letters", s.DeadLetters),
			"list them with fanfare outbox dead, correct the causes, and run fanfare outbox replay",
		))
	}
	if len(found) > 0 {
		return combine(found)
	}
	return passed("%d pending, no dead letters", s.Pending)
}
