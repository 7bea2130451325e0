package main

import (
	"cmp"
	"fmt"
	"net/url"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// Realtime is how clients reach Centrifugo.
type Realtime struct {
	CentrifugoWSURL           string
	CentrifugoTokenSecret     string
	CentrifugoTokenSecretFile secretInFile
}

// tokenSecret is the secret that tokens are signed with, wherever it was given; "" when there is
// none.
func (r *Realtime) tokenSecret() string {
	return cmp.Or(r.CentrifugoTokenSecret, r.CentrifugoTokenSecretFile.secret)
}

// realtimeSettings are those of the commands that have to do with Centrifugo's clients.
func realtimeSettings() []setting {
	return []setting{
		{
			"centrifugo-ws-url", "ws://localhost:8000/connection/websocket", "where clients connect to Centrifugo",
			socketURL(func(c *Config) *string { return &c.CentrifugoWSURL }),
		},
		{
			"centrifugo-token-secret", "", "the HMAC secret of Centrifugo's tokens",
			tokenSecret(func(c *Config) *string { return &c.CentrifugoTokenSecret }),
		},
		{
			"centrifugo-token-secret-file", "", "a file that holds the HMAC secret of Centrifugo's tokens, if " + tokenSecretVariable + " does not",
			tokenSecretFile(func(c *Config) *secretInFile { return &c.CentrifugoTokenSecretFile },
				tokenSecretVariable, func(c *Config) string { return c.CentrifugoTokenSecret }),
		},
	}
}

const tokenSecretVariable = "FANFARE_CENTRIFUGO_TOKEN_SECRET"

func socketURL(at func(*Config) *string) field {
	f := text("url", at, func(value string) string {
		u, err := url.Parse(value)
		if err != nil || u.Scheme != "ws" && u.Scheme != "wss" || u.Host == "" || u.User != nil {
			return "must read ws://host:port/connection/websocket or wss://…, without a user"
		}
		return ""
	})
	f.show = func(c *Config) string { return shownURL(*at(c)) }
	return f
}

// tokenSecret is a secret that is too important for a flag.
func tokenSecret(at func(*Config) *string) field {
	f := secret(at)
	f.noFlag = true
	f.check = func(c *Config) string { return tokenSecretRule(*at(c)) }
	return f
}

// tokenSecretFile is a file with such a secret. variable names the other setting for the same one.
func tokenSecretFile(at func(*Config) *secretInFile, variable string, other func(*Config) string) field {
	f := secretFile(at, variable, other)
	check := f.check
	f.check = func(c *Config) string {
		if rule := check(c); rule != "" {
			return rule
		}
		if rule := tokenSecretRule(at(c).secret); rule != "" {
			return "its content " + rule
		}
		return ""
	}
	return f
}

func tokenSecretRule(value string) string {
	if rule := secretRule(value); rule != "" || value == "" {
		return rule
	}
	if len(value) < centrifugo.MinTokenSecretBytes {
		return fmt.Sprintf("must be at least %d bytes long", centrifugo.MinTokenSecretBytes)
	}
	return ""
}
