package stack

import (
	"context"
	"fmt"
	"time"

	"github.com/fanfarehq/fanfare/internal/devstack"
)

// BrokerShards is the number of shards of the PostgreSQL stream broker, Centrifugo's default.
const BrokerShards = 8

// StartStreamBroker starts a Centrifugo v6 with the production configuration, whose channels are in
// PostgreSQL: it creates the tables and functions of its stream broker, and delivers what the
// function cf_stream_publish publishes. poll is the interval of its polls without publications.
func StartStreamBroker(
	ctx context.Context, binary, databaseURL string, poll time.Duration,
) (server *devstack.Centrifugo, stop func() error, err error) {
	server, stop, err = startCentrifugo(ctx, devstack.CentrifugoOptions{
		Binary: binary,
		Settings: map[string]any{"broker": map[string]any{
			"enabled": true,
			"type":    "postgres",
			"postgres": map[string]any{
				"dsn": databaseURL, "num_shards": BrokerShards,
				"outbox": map[string]any{"poll_interval": poll.String()},
			},
		}},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("start a Centrifugo with a PostgreSQL broker: %w", err)
	}
	return server, stop, nil
}
