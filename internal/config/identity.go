package config

import (
	"errors"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fanfarehq/fanfare/internal/identity"
)

// jwtSecretVariable is the environment variable with the HMAC secret of JWTs.
const jwtSecretVariable = "FANFARE_JWT_SECRET"

// jwtKeySettings names the settings for the keys that verify JWTs.
const jwtKeySettings = "one of " + jwtSecretVariable +
	", --jwt-secret-file, --jwt-public-key-file, --jwt-jwks-url and --jwt-jwks-file"

// credentials returns the settings of the credentials that the API accepts.
func credentials() []Setting {
	return []Setting{
		{
			"service-tokens", "true", "accept service tokens, which fanfare token create issues",
			boolean(func(c *Config) *bool { return &c.ServiceTokens }),
		},
		{
			"jwt-issuer", "", "required issuer of JWTs (iss)",
			jwtIssuer(func(c *Config) *string { return &c.JWTIssuer }),
		},
		{
			"jwt-audience", "", "required audience of JWTs (aud)",
			jwtAudience(func(c *Config) *string { return &c.JWTAudience }),
		},
		{
			"jwt-secret", "", "HMAC secret of JWTs (HS256, HS384, HS512)",
			jwtKey(jwtSecretVariable, tokenSecret(func(c *Config) *string { return &c.JWTSecret })),
		},
		{
			"jwt-secret-file", "", "file that contains the HMAC secret of JWTs",
			jwtKey("--jwt-secret-file", tokenSecretFile(func(c *Config) *SecretFile { return &c.JWTSecretFile },
				alternative{jwtSecretVariable, func(c *Config) string { return c.JWTSecret }})),
		},
		{
			"jwt-public-key-file", "", "PEM file that contains the public keys of JWTs (RS, PS, ES, EdDSA)",
			jwtKey("--jwt-public-key-file", jwtKeyFile(func(c *Config) *string { return &c.JWTPublicKeyFile },
				func(path string) identity.JWT { return identity.JWT{PublicKeyFile: path} })),
		},
		{
			"jwt-jwks-url", "", "URL of the JSON Web Key Set (JWKS) of the issuer of JWTs",
			jwtKey("--jwt-jwks-url", jwksURL(func(c *Config) *string { return &c.JWTJWKSURL })),
		},
		{
			"jwt-jwks-file", "", "file that contains the JSON Web Key Set (JWKS) of JWTs; it is read periodically",
			jwtKey("--jwt-jwks-file", jwtKeyFile(func(c *Config) *string { return &c.JWTJWKSFile },
				func(path string) identity.JWT { return identity.JWT{JWKSFile: path} })),
		},
		{
			"jwt-jwks-allow-http", "false",
			"accept a JWKS URL without TLS on another host; an attacker on the network can then forge JWTs",
			boolean(func(c *Config) *bool { return &c.JWTJWKSAllowHTTP }),
		},
		{
			"jwt-tenant-claim", "tenant_id",
			"claim of a JWT that contains the tenant's id; a dot selects a nested claim",
			jwtClaim(func(c *Config) *string { return &c.JWTTenantClaim }),
		},
		{
			"jwt-principal-claim", "sub",
			"claim of a JWT that contains the principal's id; a dot selects a nested claim",
			jwtClaim(func(c *Config) *string { return &c.JWTPrincipalClaim }),
		},
		{
			"jwt-clock-skew", "30s", "tolerated difference to the clock of the issuer of JWTs",
			duration(time.Second, 2*time.Minute, func(c *Config) *time.Duration { return &c.JWTClockSkew }),
		},
		{
			"trust-identity-headers", "false",
			"accept the headers X-Tenant-Id, X-Principal-Id and X-Scopes of an authenticating gateway",
			boolean(func(c *Config) *bool { return &c.TrustIdentityHeaders }),
		},
		{
			"trusted-proxies", "127.0.0.0/8,::1/128",
			"networks or addresses of the gateways whose identity headers are accepted, as a comma-separated list",
			networks(func(c *Config) *[]netip.Prefix { return &c.TrustedProxies }),
		},
		{
			"allowed-hosts", "",
			"hosts for which requests with identity headers are accepted, besides localhost and IP addresses, " +
				"as a comma-separated list; * accepts every host",
			hosts(func(c *Config) *[]string { return &c.AllowedHosts }),
		},
	}
}

func jwtIssuer(at func(*Config) *string) field {
	f := jwtAudience(at)
	check := f.check
	f.check = func(c *Config) string {
		if *at(c) != "" && len(c.jwtKeys()) == 0 {
			return "requires " + jwtKeySettings
		}
		return check(c)
	}
	return f
}

func jwtAudience(at func(*Config) *string) field {
	f := text("text", at, nil)
	f.check = func(c *Config) string {
		if *at(c) == "" && c.AcceptsJWT() {
			return "is required if JWTs are accepted"
		}
		return ""
	}
	return f
}

// jwtKey adds to a setting for the keys of JWTs, called name, the rule that no other one is set.
func jwtKey(name string, f field) field {
	check := f.check
	f.check = func(c *Config) string {
		if rule := check(c); rule != "" {
			return rule
		}
		keys := c.jwtKeys()
		if len(keys) < 2 || !slices.Contains(keys, name) {
			return ""
		}
		others := slices.DeleteFunc(keys, func(other string) bool { return other == name })
		return "must not be set together with " + strings.Join(others, ", ")
	}
	return f
}

func jwtKeyFile(at func(*Config) *string, options func(path string) identity.JWT) field {
	return text("file", at, func(path string) string { return jwtKeyRule(path, options(path)) })
}

func jwksURL(at func(*Config) *string) field {
	f := text("url", at, nil)
	f.check = func(c *Config) string {
		return jwtKeyRule(*at(c), identity.JWT{JWKSURL: *at(c), JWKSAllowHTTP: c.JWTJWKSAllowHTTP})
	}
	f.show = func(c *Config) string { return RedactURL(*at(c)) }
	return f
}

// jwtKeyRule returns the error of package identity for the keys that a setting specifies, or "" if
// it is not set.
func jwtKeyRule(value string, options identity.JWT) string {
	if value == "" {
		return ""
	}
	options.Issuer, options.Audience = "any", "any" // are checked by their own settings
	if err := (identity.Options{JWT: options}).Validate(); err != nil {
		return errors.Unwrap(err).Error()
	}
	return ""
}

func jwtClaim(at func(*Config) *string) field {
	f := text("name", at, nil)
	f.check = func(c *Config) string {
		switch {
		case slices.Contains(strings.Split(*at(c), "."), ""):
			return "must be a name, or names separated by dots"
		case c.JWTTenantClaim == c.JWTPrincipalClaim:
			return "must not be the same claim for the tenant and the principal"
		}
		return ""
	}
	return f
}

// networks is a comma-separated list of networks and single addresses.
func networks(at func(*Config) *[]netip.Prefix) field {
	parse := func(text string) ([]netip.Prefix, error) {
		list, _ := splitList(text)
		prefixes := make([]netip.Prefix, len(list))
		for i, item := range list {
			var err error
			if prefixes[i], err = parseNetwork(item); err != nil {
				return nil, err
			}
		}
		return prefixes, nil
	}
	return parsed(at, valueType[[]netip.Prefix]{
		kind: "list",
		rule: "must be a comma-separated list of networks, such as 10.1.2.0/24, or addresses, " +
			"and must not include every address",
		parse: parse,
		allowed: func(list []netip.Prefix) bool {
			return len(list) > 0 &&
				!slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Bits() == 0 || p.Addr().Is4In6() })
		},
		show: func(list []netip.Prefix) string {
			texts := make([]string, len(list))
			for i, p := range list {
				texts[i] = p.String()
			}
			return joinList(texts)
		},
	})
}

// hostName matches the name of a host, without a port.
var hostName = regexp.MustCompile(`^([A-Za-z0-9_-]+[.])*[A-Za-z0-9_-]+$`)

// hosts is a comma-separated list of hosts.
func hosts(at func(*Config) *[]string) field {
	return parsed(at, valueType[[]string]{
		kind:  "list",
		rule:  "must be a comma-separated list of hosts without ports, such as api.example.com, or *",
		parse: splitList,
		allowed: func(list []string) bool {
			invalid := func(host string) bool { return host != "*" && !hostName.MatchString(host) }
			return !slices.ContainsFunc(list, invalid)
		},
		show: joinList,
	})
}

// parseNetwork parses a network, or an address as the network of this address alone.
func parseNetwork(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	return netip.ParsePrefix(text)
}

// jwtKeys returns the names of the settings for the keys of JWTs that are set.
func (c *Config) jwtKeys() (names []string) {
	for _, key := range []struct{ name, value string }{
		{jwtSecretVariable, c.JWTSecret},
		{"--jwt-secret-file", c.JWTSecretFile.path},
		{"--jwt-public-key-file", c.JWTPublicKeyFile},
		{"--jwt-jwks-url", c.JWTJWKSURL},
		{"--jwt-jwks-file", c.JWTJWKSFile},
	} {
		if key.value != "" {
			names = append(names, key.name)
		}
	}
	return names
}

// AcceptsJWT reports whether any of the settings that JWTs require is set.
func (c *Config) AcceptsJWT() bool {
	return c.JWTIssuer != "" || c.JWTAudience != "" || len(c.jwtKeys()) > 0
}
