package main

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/fanfarehq/fanfare/internal/identity"
)

// Identity is whom the API believes.
type Identity struct {
	ServiceTokens        bool
	JWTIssuer            string
	JWTAudience          string
	JWTSecret            string
	JWTSecretFile        secretInFile
	JWTPublicKeyFile     string
	JWTJWKSURL           string
	JWTJWKSFile          string
	JWTJWKSAllowHTTP     bool
	JWTTenantClaim       string
	JWTPrincipalClaim    string
	JWTClockSkew         time.Duration
	TrustIdentityHeaders bool
	TrustedProxies       []netip.Prefix
}

// identitySettings are those of a daemon that has to know who asks.
func identitySettings() []setting {
	return []setting{
		{
			"service-tokens", "true", "accept the tokens that fanfare token create makes",
			boolean(func(c *Config) *bool { return &c.ServiceTokens }),
		},
		{
			"jwt-issuer", "", "who must have issued a JWT (iss); needed for JWTs",
			jwtIssuer(func(c *Config) *string { return &c.JWTIssuer }),
		},
		{
			"jwt-audience", "", "for whom a JWT must be meant (aud); needed for JWTs",
			jwtAudience(func(c *Config) *string { return &c.JWTAudience }),
		},
		{
			"jwt-secret", "", "the HMAC secret of JWTs (HS256, HS384, HS512)",
			keySource(jwtSecretVariable, tokenSecret(func(c *Config) *string { return &c.JWTSecret })),
		},
		{
			"jwt-secret-file", "", "a file that holds the HMAC secret of JWTs",
			keySource("--jwt-secret-file", tokenSecretFile(func(c *Config) *secretInFile { return &c.JWTSecretFile },
				jwtSecretVariable, func(c *Config) string { return c.JWTSecret })),
		},
		{
			"jwt-public-key-file", "", "a PEM file with the public keys of JWTs (RS, PS, ES, EdDSA)",
			keySource(
				"--jwt-public-key-file",
				text("file", func(c *Config) *string { return &c.JWTPublicKeyFile }, func(path string) string {
					return keyRule(path, identity.JWT{PublicKeyFile: path})
				}),
			),
		},
		{
			"jwt-jwks-url", "", "where the issuer of JWTs publishes its public keys (JWKS)",
			keySource("--jwt-jwks-url", jwksURL(func(c *Config) *string { return &c.JWTJWKSURL })),
		},
		{
			"jwt-jwks-file", "", "a file with the public keys of JWTs (JWKS), read again every few minutes",
			keySource(
				"--jwt-jwks-file",
				text("file", func(c *Config) *string { return &c.JWTJWKSFile }, func(path string) string {
					return keyRule(path, identity.JWT{JWKSFile: path})
				}),
			),
		},
		{
			"jwt-jwks-allow-http", "false", "take public keys from a host that is not this one without encryption: whoever can change what passes can be anyone",
			boolean(func(c *Config) *bool { return &c.JWTJWKSAllowHTTP }),
		},
		{
			"jwt-tenant-claim", "tenant_id", "the claim of a JWT that holds the tenant's id; a dot leads into an object",
			claim(func(c *Config) *string { return &c.JWTTenantClaim }),
		},
		{
			"jwt-principal-claim", "sub", "the claim of a JWT that holds the principal's id",
			claim(func(c *Config) *string { return &c.JWTPrincipalClaim }),
		},
		{
			"jwt-clock-skew", "30s", "how far the clock of a JWT's issuer may be off",
			duration(time.Second, 2*time.Minute, func(c *Config) *time.Duration { return &c.JWTClockSkew }),
		},
		{
			"trust-identity-headers", "false", "believe the headers X-Tenant-Id, X-Principal-Id and X-Scopes of a gateway that has authenticated the sender",
			boolean(func(c *Config) *bool { return &c.TrustIdentityHeaders }),
		},
		{
			"trusted-proxies", "127.0.0.0/8,::1/128", "where such a gateway may call from, as networks or addresses, separated by commas",
			networks(func(c *Config) *[]netip.Prefix { return &c.TrustedProxies }),
		},
	}
}

const jwtSecretVariable = "FANFARE_JWT_SECRET"

// jwt says which JWTs are accepted.
func (i *Identity) jwt() identity.JWT {
	return identity.JWT{
		Secret:         identity.Secret(cmp.Or(i.JWTSecret, i.JWTSecretFile.secret)),
		PublicKeyFile:  i.JWTPublicKeyFile,
		JWKSURL:        i.JWTJWKSURL,
		JWKSFile:       i.JWTJWKSFile,
		JWKSAllowHTTP:  i.JWTJWKSAllowHTTP,
		Issuer:         i.JWTIssuer,
		Audience:       i.JWTAudience,
		TenantClaim:    i.JWTTenantClaim,
		PrincipalClaim: i.JWTPrincipalClaim,
		ClockSkew:      i.JWTClockSkew,
	}
}

// jwtKeys names the settings that say what JWTs are verified with, of those that are set.
func (i *Identity) jwtKeys() (names []string) {
	for _, source := range []struct{ name, value string }{
		{jwtSecretVariable, i.JWTSecret},
		{"--jwt-secret-file", i.JWTSecretFile.path},
		{"--jwt-public-key-file", i.JWTPublicKeyFile},
		{"--jwt-jwks-url", i.JWTJWKSURL},
		{"--jwt-jwks-file", i.JWTJWKSFile},
	} {
		if source.value != "" {
			names = append(names, source.name)
		}
	}
	return names
}

// acceptsJWT tells whether any of the settings that JWTs need is set.
func (i *Identity) acceptsJWT() bool {
	return i.JWTIssuer != "" || i.JWTAudience != "" || len(i.jwtKeys()) > 0
}

// accepts names the kinds of credentials that are accepted.
func (i *Identity) accepts() (kinds []string) {
	for _, kind := range []struct {
		name     string
		accepted bool
	}{{"JWTs", i.acceptsJWT()}, {"service tokens", i.ServiceTokens}, {"identity headers", i.TrustIdentityHeaders}} {
		if kind.accepted {
			kinds = append(kinds, kind.name)
		}
	}
	return kinds
}
