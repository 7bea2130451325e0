package config

import (
	"strings"
	"time"

	"github.com/fanfarehq/fanfare/preferences"
)

// delivery returns the settings of delivering activities.
func delivery() []Setting {
	return []Setting{
		{
			"workers", "4", "number of lanes processed concurrently",
			number(1, 64, func(c *Config) *int { return &c.Workers }),
		},
		{
			"batch-size", "1000", "maximum number of activities claimed in one batch",
			number(1, 10_000, func(c *Config) *int { return &c.BatchSize }),
		},
		{
			"poll-interval", "25ms",
			"interval between polls of an empty outbox; shorter after work, four times as long after ten idle seconds",
			duration(time.Millisecond, time.Minute, func(c *Config) *time.Duration { return &c.PollInterval }),
		},
		{
			"max-attempts", "10", "number of attempts after which a failing activity becomes a dead letter",
			number(1, 1000, func(c *Config) *int { return &c.MaxAttempts }),
		},
		{
			"wide-audience", "5000",
			"largest audience that is notified in a lane; a fan-out job notifies a larger one in steps",
			number(1, 1_000_000, func(c *Config) *int { return &c.WideAudience }),
		},
		{
			"inbox", "true", "store a notification for every recipient",
			boolean(func(c *Config) *bool { return &c.Inbox }),
		},
		mutations(),
	}
}

// Explain returns the settings of fanfare explain.
func Explain() []Setting {
	return append(Database(), mutations())
}

// mutations returns the setting of the actions of the filter mode mutations.
func mutations() Setting {
	return Setting{
		"mutations", strings.Join(preferences.DefaultMutations(), ","),
		"patterns of the actions that the filter mode mutations notifies of, unless the taxonomy decides, as a " +
			"comma-separated list",
		patterns(func(c *Config) *[]string { return &c.Mutations }),
	}
}

// retention returns the settings of removing expired rows, which workers do.
func retention() []Setting {
	return []Setting{{
		"retention-interval", "1h0m0s",
		"interval between removals of expired data, by one worker at a time; 0 disables them",
		optionalDuration(time.Minute, 7*24*time.Hour, func(c *Config) *time.Duration { return &c.RetentionInterval }),
	}}
}
