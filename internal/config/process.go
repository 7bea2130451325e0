package config

import "github.com/google/uuid"

// process returns the settings of every daemon.
func process() []Setting {
	return []Setting{
		systemTenant(),
		{
			"metrics-listen", "",
			"address that serves /metrics, /healthz and /readyz, such as :9100; empty disables them",
			listenAddress(func(c *Config) *string { return &c.MetricsListen }),
		},
		{
			"log-level", "info", "minimum level of log messages: debug, info, warn or error",
			oneOf(func(c *Config) *string { return &c.LogLevel }, "debug", "info", "warn", "error"),
		},
		{
			"log-format", "json", "format of log messages: json or console",
			oneOf(func(c *Config) *string { return &c.LogFormat }, "json", "console"),
		},
	}
}

func systemTenant() Setting {
	return Setting{
		"system-tenant", "",
		"tenant whose log records daemon starts and stops and taxonomy changes; empty disables recording",
		optionalID(func(c *Config) *uuid.UUID { return &c.SystemTenant }),
	}
}
