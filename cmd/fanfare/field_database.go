package main

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
)

// databaseURL is a PostgreSQL connection string. Nothing of one that cannot be read is shown: any
// part may be the password.
func databaseURL(at func(*Config) *string) field {
	f := text("url", at, func(value string) string {
		const rule = "must read postgres://user:password@host:5432/database, with %-escapes for the special characters of a password, or host=… dbname=…"
		if _, ok := readDatabase(value); ok {
			return ""
		}
		if why := whyUnreadable(value); why != "" {
			return rule + ": " + why
		}
		return rule
	})
	f.show = func(c *Config) string { return shownDatabase(*at(c)) }
	return f
}

// readDatabase reads a connection string, unless it is empty or a URL in which the @ of a password
// stands without its escape: libpq's rules, which pgx follows, would take a part of it for the
// host, the database or a parameter, and show it.
func readDatabase(connection string) (*pgx.ConnConfig, bool) {
	if connection == "" {
		return nil, false
	}
	if u, isURL := splitDatabase(connection); isURL && u.ambiguous() {
		return nil, false
	}
	config, err := pgx.ParseConfig(connection)
	return config, err == nil
}

// databaseParts is a connection URL in its parts, not unescaped.
type databaseParts struct{ scheme, authority, path, query string }

func splitDatabase(connection string) (u databaseParts, isURL bool) {
	scheme, rest, isURL := strings.Cut(connection, "://")
	rest, query, _ := strings.Cut(rest, "?")
	authority, path, _ := strings.Cut(rest, "/")
	return databaseParts{scheme, authority, path, query}, isURL
}

// ambiguous tells whether there is an @ too many, or one in the wrong place.
func (u databaseParts) ambiguous() bool {
	return strings.Count(u.authority, "@") > 1 || strings.Contains(u.path+u.query, "@")
}

// whyUnreadable is what pgx has against a connection URL, if it has that against the same URL
// without its passwords too: so there are none in what it says. Otherwise it is "".
func whyUnreadable(connection string) string {
	u, isURL := splitDatabase(connection)
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
	_, why, _ := strings.Cut(err.Error(), "`: ") // behind "cannot parse `…`: "
	return why
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
