package main

import (
	"cmp"
	"time"

	"github.com/google/uuid"
)

// Config is what the commands run on, each on the settings that it names. It holds secrets: show it
// setting by setting.
type Config struct {
	DatabaseURL          string
	CentrifugoAPIURL     string
	CentrifugoAPIKey     string
	CentrifugoAPIKeyFile secretInFile
	Workers              int
	BatchSize            int
	PollInterval         time.Duration
	PublishTimeout       time.Duration
	MaxAttempts          int
	WideAudience         int
	Inbox                bool
	StreamTenants        bool
	Mutations            []string
	RetentionInterval    time.Duration // 0 means never
	ChannelUser          string
	ChannelResource      string
	ChannelTenant        string
	SystemTenant         uuid.UUID // uuid.Nil means none
	MetricsListen        string    // "" means off
	LogLevel             string
	LogFormat            string
	Realtime
	Serving
	Identity
}

// secretInFile is a secret and the file that it was read from.
type secretInFile struct{ path, secret string }

// apiKey is Centrifugo's API key, wherever it was given.
func (c *Config) apiKey() string { return cmp.Or(c.CentrifugoAPIKey, c.CentrifugoAPIKeyFile.secret) }
