package database

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// redacted replaces a password, and a connection string that is not valid.
const redacted = "[redacted]"

// URLRule returns the rule that a connection string violates, or "". The rule contains no part of
// the string that may be its password.
func URLRule(connection string) string {
	if connection == "" {
		return "is required, such as postgres://user:password@host:5432/database"
	}
	const rule = "must be postgres://user:password@host:5432/database, " +
		"with special characters of the password percent-encoded, or host=… dbname=…"
	if violated := ForeignRule(connection); violated != "" {
		return violated
	}
	if _, ok := parseURL(connection); ok {
		return ""
	}
	if reason := urlError(connection); reason != "" {
		return rule + ": " + reason
	}
	return rule
}

// IsURL reports whether a connection string is a valid URL, and not host=… dbname=….
func IsURL(connection string) bool {
	_, isURL := splitURL(connection)
	_, valid := parseURL(connection)
	return isURL && valid
}

// parseURL parses a connection string. It refuses an empty one, and a URL with a password that
// contains an @ which is not percent-encoded: libpq's rules, which pgx follows, would read a part
// of that password as the host, the database or a parameter, which are shown.
func parseURL(connection string) (*pgx.ConnConfig, bool) {
	if connection == "" {
		return nil, false
	}
	if u, isURL := splitURL(connection); isURL && u.ambiguous() {
		return nil, false
	}
	config, err := pgxpool.ParseConfig(connection)
	if err != nil {
		return nil, false
	}
	return config.ConnConfig, true
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

// urlError returns pgx's error for a connection URL without its passwords. It is "" if that URL is
// valid, since the error of the original URL may then contain the password.
func urlError(connection string) string {
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

// RedactURL returns the user, host, port and database of a connection string, without its password.
// It returns "[redacted]" for a string that is not valid.
func RedactURL(connection string) string {
	if connection == "" {
		return ""
	}
	config, ok := parseURL(connection)
	if !ok {
		return redacted
	}
	user := config.User
	if config.Password != "" {
		user += ":" + redacted
	}
	host := config.Host
	if strings.HasPrefix(host, "/") { // the directory of a socket
		return fmt.Sprintf("postgres://%s@/%s?host=%s", user, config.Database, host)
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("postgres://%s@%s:%d/%s", user, host, config.Port, config.Database)
}

// Places returns each server and database that a valid connection string may lead to, as
// host:port/database, in lower case except the database. Two strings with one of them in common
// lead to the same database.
func Places(connection string) (places []string) {
	config, ok := parseURL(connection)
	if !ok {
		return nil
	}
	add := func(host string, port uint16) {
		place := fmt.Sprintf("%s:%d/%s", strings.ToLower(host), port, config.Database)
		if !slices.Contains(places, place) {
			places = append(places, place)
		}
	}
	add(config.Host, config.Port)
	for _, other := range config.Fallbacks {
		add(other.Host, other.Port)
	}
	return places
}
