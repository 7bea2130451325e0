package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/outbox"
)

func backlog(ctx context.Context, x *examination) verdict {
	status, err := outbox.NewBacklog(x.Pool).Status(ctx, uuid.Nil)
	if err != nil {
		return databaseTrouble(err, x.role)
	}
	return judgeBacklog(status, time.Now(), x.OldBacklog)
}

func judgeBacklog(s outbox.Status, now time.Time, old time.Duration) verdict {
	var found []verdict
	if s.OldestAt != nil && now.Sub(*s.OldestAt) > old {
		found = append(
			found,
			warn(
				fmt.Sprintf(
					"%d activities are pending, the oldest for %s",
					s.Pending,
					now.Sub(*s.OldestAt).Round(time.Second),
				),
				"run fanfare worker, and see its log",
			),
		)
	}
	if s.Failing > 0 {
		found = append(
			found,
			warn(
				fmt.Sprintf(
					"%d activities failed and are to be tried again, %d wait behind them",
					s.Failing,
					s.Parked-s.Failing,
				),
				"see the worker's log for the reason",
			),
		)
	}
	if s.DeadLetters > 0 {
		found = append(
			found,
			warn(
				fmt.Sprintf("%d dead letters", s.DeadLetters),
				"fanfare outbox dead says why; fanfare outbox replay once that is mended",
			),
		)
	}
	if len(found) > 0 {
		return worst(found)
	}
	return fine("%d pending, no dead letters", s.Pending)
}
