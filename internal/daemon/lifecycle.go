package daemon

import (
	"context"
	"os"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/besteffort"
	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/metrics"
	"github.com/fanfarehq/fanfare/outbox"
)

// The actions of a daemon's lifecycle.
const (
	daemonStarted  = "daemon.started"
	daemonStopping = "daemon.stopping"
)

// lifecycleConnections is the maximum number of connections for recording the lifecycle.
func lifecycleConnections(c *config.Config) int {
	if c.SystemTenant == uuid.Nil {
		return 0
	}
	return 1
}

// recordLifecycle records the start and the stop of the daemon in the log of the system tenant, if
// there is one. The stop is recorded as soon as the daemon begins to stop, because stopping may not
// complete. stop is the context that ends the daemon: a daemon that stops before stop ends has
// failed. An unavailable database does not delay the daemon.
func (d *Daemon) recordLifecycle(stop context.Context) {
	tenant := d.config.SystemTenant
	if tenant == uuid.Nil {
		return
	}
	recorder := besteffort.New(outbox.NewLog(d.pool, outbox.Recorder{}), besteffort.Options{
		Report: func(dropped besteffort.Drops, last error) {
			d.log.Warn("cannot record the daemon's own activities",
				zap.Uint64("dropped", dropped.Total()), zap.NamedError("last_error", last))
		},
	})
	metrics.RegisterRecords(d.registry, recorder.Stats)
	newEnvelope := d.lifecycleEnvelopes(tenant)
	d.actors = append(d.actors, func(ctx context.Context) error {
		recording, end := context.WithCancel(context.WithoutCancel(ctx))
		defer end()
		defer context.AfterFunc(ctx, func() {
			stopping := newEnvelope(daemonStopping)
			if stop.Err() == nil {
				stopping.Status, stopping.Severity = activity.Failure, activity.Error
			}
			recorder.Record(ctx, stopping)
			end()
		})()
		recorder.Record(ctx, newEnvelope(daemonStarted))
		return recorder.Run(recording)
	})
}

// lifecycleEnvelopes returns a function that makes the envelopes of this process. All daemons of an
// installation are one resource; the correlation id identifies the process.
func (d *Daemon) lifecycleEnvelopes(tenant uuid.UUID) func(action string) activity.Envelope {
	host, _ := os.Hostname()
	payload := struct {
		Version string `json:"version"`
		Command string `json:"command"`
		Host    string `json:"host,omitempty"`
	}{d.version, string(d.role), host}
	process := uuid.New()
	return func(action string) activity.Envelope {
		return activity.Envelope{
			TenantID:         tenant,
			ActorPrincipalID: activity.System,
			ResourceID:       uuid.NewSHA1(tenant, []byte("fanfare")),
			ResourceType:     "daemon",
			ResourceName:     "fanfare",
			Action:           action,
			CorrelationID:    process,
			Payload:          payload,
		}
	}
}
