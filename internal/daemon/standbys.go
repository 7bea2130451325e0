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
func (d *Daemon) openStandbys(ctx context.Context) (err error) {
	if d.role.serves() {
		if d.standbyPools, _, err = OpenStandbys(ctx, d.config, apiConnections(d.config)+1); err != nil {
			return err
		}
	}
	d.standbys = standby.New(standby.Options{
		Primary: d.pool, Standbys: d.standbyPools, MaxLag: d.config.ReadMaxLag, Logger: d.log,
	})
	metrics.RegisterStandbys(d.registry, d.standbys.States)
	d.actors = append(d.actors, func(ctx context.Context) error { d.standbys.Run(ctx); return nil })
	return nil
}
