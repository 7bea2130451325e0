package config

import (
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// redacted replaces a secret wherever one would be shown.
const redacted = "[redacted]"

// RedactURLs is RedactURL for each URL of a list that is separated by commas.
func RedactURLs(list string) string {
	urls := centrifugo.SplitURLs(list)
	for i := range urls {
		urls[i] = RedactURL(urls[i])
	}
	return strings.Join(urls, ",")
}

// RedactURL returns a URL without its password and its query.
func RedactURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return redacted
	}
	if _, has := u.User.Password(); has {
		u.User = url.UserPassword(u.User.Username(), "redacted")
	}
	if u.RawQuery != "" {
		u.RawQuery = "redacted"
	}
	return u.String()
}

func secret(at func(*Config) *string) field {
	f := text("secret", at, secretRule)
	f.show = func(c *Config) string {
		if *at(c) == "" {
			return ""
		}
		return redacted
	}
	return f
}

func secretRule(value string) string {
	for i := range len(value) {
		if c := value[i]; c <= ' ' || c > '~' {
			return "must be printable ASCII without spaces"
		}
	}
	return ""
}

// alternative is the other setting for the same secret.
type alternative struct {
	name  string // its flag or its variable
	value func(c *Config) string
}

// secretFile is the field of a file that contains a secret. White space around the secret is
// removed.
func secretFile(at func(*Config) *SecretFile, other alternative) field {
	return field{
		kind: "file",
		parse: func(c *Config, path string) string {
			*at(c) = SecretFile{path: path}
			if path == "" {
				return ""
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return fmt.Sprintf("must be a readable file: %v", err)
			}
			at(c).secret = strings.TrimSpace(string(content))
			return ""
		},
		check: func(c *Config) string {
			switch f := at(c); {
			case f.path == "":
				return ""
			case other.value(c) != "":
				return "must not be set together with " + other.name
			case f.secret == "":
				return "must be a file that is not empty"
			default:
				return ofContent(secretRule(f.secret))
			}
		},
		show: func(c *Config) string { return at(c).path },
	}
}

// tokenSecret is the field of a secret that signs or verifies tokens. It has no flag.
func tokenSecret(at func(*Config) *string) field {
	f := secret(at)
	f.noFlag = true
	f.check = func(c *Config) string { return tokenSecretRule(*at(c)) }
	return f
}

// tokenSecretFile is the field of a file that contains such a secret.
func tokenSecretFile(at func(*Config) *SecretFile, other alternative) field {
	f := secretFile(at, other)
	check := f.check
	f.check = func(c *Config) string {
		if rule := check(c); rule != "" {
			return rule
		}
		return ofContent(tokenSecretRule(at(c).secret))
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

// ofContent makes a rule one for the content of a file.
func ofContent(rule string) string {
	if rule == "" {
		return ""
	}
	return "its content " + rule
}
