package main

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// databaseURL is a PostgreSQL connection string. Nothing of one that cannot be read is shown: any part may be the password.
func databaseURL(at func(*Config) *string) field {
	f := text("url", at, func(value string) string {
		if _, ok := readDatabase(value); !ok {
			return "must read postgres://user:password@host:5432/database, with %-escapes for the special characters of a password, or host=… dbname=…"
		}
		return ""
	})
	f.show = func(c *Config) string { return shownDatabase(*at(c)) }
	return f
}

// readDatabase reads a connection string, unless it is empty or a URL in which the @ of a password stands without its escape:
// libpq's rules, which pgx follows, would take what comes after it for the host's name or the database's, and show it.
func readDatabase(connection string) (*pgx.ConnConfig, bool) {
	if connection == "" {
		return nil, false
	}
	if _, rest, isURL := strings.Cut(connection, "://"); isURL {
		rest, _, _ = strings.Cut(rest, "?")
		authority, path, _ := strings.Cut(rest, "/")
		if strings.Count(authority, "@") > 1 || strings.Contains(path, "@") {
			return nil, false
		}
	}
	config, err := pgx.ParseConfig(connection)
	return config, err == nil
}

// shownDatabase says which database a connection string means, without its password.
func shownDatabase(connection string) string {
	if connection == "" {
		return ""
	}
	config, ok := readDatabase(connection)
	if !ok {
		return redacted
	}
	user := config.User
	if config.Password != "" {
		user += ":" + redacted
	}
	host := config.Host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("postgres://%s@%s:%d/%s", user, host, config.Port, config.Database)
}

func httpURL(at func(*Config) *string) field {
	f := text("url", at, func(value string) string {
		u, err := url.Parse(value)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return "must read http://host:port/api or https://…"
		}
		return ""
	})
	f.show = func(c *Config) string { return shownURL(*at(c)) }
	return f
}

// shownURL is a URL without what may be secret in it.
func shownURL(raw string) string {
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

// channelFormat is a template of channel names. kind is centrifugo's word for it.
func channelFormat(kind string, at func(*Config) *string) field {
	return field{
		kind:  "template",
		parse: func(c *Config, text string) string { *at(c) = text; return "" },
		check: func(c *Config) string { return formatRule(kind, c.formats()) },
		show:  func(c *Config) string { return *at(c) },
	}
}

// formats are the templates of the channel names.
func (c *Config) formats() centrifugo.Formats {
	return centrifugo.Formats{User: c.ChannelUser, Resource: c.ChannelResource, Tenant: c.ChannelTenant}
}

// formatRule returns the rule that one kind of template breaks, by itself or with the others.
func formatRule(kind string, f centrifugo.Formats) string {
	templates := map[string]string{"user": f.User, "resource": f.Resource, "tenant": f.Tenant}
	if templates[kind] == "" {
		return "must not be empty"
	}
	_, err := centrifugo.ParseFormats(f)
	if broken := formatErrors(err); len(broken) > 0 {
		for _, e := range broken {
			if e.Format == kind {
				return e.Rule
			}
		}
		return ""
	}
	own, _, _ := strings.Cut(templates[kind], ":")
	for _, other := range []string{"user", "resource", "tenant"} {
		if namespace, _, _ := strings.Cut(templates[other], ":"); other != kind && namespace == own {
			return fmt.Sprintf("must have a namespace of its own: --channel-%s has %q too", other, own)
		}
	}
	return ""
}

// formatErrors finds all the *centrifugo.FormatErrors that are joined in err.
func formatErrors(err error) []*centrifugo.FormatError {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var found []*centrifugo.FormatError
		for _, part := range joined.Unwrap() {
			found = slices.Concat(found, formatErrors(part))
		}
		return found
	}
	var one *centrifugo.FormatError
	if errors.As(err, &one) {
		return []*centrifugo.FormatError{one}
	}
	return nil
}
