package config

import "time"

// api returns the settings of the API.
func api() []Setting {
	return []Setting{
		{
			"listen", "127.0.0.1:8080", "address that serves the API",
			listenAddress(func(c *Config) *string { return &c.Listen }),
		},
		{
			"cors-origins", "",
			"origins of web pages that may call the API, such as https://app.example.com, as a comma-separated list",
			origins(func(c *Config) *[]string { return &c.CORSOrigins }),
		},
		{
			"rate-limit", "50", "maximum rate of requests per principal, in requests per second",
			number(1, 1_000_000, func(c *Config) *int { return &c.RateLimit }),
		},
		{
			"rate-burst", "200", "maximum burst of requests per principal",
			number(1, 1_000_000, func(c *Config) *int { return &c.RateBurst }),
		},
		{
			"max-streams-per-principal", "20", "maximum number of concurrent activity streams of a principal",
			number(1, 1_000_000, func(c *Config) *int { return &c.MaxStreamsPerPrincipal }),
		},
		{
			"max-streams-per-tenant", "500", "maximum number of concurrent activity streams of a tenant",
			number(1, 1_000_000, func(c *Config) *int { return &c.MaxStreamsPerTenant }),
		},
		{
			"max-connections", "10000",
			"maximum number of client connections, half of which may be streams; the limit of open files may lower it",
			number(4, 1_000_000, func(c *Config) *int { return &c.MaxConnections }),
		},
		{
			"max-body-bytes", "1048576", "maximum size of a request body, in bytes",
			number(1<<10, 64<<20, func(c *Config) *int { return &c.MaxBodyBytes }),
		},
		{
			"query-timeout", "5s", "timeout of the database queries of one request",
			duration(100*time.Millisecond, 20*time.Second, func(c *Config) *time.Duration { return &c.QueryTimeout }),
		},
		{
			"api-connections", "16", "maximum number of database connections that requests use",
			number(1, 1000, func(c *Config) *int { return &c.APIConnections }),
		},
		{
			"realtime-url", "",
			"WebSocket URL of Centrifugo in the API's answers, for clients; default: --centrifugo-ws-url",
			optionalWebSocketURL(func(c *Config) *string { return &c.RealtimeURL }),
		},
		{
			"connection-token-ttl", "5m0s", "lifetime of a client's token for connecting to Centrifugo",
			duration(10*time.Second, 24*time.Hour, func(c *Config) *time.Duration { return &c.ConnectionTokenTTL }),
		},
		{
			"subscription-token-ttl", "5m0s",
			"lifetime of a client's token for a channel; a principal who loses access receives events until it expires",
			duration(10*time.Second, 24*time.Hour, func(c *Config) *time.Duration { return &c.SubscriptionTokenTTL }),
		},
	}
}

// withServeRules adds the rules that apply only to commands that serve the API.
func withServeRules(settings []Setting) []Setting {
	for i, s := range settings {
		switch s.Name {
		case "listen":
			settings[i] = s.withRule(requireListen)
		case "centrifugo-token-secret":
			settings[i] = s.withRule(requireTokenSecret)
		case "service-tokens":
			settings[i] = s.withRule(requireCredentials)
		}
	}
	return settings
}

func requireListen(c *Config) string {
	if c.Listen == "" {
		return addressRule
	}
	return ""
}

func requireTokenSecret(c *Config) string {
	if c.TokenSecret() == "" && c.CentrifugoTokenSecretFile.path == "" {
		return "is required, here or by --centrifugo-token-secret-file: " +
			"the value of Centrifugo's client.token.hmac_secret_key"
	}
	return ""
}

func requireCredentials(c *Config) string {
	if len(c.Credentials()) == 0 {
		return "at least one kind of credential must be accepted: service tokens, or JWTs (--jwt-issuer, " +
			"--jwt-audience and " + jwtKeySettings + "), or identity headers (--trust-identity-headers)"
	}
	return ""
}
