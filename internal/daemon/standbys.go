package daemon

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/database"
	"github.com/fanfarehq/fanfare/internal/metrics"
	"github.com/fanfarehq/fanfare/internal/standby"
)

// OpenStandbys returns a pool for each hot standby of the settings. close closes all of them.
func OpenStandbys(
	ctx context.Context, c *config.Config, connections int,
) (pools []*pgxpool.Pool, closeAll func(), err error) {
	closeAll = func() {
		for _, pool := range pools {
			pool.Close()
		}
	}
	for _, url := range c.ReadDatabaseURLs {
		pool, err := database.Open(ctx, url, connections)
		if err != nil {
			closeAll()
			return nil, func() {}, err
		}
		pools = append(pools, pool)
	}
	return pools, closeAll, nil
}

// openStandbys makes the API read from the standbys of the settings. One connection of each is for
// looking at it.
func (c *cell) openStandbys(ctx context.Context) (err error) {
	if c.role.serves() {
		if c.standbyPools, _, err = OpenStandbys(ctx, c.config, apiConnections(c.config)+1); err != nil {
			return err
		}
	}
	c.standbys = standby.New(standby.Options{
		Primary: c.pool, Standbys: c.standbyPools, MaxLag: c.config.ReadMaxLag, Logger: c.log,
	})
	metrics.RegisterStandbys(c.registry, c.standbys.States)
	c.actors = append(c.actors, func(ctx context.Context) error { c.standbys.Run(ctx); return nil })
	return nil
}
