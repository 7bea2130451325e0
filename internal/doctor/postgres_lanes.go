package doctor

import (
	"context"

	"github.com/fanfarehq/fanfare/outbox"
)

// checkLanes fails if a session that is not a worker holds the locks of lanes.
func checkLanes(ctx context.Context, x *examination) finding {
	holders, err := outbox.NewBacklog(x.Pool).Holders(ctx)
	if err != nil {
		return databaseFailure(err, x.role)
	}
	return evaluateLanes(holders)
}

func evaluateLanes(holders []outbox.Holder) finding {
	if len(holders) == 0 {
		return passed("no foreign session holds lanes")
	}
	found := make([]finding, len(holders))
	for i, h := range holders {
		found[i] = failure(h.String()+", and their activities wait", h.Remedy())
	}
	return combine(found)
}
