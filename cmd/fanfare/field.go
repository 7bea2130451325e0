package main

import (
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// field says where a setting's value lives in a Config and what it may be.
type field struct {
	kind  string                              // what the value is, for the help
	parse func(c *Config, text string) string // reads a value; returns the rule that the text breaks, or ""
	check func(c *Config) string              // returns the rule that the value breaks, or ""
	show  func(c *Config) string              // the value as text, without secrets

	noFlag bool // a variable only, since flags show in process lists
}

// redacted stands for a secret wherever one would be shown.
const redacted = "[redacted]"

// kindBoolean is the kind of flag that needs no value.
const kindBoolean = "bool"

// text is a field that is kept as it is given.
func text(kind string, at func(*Config) *string, check func(value string) string) field {
	return field{
		kind:  kind,
		parse: func(c *Config, text string) string { *at(c) = text; return "" },
		check: func(c *Config) string { return check(*at(c)) },
		show:  func(c *Config) string { return *at(c) },
	}
}

// parsed is a field that is read from text, and whose rule says what text can be read as well as
// what may be read from it.
func parsed[T any](
	kind, rule string,
	at func(*Config) *T,
	parse func(string) (T, error),
	allowed func(T) bool,
	show func(T) string,
) field {
	return field{
		kind: kind,
		parse: func(c *Config, text string) string {
			value, err := parse(text)
			if err != nil {
				return rule
			}
			*at(c) = value
			return ""
		},
		check: func(c *Config) string {
			if !allowed(*at(c)) {
				return rule
			}
			return ""
		},
		show: func(c *Config) string { return show(*at(c)) },
	}
}

func number(low, high int, at func(*Config) *int) field {
	return parsed("number", fmt.Sprintf("must be a whole number from %d to %d", low, high), at,
		strconv.Atoi, func(n int) bool { return low <= n && n <= high }, strconv.Itoa)
}

func duration(low, high time.Duration, at func(*Config) *time.Duration) field {
	return parsed("duration", fmt.Sprintf("must be a duration from %s to %s, such as 250ms or 2s", low, high), at,
		time.ParseDuration, func(d time.Duration) bool { return low <= d && d <= high }, time.Duration.String)
}

func boolean(at func(*Config) *bool) field {
	return parsed(kindBoolean, "must be true or false", at,
		strconv.ParseBool, func(bool) bool { return true }, strconv.FormatBool)
}

func oneOf(at func(*Config) *string, words ...string) field {
	rule := "must be one of " + strings.Join(words, ", ")
	return text("word", at, func(value string) string {
		if !slices.Contains(words, value) {
			return rule
		}
		return ""
	})
}

// actionPrefix is the beginning of an action, with a star or without.
var actionPrefix = regexp.MustCompile(`^[a-z0-9_.]+\*?$`)

// actions is a list, separated by commas; an empty one is a list of none.
func actions(at func(*Config) *[]string) field {
	allowed := func(list []string) bool {
		return !slices.ContainsFunc(list, func(prefix string) bool { return !actionPrefix.MatchString(prefix) })
	}
	return parsed("list", "must be actions such as resource.created or transfer.*, separated by commas", at,
		splitList, allowed, func(list []string) string { return strings.Join(list, ",") })
}

// splitList reads a list, separated by commas. It never fails.
func splitList(text string) ([]string, error) {
	list := []string{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list, nil
}

func listenAddress(at func(*Config) *string) field {
	return text("address", at, func(value string) string {
		if value == "" {
			return ""
		}
		_, port, err := net.SplitHostPort(value)
		if n, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil || n > 65535 {
			return "must read host:port or :port"
		}
		return ""
	})
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

// secretFile reads a secret from a file, less the white space around it. instead names the other
// setting for the same secret.
func secretFile(at func(*Config) *secretInFile, instead string, other func(*Config) string) field {
	return field{
		kind: "file",
		parse: func(c *Config, path string) string {
			*at(c) = secretInFile{path: path}
			if path == "" {
				return ""
			}
			content, err := os.ReadFile(path)
			if err != nil {
				return fmt.Sprintf("must be a file that can be read: %v", err)
			}
			at(c).secret = strings.TrimSpace(string(content))
			return ""
		},
		check: func(c *Config) string {
			switch f := at(c); {
			case f.path == "":
				return ""
			case other(c) != "":
				return "must not be set together with " + instead
			case f.secret == "":
				return "must be a file that is not empty"
			default:
				if rule := secretRule(f.secret); rule != "" {
					return "its content " + rule
				}
				return ""
			}
		},
		show: func(c *Config) string { return at(c).path },
	}
}
