package main

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/preferences"
)

// setting describes one setting: its flag, its variable, its help and its place in a Config all
// come from here.
type setting struct {
	name    string // the flag's, without the dashes
	initial string // the default, as text; "" means none
	usage   string
	field   field
}

// variable is the setting's environment variable.
func (s setting) variable() string {
	return "FANFARE_" + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
}

// flag is the setting's flag, "" when there is none.
func (s setting) flag() string {
	if s.field.noFlag {
		return ""
	}
	return "--" + s.name
}

// also returns the setting with one more rule.
func (s setting) also(rule func(c *Config) string) setting {
	check := s.field.check
	s.field.check = func(c *Config) string { return cmp.Or(check(c), rule(c)) }
	return s
}

// everySetting is in the order in which they are documented.
func everySetting() []setting {
	return slices.Concat(
		databaseSettings(),
		centrifugoSettings(),
		realtimeSettings(),
		channelSettings(),
		deliverySettings(),
		retentionSettings(),
		apiSettings(),
		identitySettings(),
		processSettings(),
	)
}

// workerSettings are those of fanfare worker.
func workerSettings() []setting {
	return slices.Concat(
		databaseSettings(),
		centrifugoSettings(),
		channelSettings(),
		deliverySettings(),
		retentionSettings(),
		processSettings(),
	)
}

// serveSettings are those of fanfare serve.
func serveSettings() []setting {
	return served(slices.Concat(databaseSettings(), centrifugoSettings(), realtimeSettings(), channelSettings(),
		apiSettings(), identitySettings(), processSettings()))
}

// runSettings are those of fanfare run.
func runSettings() []setting { return served(everySetting()) }

// databaseSettings are those of the commands that only need the database.
func databaseSettings() []setting {
	return []setting{{
		"database-url", "", "PostgreSQL, as postgres://user:password@host:5432/database; better set in the environment, since flags show in process lists",
		databaseURL(func(c *Config) *string { return &c.DatabaseURL }),
	}}
}

// centrifugoSettings say how to reach Centrifugo's server API.
func centrifugoSettings() []setting {
	return []setting{
		{
			"centrifugo-api-url", "http://localhost:8000/api", "Centrifugo's HTTP API",
			httpURL(func(c *Config) *string { return &c.CentrifugoAPIURL }),
		},
		{
			"centrifugo-api-key", "", "Centrifugo's API key; better set in the environment or a file, since flags show in process lists",
			secret(func(c *Config) *string { return &c.CentrifugoAPIKey }),
		},
		{
			"centrifugo-api-key-file", "", "a file that holds Centrifugo's API key",
			secretFile(func(c *Config) *secretInFile { return &c.CentrifugoAPIKeyFile },
				"--centrifugo-api-key", func(c *Config) string { return c.CentrifugoAPIKey }),
		},
		{
			"publish-timeout", "5s", "how long one request to Centrifugo may take",
			duration(100*time.Millisecond, 15*time.Second, func(c *Config) *time.Duration { return &c.PublishTimeout }),
		},
	}
}

// channelSettings say what is published where. The worker and the API must agree on them.
func channelSettings() []setting {
	return []setting{
		{
			"channel-user", centrifugo.DefaultUserFormat, "name of a principal's own channel",
			channelFormat("user", func(c *Config) *string { return &c.ChannelUser }),
		},
		{
			"channel-resource", centrifugo.DefaultResourceFormat, "name of a resource's channel",
			channelFormat("resource", func(c *Config) *string { return &c.ChannelResource }),
		},
		{
			"channel-tenant", centrifugo.DefaultTenantFormat, "name of a tenant's channel",
			channelFormat("tenant", func(c *Config) *string { return &c.ChannelTenant }),
		},
		{
			"stream-tenants", "false", "publish every activity that is not private to its tenant's channel too",
			boolean(func(c *Config) *bool { return &c.StreamTenants }),
		},
	}
}

// deliverySettings are those of delivering.
func deliverySettings() []setting {
	return []setting{
		{
			"workers", "4", "lanes served at once",
			number(1, 64, func(c *Config) *int { return &c.Workers }),
		},
		{
			"batch-size", "500", "activities claimed at once",
			number(1, 10_000, func(c *Config) *int { return &c.BatchSize }),
		},
		{
			"poll-interval", "25ms", "pause between looks at an idle outbox",
			duration(time.Millisecond, time.Minute, func(c *Config) *time.Duration { return &c.PollInterval }),
		},
		{
			"max-attempts", "10", "tries of one failing activity before it becomes a dead letter",
			number(1, 1000, func(c *Config) *int { return &c.MaxAttempts }),
		},
		{
			"wide-audience", "5000", "from so many watchers on, an activity is told in steps beside the lanes",
			number(1, 1_000_000, func(c *Config) *int { return &c.WideAudience }),
		},
		{
			"inbox", "true", "keep a notification for every watcher",
			boolean(func(c *Config) *bool { return &c.Inbox }),
		},
		{
			"mutations", strings.Join(preferences.DefaultMutations(), ","), "actions that people hear of who asked for nothing else, as prefixes",
			actions(func(c *Config) *[]string { return &c.Mutations }),
		},
	}
}

// processSettings are those of every daemon.
func processSettings() []setting {
	return []setting{
		{
			"system-tenant", "", "the tenant in whose log a daemon records that it starts and stops; in none if empty",
			optionalID(func(c *Config) *uuid.UUID { return &c.SystemTenant }),
		},
		{
			"metrics-listen", "", "address that serves /metrics, /healthz and /readyz, such as :9100; none if empty",
			listenAddress(func(c *Config) *string { return &c.MetricsListen }),
		},
		{
			"log-level", "info", "the least that is logged: debug, info, warn or error",
			oneOf(func(c *Config) *string { return &c.LogLevel }, "debug", "info", "warn", "error"),
		},
		{
			"log-format", "json", "json or console",
			oneOf(func(c *Config) *string { return &c.LogFormat }, "json", "console"),
		},
	}
}
