package main

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Serving is how the API is served.
type Serving struct {
	Listen               string
	CORSOrigins          []string
	RateLimit            int // requests of one principal, a second
	RateBurst            int
	MaxBodyBytes         int
	QueryTimeout         time.Duration
	APIConnections       int
	ConnectionTokenTTL   time.Duration
	SubscriptionTokenTTL time.Duration
}

// apiSettings are those of a daemon that serves the API.
func apiSettings() []setting {
	return []setting{
		{
			"listen", "127.0.0.1:8080", "address that serves the API",
			listenAddress(func(c *Config) *string { return &c.Listen }),
		},
		{
			"cors-origins", "", "pages that may call the API from a browser, such as https://app.example.com, separated by commas",
			origins(func(c *Config) *[]string { return &c.CORSOrigins }),
		},
		{
			"rate-limit", "50", "requests of one principal, a second",
			number(1, 1_000_000, func(c *Config) *int { return &c.RateLimit }),
		},
		{
			"rate-burst", "200", "requests of one principal at once",
			number(1, 1_000_000, func(c *Config) *int { return &c.RateBurst }),
		},
		{
			"max-body-bytes", "1048576", "the largest body of a request",
			number(1<<10, 64<<20, func(c *Config) *int { return &c.MaxBodyBytes }),
		},
		{
			"query-timeout", "5s", "how long the database may take over one request",
			duration(100*time.Millisecond, 20*time.Second, func(c *Config) *time.Duration { return &c.QueryTimeout }),
		},
		{
			"api-connections", "16", "database connections that the API may use",
			number(1, 1000, func(c *Config) *int { return &c.APIConnections }),
		},
		{
			"connection-token-ttl", "5m0s", "how long a client's token to connect to Centrifugo lasts",
			duration(10*time.Second, 24*time.Hour, func(c *Config) *time.Duration { return &c.ConnectionTokenTTL }),
		},
		{
			"subscription-token-ttl", "5m0s", "how long a client's token for a channel lasts: so long may who has lost the right to it go on listening",
			duration(10*time.Second, 24*time.Hour, func(c *Config) *time.Duration { return &c.SubscriptionTokenTTL }),
		},
	}
}

// served adds the rules that only hold where the API is served.
func served(settings []setting) []setting {
	for i, s := range settings {
		switch s.name {
		case "listen":
			settings[i] = s.also(needsAddress)
		case "centrifugo-token-secret":
			settings[i] = s.also(needsTokenSecret)
		case "service-tokens":
			settings[i] = s.also(needsIdentity)
		}
	}
	return settings
}

func needsAddress(c *Config) string {
	if c.Listen == "" {
		return "must read host:port or :port"
	}
	return ""
}

func needsTokenSecret(c *Config) string {
	if c.tokenSecret() == "" && c.CentrifugoTokenSecretFile.path == "" {
		return "must be set, or --centrifugo-token-secret-file, to what Centrifugo has as token_hmac_secret_key"
	}
	return ""
}

func needsIdentity(c *Config) string {
	if len(c.accepts()) == 0 {
		return "must be true, or nobody can authenticate, unless --jwt-issuer and --jwt-audience are set with " + anyKey + ", or --trust-identity-headers is"
	}
	return ""
}

// origins is a list of web pages' origins (RFC 6454), as browsers send them.
func origins(at func(*Config) *[]string) field {
	allowed := func(list []string) bool {
		for _, origin := range list {
			u, err := url.Parse(origin)
			if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" ||
				strings.Contains(u.Host, "*") ||
				origin != fmt.Sprintf("%s://%s", u.Scheme, u.Host) {
				return false
			}
		}
		return true
	}
	return parsed("list", "must be origins such as https://app.example.com, separated by commas", at,
		splitList, allowed, func(list []string) string { return strings.Join(list, ",") })
}
