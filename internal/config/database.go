package config

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Database returns the settings of commands that need only the database.
func Database() []Setting {
	return []Setting{{
		"database-url", "",
		"PostgreSQL connection string, such as postgres://user:password@host:5432/database; " +
			"prefer the environment variable, because process lists show flags",
		databaseURL(func(c *Config) *string { return &c.DatabaseURL }),
	}}
}

// databaseURL is the field of a PostgreSQL connection string. No part of an invalid one is shown,
// because any part may be the password.
func databaseURL(at func(*Config) *string) field {
	f := text("url", at, func(value string) string {
		if value == "" {
			return "is required, such as postgres://user:password@host:5432/database"
		}
		const rule = "must be postgres://user:password@host:5432/database, " +
			"with special characters of the password percent-encoded, or host=… dbname=…"
		if _, ok := parseDatabaseURL(value); ok {
			return ""
		}
		if reason := databaseURLError(value); reason != "" {
			return rule + ": " + reason
		}
		return rule
	})
	f.show = func(c *Config) string { return RedactDatabaseURL(*at(c)) }
	return f
}

// parseDatabaseURL parses a connection string. It refuses an empty one, and a URL with a password
// that contains an @ which is not percent-encoded: libpq's rules, which pgx follows, would read a
// part of that password as the host, the database or a parameter, which are shown.
func parseDatabaseURL(connection string) (*pgx.ConnConfig, bool) {
	if connection == "" {
		return nil, false
	}
	if u, isURL := splitURL(connection); isURL && u.ambiguous() {
		return nil, false
	}
	config, err := pgx.ParseConfig(connection)
	return config, err == nil
}

// urlParts are the parts of a connection URL, still percent-encoded.
type urlParts struct{ scheme, authority, path, query string }

func splitURL(connection string) (u urlParts, isURL bool) {
	scheme, rest, isURL := strings.Cut(connection, "://")
	rest, query, _ := strings.Cut(rest, "?")
	authority, path, _ := strings.Cut(rest, "/")
	return urlParts{scheme, authority, path, query}, isURL
}

// ambiguous reports whether the URL contains an @ other than the one between user and host.
func (u urlParts) ambiguous() bool {
	return strings.Count(u.authority, "@") > 1 || strings.Contains(u.path+u.query, "@")
}

// databaseURLError returns pgx's error for a connection URL without its passwords. It is "" if that
// URL is valid, since the error of the original URL may then contain the password.
func databaseURLError(connection string) string {
	u, isURL := splitURL(connection)
	if !isURL || u.ambiguous() {
		return ""
	}
	parameters, err := url.ParseQuery(u.query)
	if err != nil {
		return ""
	}
	for name := range parameters {
		if strings.Contains(strings.ToLower(name), "pass") {
			parameters.Del(name)
		}
	}
	login, hosts, hasLogin := strings.Cut(u.authority, "@")
	if user, _, _ := strings.Cut(login, ":"); hasLogin {
		hosts = user + "@" + hosts
	} else {
		hosts = login
	}
	_, err = pgx.ParseConfig(u.scheme + "://" + hosts + "/" + u.path + "?" + parameters.Encode())
	if err == nil {
		return ""
	}
	_, reason, _ := strings.Cut(err.Error(), "`: ") // after "cannot parse `…`: "
	return reason
}

// RedactDatabaseURL returns the user, host, port and database of a connection string, without its
// password. It returns "[redacted]" for a string that is not valid.
func RedactDatabaseURL(connection string) string {
	if connection == "" {
		return ""
	}
	config, ok := parseDatabaseURL(connection)
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
