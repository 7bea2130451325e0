package main

import (
	"context"
	"os"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/metrics"
	"github.com/fanfarehq/fanfare/outbox"
)

// The actions of a daemon's life.
const (
	daemonStarted  = "daemon.started"
	daemonStopping = "daemon.stopping"
)

// recordConnections is how many connections recording its own life takes a daemon.
func recordConnections(c *Config) int {
	if c.SystemTenant == uuid.Nil {
		return 0
	}
	return 1
}

// recordLife records, where a tenant is set for it, that the daemon starts, and that it stops: the
// latter as the first thing when told (by the end of that context), since what follows may not come
// to an end. Neither holds the daemon up when the database is away.
func (d *daemon) recordLife(told context.Context, c *Config, does duties) {
	if c.SystemTenant == uuid.Nil {
		return
	}
	recorder := activity.NewBestEffort(outbox.NewLog(d.pool, outbox.Recorder{}), activity.BestEffortOptions{
		Report: func(dropped activity.Drops, last error) {
			d.log.Warn(
				"what the daemon does is not all recorded in the log",
				zap.Uint64("dropped", dropped.Total()),
				zap.NamedError("last", last),
			)
		},
	})
	metrics.RegisterRecords(d.registry, recorder.Stats)
	life := lifeOf(c.SystemTenant, does)
	d.actors = append(d.actors, func(ctx context.Context) error {
		recording, stop := context.WithCancel(context.WithoutCancel(ctx))
		defer stop()
		defer context.AfterFunc(ctx, func() {
			stopping := life(daemonStopping)
			if told.Err() == nil { // nobody told it to stop: a part of it failed
				stopping.Status, stopping.Severity = activity.Failure, activity.Error
			}
			recorder.Record(ctx, stopping)
			stop()
		})()
		recorder.Record(ctx, life(daemonStarted))
		return recorder.Run(recording)
	})
}

// lifeOf returns what makes the envelopes of one daemon's life. All daemons of an installation are
// one resource of the tenant, and the correlation id is one process.
func lifeOf(tenant uuid.UUID, does duties) func(action string) activity.Envelope {
	host, _ := os.Hostname()
	payload := struct {
		Version string `json:"version"`
		Command string `json:"command"`
		Host    string `json:"host,omitempty"`
	}{releasedAs(), does.command(), host}
	process := uuid.New()
	return func(action string) activity.Envelope {
		return activity.Envelope{
			TenantID: tenant, ActorPrincipalID: activity.System, ResourceID: uuid.NewSHA1(tenant, []byte("fanfare")),
			ResourceType: "daemon", ResourceName: "fanfare", Action: action, CorrelationID: process, Payload: payload,
		}
	}
}

// command names the command that does this.
func (does duties) command() string {
	switch {
	case does.deliver && does.serve:
		return "run"
	case does.deliver:
		return "worker"
	}
	return "serve"
}
