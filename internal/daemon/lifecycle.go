package daemon

import (
	"context"
	"os"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/actions/builtin"
	"github.com/fanfarehq/fanfare/activity/besteffort"
	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/metrics"
	"github.com/fanfarehq/fanfare/outbox"
)

// lifecycleConnections is the maximum number of connections for recording the lifecycle.
func lifecycleConnections(c *config.Config) int {
	if c.SystemTenant == uuid.Nil {
		return 0
	}
	return 1
}

// recordLifecycle records the start and the stop of the daemon in the log of the system tenant in
// this database, if there is one. The stop is recorded as soon as the daemon begins to stop,
// because stopping may not complete. stop is the context that ends the daemon: a daemon that stops
// before stop ends has failed. An unavailable database does not delay the daemon.
func (c *cell) recordLifecycle(stop context.Context) {
	tenant := c.config.SystemTenant
	if tenant == uuid.Nil {
		return
	}
	recorder := besteffort.New(outbox.NewLog(c.pool, outbox.Recorder{}), besteffort.Options{
		Report: func(dropped besteffort.Drops, last error) {
			c.log.Warn("cannot record the daemon's own activities",
				zap.Uint64("dropped", dropped.Total()), zap.NamedError("last_error", last))
		},
	})
	metrics.RegisterRecords(c.registry, recorder.Stats)
	starting, stopping := c.lifecycleEnvelopes(tenant)
	c.actors = append(c.actors, c.schema.hold(func(ctx context.Context) error {
		recording, end := context.WithCancel(context.WithoutCancel(ctx))
		defer end()
		defer context.AfterFunc(ctx, func() {
			if stop.Err() == nil {
				stopping.Status, stopping.Severity = activity.Failure, activity.Error
			}
			recorder.Record(ctx, stopping)
			end()
		})()
		recorder.Record(ctx, starting)
		return recorder.Run(recording)
	}))
}

// lifecycleEnvelopes returns the envelopes that record the start and the stop of this process. All
// daemons of an installation are one resource; the correlation id identifies the process.
func (c *cell) lifecycleEnvelopes(tenant uuid.UUID) (starting, stopping activity.Envelope) {
	host, _ := os.Hostname()
	installation := uuid.NewSHA1(tenant, []byte("fanfare"))
	starting = builtin.DaemonStarted{
		Version: c.version, Command: string(c.role), Host: host,
	}.On(tenant, installation)
	stopping = builtin.DaemonStopping{
		Version: c.version, Command: string(c.role), Host: host,
	}.On(tenant, installation)
	process := uuid.New()
	for _, e := range []*activity.Envelope{&starting, &stopping} {
		e.ActorPrincipalID, e.ResourceName, e.CorrelationID = activity.System, "fanfare", process
	}
	return starting, stopping
}
