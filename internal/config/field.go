package config

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/preferences"
)

// field is the place of a setting's value in a Config and the rules for the value.
type field struct {
	kind  string                              // of the value, for the help
	parse func(c *Config, text string) string // sets the value; returns the rule that the text violates, or ""
	check func(c *Config) string              // returns the rule that the value violates, or ""
	show  func(c *Config) string              // the value as text, without secrets

	noFlag  bool // the setting is a variable only, because process lists show flags
	repeats bool // the flag may be repeated; its values are one list, separated by commas
}

// kindBoolean is the kind of a flag that needs no value.
const kindBoolean = "bool"

// text is the field of a value that is kept as it is given.
func text(kind string, at func(*Config) *string, check func(value string) string) field {
	return field{
		kind:  kind,
		parse: func(c *Config, text string) string { *at(c) = text; return "" },
		check: func(c *Config) string { return check(*at(c)) },
		show:  func(c *Config) string { return *at(c) },
	}
}

// valueType describes a type of values that are parsed from text.
type valueType[T any] struct {
	kind, rule string // the rule covers what can be parsed and what is allowed
	parse      func(string) (T, error)
	allowed    func(T) bool // nil allows every value
	show       func(T) string
}

// parsed is the field of a value that is parsed from text.
func parsed[T any](at func(*Config) *T, v valueType[T]) field {
	return field{
		kind: v.kind,
		parse: func(c *Config, text string) string {
			value, err := v.parse(text)
			if err != nil {
				return v.rule
			}
			*at(c) = value
			return ""
		},
		check: func(c *Config) string {
			if v.allowed != nil && !v.allowed(*at(c)) {
				return v.rule
			}
			return ""
		},
		show: func(c *Config) string { return v.show(*at(c)) },
	}
}

func number(low, high int, at func(*Config) *int) field {
	return parsed(at, valueType[int]{
		kind:    "number",
		rule:    fmt.Sprintf("must be an integer from %d to %d", low, high),
		parse:   strconv.Atoi,
		allowed: func(n int) bool { return low <= n && n <= high },
		show:    strconv.Itoa,
	})
}

func duration(low, high time.Duration, at func(*Config) *time.Duration) field {
	return parsed(at, valueType[time.Duration]{
		kind:    "duration",
		rule:    fmt.Sprintf("must be a duration from %s to %s, such as 250ms or 2s", low, high),
		parse:   time.ParseDuration,
		allowed: func(d time.Duration) bool { return low <= d && d <= high },
		show:    time.Duration.String,
	})
}

// optionalDuration is a duration, or 0 to disable something.
func optionalDuration(low, high time.Duration, at func(*Config) *time.Duration) field {
	return parsed(at, valueType[time.Duration]{
		kind:    "duration",
		rule:    fmt.Sprintf("must be 0 or a duration from %s to %s, such as 1h", low, high),
		parse:   time.ParseDuration,
		allowed: func(d time.Duration) bool { return d == 0 || low <= d && d <= high },
		show:    time.Duration.String,
	})
}

func boolean(at func(*Config) *bool) field {
	return parsed(at, valueType[bool]{
		kind:  kindBoolean,
		rule:  "must be true or false",
		parse: strconv.ParseBool,
		show:  strconv.FormatBool,
	})
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

// optionalID is a UUID, or empty.
func optionalID(at func(*Config) *uuid.UUID) field {
	return parsed(at, valueType[uuid.UUID]{
		kind: "uuid",
		rule: "must be a UUID, such as 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f",
		parse: func(text string) (uuid.UUID, error) {
			if text == "" {
				return uuid.Nil, nil
			}
			id, err := uuid.Parse(text)
			if err == nil && id == uuid.Nil {
				err = fmt.Errorf("nil UUID")
			}
			return id, err
		},
		show: func(id uuid.UUID) string {
			if id == uuid.Nil {
				return ""
			}
			return id.String()
		},
	})
}

// patterns is a comma-separated list of patterns of actions. An empty text is an empty list.
func patterns(at func(*Config) *[]string) field {
	return parsed(at, valueType[[]string]{
		kind:  "list",
		rule:  "must be a comma-separated list of patterns of at most 200 bytes, such as *.created* or transfer.*",
		parse: splitList,
		allowed: func(list []string) bool {
			return !slices.ContainsFunc(list, func(text string) bool {
				_, err := preferences.Compile(text)
				return err != nil
			})
		},
		show: joinList,
	})
}

// origins is a comma-separated list of web origins (RFC 6454), as browsers send them.
func origins(at func(*Config) *[]string) field {
	allowed := func(list []string) bool {
		for _, origin := range list {
			u, err := url.Parse(origin)
			if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" ||
				strings.Contains(u.Host, "*") || origin != u.Scheme+"://"+u.Host {
				return false
			}
		}
		return true
	}
	return parsed(at, valueType[[]string]{
		kind:    "list",
		rule:    "must be a comma-separated list of origins, such as https://app.example.com",
		parse:   splitList,
		allowed: allowed,
		show:    joinList,
	})
}

// splitList parses a comma-separated list. It never fails.
func splitList(text string) ([]string, error) {
	list := []string{}
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list, nil
}

func joinList(list []string) string { return strings.Join(list, ",") }

// addressRule is the rule of an address to listen on.
const addressRule = "must be host:port or :port"

// listenAddress is an address to listen on, or empty.
func listenAddress(at func(*Config) *string) field {
	return text("address", at, func(value string) string {
		if value == "" {
			return ""
		}
		_, port, err := net.SplitHostPort(value)
		if _, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil {
			return addressRule
		}
		return ""
	})
}

// apiURLs is the field of a list of URLs of Centrifugo's server API, separated by commas.
func apiURLs(at func(*Config) *string) field {
	f := text("urls", at, centrifugo.CheckURLs)
	f.show = func(c *Config) string { return RedactURLs(*at(c)) }
	return f
}

func webSocketURL(at func(*Config) *string) field { return checkedWebSocketURL(at, false) }

// optionalWebSocketURL also permits an empty value.
func optionalWebSocketURL(at func(*Config) *string) field { return checkedWebSocketURL(at, true) }

func checkedWebSocketURL(at func(*Config) *string, optional bool) field {
	f := text("url", at, func(value string) string {
		u, err := url.Parse(value)
		switch {
		case optional && value == "":
			return ""
		case err != nil || u.Scheme != "ws" && u.Scheme != "wss" || u.Host == "" || u.User != nil:
			return "must be a WebSocket URL without a user, such as ws://host:port/connection/websocket"
		}
		return ""
	})
	f.show = func(c *Config) string { return RedactURL(*at(c)) }
	return f
}
