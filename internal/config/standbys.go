package config

import (
	"strings"
	"time"

	"github.com/fanfarehq/fanfare/internal/database"
)

// standbys returns the settings of the hot standbys that the API reads from.
func standbys() []Setting {
	return []Setting{
		{
			"read-database-url", "",
			"connection URLs of hot standbys that the API reads from, separated by spaces; prefer the environment " +
				"variable, because process lists show flags",
			databaseURLs(func(c *Config) *[]string { return &c.ReadDatabaseURLs }),
		},
		{
			"read-max-lag", "1s",
			"maximum lag of a standby that is read from; a write is answered when the standbys show it, or after " +
				"this time",
			duration(50*time.Millisecond, time.Minute, func(c *Config) *time.Duration { return &c.ReadMaxLag }),
		},
	}
}

// databaseURLs is the field of connection URLs that are separated by spaces. No part of an invalid
// one is shown, because any part may be the password.
func databaseURLs(at func(*Config) *[]string) field {
	return field{
		kind:  "urls",
		parse: func(c *Config, text string) string { *at(c) = strings.Fields(text); return "" },
		check: func(c *Config) string {
			for _, each := range *at(c) {
				if violated := database.ForeignRule(each); violated != "" {
					return violated
				}
				if !database.IsURL(each) {
					return "must be URLs such as postgres://user:password@host:5432/database, separated by " +
						"spaces, with special characters of the passwords percent-encoded"
				}
			}
			return ""
		},
		show: func(c *Config) string {
			shown := make([]string, len(*at(c)))
			for i, each := range *at(c) {
				shown[i] = database.RedactURL(each)
			}
			return strings.Join(shown, " ")
		},
	}
}
