package daemon

import (
	"cmp"
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/doctor"
)

// usualWorkers is the default of --workers. A server lacks that setting, as it runs no worker.
const usualWorkers = 4

// ExamineOptions returns the options of an examination of the servers that a daemon with the
// settings uses. origins are web origins that must be able to connect.
func ExamineOptions(c *config.Config, pool *pgxpool.Pool, standbys []*pgxpool.Pool, origins []string) doctor.Options {
	worker := *c
	worker.Workers = cmp.Or(c.Workers, usualWorkers)
	return doctor.Options{
		Pool:        pool,
		Standbys:    standbys,
		MaxLag:      c.ReadMaxLag,
		Connections: WorkerConnections(&worker),
		API:         centrifugo.Options{APIURL: c.CentrifugoAPIURL, APIKey: c.APIKey(), Timeout: c.PublishTimeout},
		SocketURL:   c.CentrifugoWSURL,
		Tokens:      centrifugo.TokenOptions{Secret: c.TokenSecret()},
		Formats:     c.Formats(),
		Cells:       c.Cells(),
		Cell:        c.Cell,
		Origins:     origins,
	}
}

// examine runs the checks of the installation, as fanfare doctor does.
func (c *cell) examine(ctx context.Context) (doctor.Report, error) {
	return doctor.Examine(ctx, ExamineOptions(c.config, c.pool, c.standbyPools, c.config.CORSOrigins))
}
