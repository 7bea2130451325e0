package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// centrifugoAPI returns the settings of Centrifugo's server API.
func centrifugoAPI() []Setting {
	return []Setting{
		{
			"centrifugo-api-url", centrifugo.DefaultURLs,
			"URLs of Centrifugo's API, separated by commas: its HTTP API (http://host:port/api) and, to publish at " +
				"less cost, its gRPC API (grpc://host:port); of several nodes, one is used as long as it is available",
			apiURLs(func(c *Config) *string { return &c.CentrifugoAPIURL }),
		},
		{
			"centrifugo-api-key", "",
			"API key of Centrifugo, by HTTP and gRPC; prefer the environment variable or a file, " +
				"because process lists show flags",
			secret(func(c *Config) *string { return &c.CentrifugoAPIKey }),
		},
		{
			"centrifugo-api-key-file", "", "file that contains the API key of Centrifugo",
			secretFile(func(c *Config) *SecretFile { return &c.CentrifugoAPIKeyFile },
				alternative{"--centrifugo-api-key", func(c *Config) string { return c.CentrifugoAPIKey }}),
		},
		{
			"publish-timeout", "5s", "timeout of one request to Centrifugo",
			duration(100*time.Millisecond, 15*time.Second, func(c *Config) *time.Duration { return &c.PublishTimeout }),
		},
	}
}

// tokenSecretVariable is the environment variable with the secret of Centrifugo's tokens.
const tokenSecretVariable = "FANFARE_CENTRIFUGO_TOKEN_SECRET"

// centrifugoClients returns the settings of the connections of Centrifugo's clients.
func centrifugoClients() []Setting {
	return []Setting{
		{
			"centrifugo-ws-url", "ws://localhost:8000/connection/websocket",
			"WebSocket URL that clients connect to",
			webSocketURL(func(c *Config) *string { return &c.CentrifugoWSURL }),
		},
		{
			"centrifugo-token-secret", "", "HMAC secret of Centrifugo's tokens (its client.token.hmac_secret_key)",
			tokenSecret(func(c *Config) *string { return &c.CentrifugoTokenSecret }),
		},
		{
			"centrifugo-token-secret-file", "",
			"file that contains the HMAC secret of Centrifugo's tokens",
			tokenSecretFile(func(c *Config) *SecretFile { return &c.CentrifugoTokenSecretFile },
				alternative{tokenSecretVariable, func(c *Config) string { return c.CentrifugoTokenSecret }}),
		},
	}
}

// channels returns the settings of channels. The worker and the API must have the same values.
func channels() []Setting {
	return []Setting{
		{
			"channel-user", centrifugo.DefaultUserFormat, "template of a principal's channel",
			channelFormat("user", func(c *Config) *string { return &c.ChannelUser }),
		},
		{
			"channel-resource", centrifugo.DefaultResourceFormat, "template of a resource's channel",
			channelFormat("resource", func(c *Config) *string { return &c.ChannelResource }),
		},
		{
			"channel-tenant", centrifugo.DefaultTenantFormat, "template of a tenant's channel",
			channelFormat("tenant", func(c *Config) *string { return &c.ChannelTenant }),
		},
		{
			"stream-tenants", "false", "publish to the tenant's channel every activity except private ones",
			boolean(func(c *Config) *bool { return &c.StreamTenants }),
		},
	}
}

// channelFormat is the field of a template of channel names. format is the name that package
// centrifugo has for it.
func channelFormat(format string, at func(*Config) *string) field {
	return field{
		kind:  "template",
		parse: func(c *Config, text string) string { *at(c) = text; return "" },
		check: func(c *Config) string { return formatRule(format, c.Formats()) },
		show:  func(c *Config) string { return *at(c) },
	}
}

// formatRule returns the rule that one template violates, alone or together with the others.
func formatRule(format string, f centrifugo.Formats) string {
	templates := map[string]string{"user": f.User, "resource": f.Resource, "tenant": f.Tenant}
	if templates[format] == "" {
		return "is required"
	}
	_, err := centrifugo.ParseFormats(f)
	if invalid := formatErrors(err); len(invalid) > 0 {
		for _, e := range invalid {
			if e.Format == format {
				return e.Rule
			}
		}
		return ""
	}
	namespace, _, _ := strings.Cut(templates[format], ":")
	for _, other := range []string{"user", "resource", "tenant"} {
		if theirs, _, _ := strings.Cut(templates[other], ":"); other != format && theirs == namespace {
			return fmt.Sprintf("must have a different namespace than --channel-%s, which is also in %q", other, theirs)
		}
	}
	return ""
}

// formatErrors returns the *centrifugo.FormatErrors that are joined in err.
func formatErrors(err error) []*centrifugo.FormatError {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var found []*centrifugo.FormatError
		for _, each := range joined.Unwrap() {
			found = slices.Concat(found, formatErrors(each))
		}
		return found
	}
	var one *centrifugo.FormatError
	if errors.As(err, &one) {
		return []*centrifugo.FormatError{one}
	}
	return nil
}
