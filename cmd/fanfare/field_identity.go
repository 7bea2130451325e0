package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
)

// anyKey names what JWTs can be verified with.
const anyKey = "one of " + jwtSecretVariable + ", --jwt-secret-file, --jwt-public-key-file, --jwt-jwks-url and --jwt-jwks-file"

func jwtIssuer(at func(*Config) *string) field {
	f := jwtAudience(at)
	check := f.check
	f.check = func(c *Config) string {
		if *at(c) != "" && len(c.jwtKeys()) == 0 {
			return "must come with " + anyKey
		}
		return check(c)
	}
	return f
}

func jwtAudience(at func(*Config) *string) field {
	f := text("text", at, nil)
	f.check = func(c *Config) string {
		if *at(c) == "" && c.acceptsJWT() {
			return "must be set where JWTs are accepted"
		}
		return ""
	}
	return f
}

// keySource is one of the settings that say what JWTs are verified with: only one of them may be
// set. It goes by name.
func keySource(name string, f field) field {
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

func jwksURL(at func(*Config) *string) field {
	f := text("url", at, nil)
	f.check = func(c *Config) string {
		return keyRule(*at(c), identity.JWT{JWKSURL: *at(c), JWKSAllowHTTP: c.JWTJWKSAllowHTTP})
	}
	f.show = func(c *Config) string { return shownURL(*at(c)) }
	return f
}

// keyRule returns what is wrong with what JWTs are to be verified with, unless that is not set.
func keyRule(value string, source identity.JWT) string {
	if value == "" {
		return ""
	}
	source.Issuer, source.Audience = "any", "any" // which are not in question
	if err := (identity.Options{JWT: source}).Validate(); err != nil {
		return fmt.Sprintf("must be of use: %v", errors.Unwrap(err))
	}
	return ""
}

func claim(at func(*Config) *string) field {
	f := text("name", at, nil)
	f.check = func(c *Config) string {
		switch {
		case slices.Contains(strings.Split(*at(c), "."), ""):
			return "must be a name, or names with dots between"
		case c.JWTTenantClaim == c.JWTPrincipalClaim:
			return "must not be the same claim for the tenant and the principal"
		}
		return ""
	}
	return f
}

// optionalID is a UUID, or none.
func optionalID(at func(*Config) *uuid.UUID) field {
	parse := func(text string) (uuid.UUID, error) {
		if text == "" {
			return uuid.Nil, nil
		}
		return readID(text)
	}
	show := func(id uuid.UUID) string {
		if id == uuid.Nil {
			return ""
		}
		return id.String()
	}
	return parsed(
		"uuid",
		"must be a UUID such as 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f",
		at,
		parse,
		func(uuid.UUID) bool { return true },
		show,
	)
}

// networks is a list of networks and single addresses.
func networks(at func(*Config) *[]netip.Prefix) field {
	parse := func(text string) ([]netip.Prefix, error) {
		list, _ := splitList(text)
		networks := make([]netip.Prefix, len(list))
		for i, part := range list {
			var err error
			if networks[i], err = network(part); err != nil {
				return nil, err
			}
		}
		return networks, nil
	}
	allowed := func(list []netip.Prefix) bool {
		return len(list) > 0 &&
			!slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Bits() == 0 || p.Addr().Is4In6() })
	}
	return parsed(
		"list",
		"must be networks such as 10.1.2.0/24, or addresses, separated by commas, and not every address there is",
		at,
		parse,
		allowed,
		func(list []netip.Prefix) string {
			texts := make([]string, len(list))
			for i, p := range list {
				texts[i] = p.String()
			}
			return strings.Join(texts, ",")
		},
	)
}

// network reads a network, or an address as the network that holds nothing else.
func network(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	return netip.ParsePrefix(text)
}
