package stack

import (
	"context"
	"fmt"
	"time"

	"github.com/fanfarehq/fanfare/internal/devstack"
)

// ConsumerOptions are the options of Centrifugo's own PostgreSQL consumer.
type ConsumerOptions struct {
	Binary       string // the path of Centrifugo, or "" for the one that is installed
	DatabaseURL  string
	Table        string
	Partitions   int
	SelectLimit  int
	PollInterval time.Duration
}

// StartConsumer starts a Centrifugo with the production configuration that consumes publications
// from a table; stop stops it. Its consumer is connected when StartConsumer returns.
func StartConsumer(
	ctx context.Context, o ConsumerOptions,
) (server *devstack.Centrifugo, stop func() error, err error) {
	consumer := map[string]any{
		"enabled": true, // v5 has no such option and warns
		"name":    "bench",
		"type":    "postgresql",
		"postgresql": map[string]any{
			"dsn": o.DatabaseURL, "outbox_table_name": o.Table,
			"num_partitions": o.Partitions, "partition_select_limit": o.SelectLimit,
			"partition_poll_interval": o.PollInterval.String(),
		},
	}
	server, stop, err = startCentrifugo(ctx, devstack.CentrifugoOptions{
		Binary: o.Binary, Settings: map[string]any{"consumers": []any{consumer}},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("start a consuming Centrifugo: %w", err)
	}
	return server, stop, nil
}
