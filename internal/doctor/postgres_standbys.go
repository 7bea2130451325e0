package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fanfarehq/fanfare/internal/standby"
)

func checkStandbys(ctx context.Context, x *examination) finding {
	if len(x.Standbys) == 0 {
		return passed("--read-database-url names no standby; the API reads from the primary")
	}
	all := make([]finding, len(x.Standbys))
	for i, pool := range x.Standbys {
		name := standby.Name(pool)
		took, err := standby.CatchUp(ctx, x.Pool, pool, x.MaxLag)
		all[i] = evaluateStandby(name, took, x.MaxLag, err)
	}
	return combine(all)
}

func evaluateStandby(name string, took, maxLag time.Duration, err error) finding {
	switch {
	case err == nil:
		return passed("the standby %s shows within %s what is committed", name, took.Round(time.Millisecond))
	case errors.Is(err, standby.ErrNoStandby), errors.Is(err, standby.ErrOtherCluster):
		return failure(fmt.Sprintf("%s: %v", name, err), "correct --read-database-url; reads go to the primary")
	case errors.Is(err, standby.ErrBehind):
		return warning(fmt.Sprintf("the standby %s is more than --read-max-lag (%s) behind", name, maxLag),
			"look at pg_stat_replication on the primary; reads go to the primary until the standby has caught up")
	}
	return warning(fmt.Sprintf("the standby %s cannot be read: %v", name, err),
		"start it, or correct --read-database-url; reads go to the primary")
}
