package config

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/identity"
)

// Config holds the values of the settings. A command reads those of the settings that it was loaded
// with; the others are zero.
//
// A Config holds secrets. Do not print it; print the descriptions that [Loaded.Describe] returns.
type Config struct {
	DatabaseURL string
	CellsFile   CellsFile // instead of DatabaseURL and ReadDatabaseURLs
	CellNames   []string  // of CellsFile; none selects all
	Cell        string    // whose database DatabaseURL is; see ForCell
	// ToDatabaseURL is the database to which a tenant is moved.
	ToDatabaseURL string

	ReadDatabaseURLs     []string
	ReadMaxLag           time.Duration
	CentrifugoAPIURL     string
	CentrifugoAPIKey     string
	CentrifugoAPIKeyFile SecretFile
	PublishTimeout       time.Duration

	CentrifugoWSURL           string
	CentrifugoTokenSecret     string
	CentrifugoTokenSecretFile SecretFile

	ChannelUser     string
	ChannelResource string
	ChannelTenant   string
	StreamTenants   bool

	Workers           int
	BatchSize         int
	PollInterval      time.Duration
	MaxAttempts       int
	WideAudience      int
	Inbox             bool
	Mutations         []string
	RetentionInterval time.Duration // 0 disables retention

	Listen                 string
	CORSOrigins            []string
	RateLimit              int // requests per second and principal
	RateBurst              int
	MaxStreamsPerPrincipal int
	MaxStreamsPerTenant    int
	MaxConnections         int
	RealtimeURL            string
	MaxBodyBytes           int
	QueryTimeout           time.Duration
	APIConnections         int
	ConnectionTokenTTL     time.Duration
	SubscriptionTokenTTL   time.Duration

	Console        bool
	ConsoleURL     string
	ConsoleOrigins []string
	SessionCookie  string

	ServiceTokens        bool
	JWTIssuer            string
	JWTAudience          string
	JWTSecret            string
	JWTSecretFile        SecretFile
	JWTPublicKeyFile     string
	JWTJWKSURL           string
	JWTJWKSFile          string
	JWTJWKSAllowHTTP     bool
	JWTTenantClaim       string
	JWTPrincipalClaim    string
	JWTClockSkew         time.Duration
	TrustIdentityHeaders bool
	TrustedProxies       []netip.Prefix
	AllowedHosts         []string

	SystemTenant  uuid.UUID // uuid.Nil disables recording the daemon's own activities
	MetricsListen string    // "" disables the operator's endpoints
	LogLevel      string
	LogFormat     string
}

// SecretFile is a secret and the file that it was read from.
type SecretFile struct{ path, secret string }

// APIKey returns the key of Centrifugo's server API, or "" if none is set.
func (c *Config) APIKey() string { return cmp.Or(c.CentrifugoAPIKey, c.CentrifugoAPIKeyFile.secret) }

// TokenSecret returns the secret that signs tokens for Centrifugo's clients, or "" if none is set.
func (c *Config) TokenSecret() string {
	return cmp.Or(c.CentrifugoTokenSecret, c.CentrifugoTokenSecretFile.secret)
}

// Formats returns the templates of channel names.
func (c *Config) Formats() centrifugo.Formats {
	return centrifugo.Formats{User: c.ChannelUser, Resource: c.ChannelResource, Tenant: c.ChannelTenant}
}

// JWT returns the options for verifying JWTs.
func (c *Config) JWT() identity.JWT {
	return identity.JWT{
		Secret:         identity.Secret(cmp.Or(c.JWTSecret, c.JWTSecretFile.secret)),
		PublicKeyFile:  c.JWTPublicKeyFile,
		JWKSURL:        c.JWTJWKSURL,
		JWKSFile:       c.JWTJWKSFile,
		JWKSAllowHTTP:  c.JWTJWKSAllowHTTP,
		Issuer:         c.JWTIssuer,
		Audience:       c.JWTAudience,
		TenantClaim:    c.JWTTenantClaim,
		PrincipalClaim: c.JWTPrincipalClaim,
		ClockSkew:      c.JWTClockSkew,
	}
}

// Credentials returns the names of the kinds of credentials that are accepted.
func (c *Config) Credentials() []string {
	var kinds []string
	if c.AcceptsJWT() {
		kinds = append(kinds, "JWTs")
	}
	if c.ServiceTokens {
		kinds = append(kinds, "service tokens")
	}
	if c.TrustIdentityHeaders {
		kinds = append(kinds, "identity headers")
	}
	return kinds
}
