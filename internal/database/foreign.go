package database

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// What to do with a parameter that belongs to another driver, by kind.
const (
	ofPools     = "leave it out: --workers and --api-connections set the numbers of connections"
	ofPrepared  = "leave it out; behind a transaction pooler, write default_query_exec_mode=exec instead"
	ofKeepalive = "leave it out: Fanfare sets the keepalives of its connections itself"
	ofSchemas   = "leave it out: Fanfare's schema has the name fanfare"
	ofTLS       = "leave it out, and write sslmode=verify-full with sslrootcert=FILE or sslrootcert=system instead"
	ofLibpq     = "leave it out: Fanfare's driver has no such parameter"
	ofProviders = "leave it out: it describes where the string comes from"
)

// foreignParameters are the parameters that other drivers, frameworks and providers' consoles write
// into connection strings, and what to do instead. pgx would send them to the server as run-time
// parameters, which the server refuses without saying where they come from. The names are lower
// case.
var foreignParameters = map[string]string{
	// Prisma
	"pgbouncer":        "write default_query_exec_mode=exec instead",
	"connection_limit": ofPools,
	"pool_timeout":     ofPools,
	"socket_timeout":   "leave it out: --query-timeout limits the queries of a request",
	"schema":           ofSchemas,
	"sslaccept":        ofTLS,
	"sslidentity":      "write sslcert=FILE and sslkey=FILE instead",

	// node-postgres, Rails, Django, SQLAlchemy, JDBC
	"ssl":                           "write sslmode=require, verify-ca or verify-full instead",
	"uselibpqcompat":                ofLibpq,
	"pool":                          ofPools,
	"pool_size":                     ofPools,
	"max_overflow":                  ofPools,
	"encoding":                      "leave it out: Fanfare's connections use UTF-8",
	"charset":                       "leave it out: Fanfare's connections use UTF-8",
	"prepared_statements":           ofPrepared,
	"prepare_threshold":             ofPrepared,
	"preparethreshold":              ofPrepared,
	"statement_cache_size":          ofPrepared,
	"prepared_statement_cache_size": ofPrepared,
	"currentschema":                 ofSchemas,
	"sslfactory":                    ofTLS,
	"tcpkeepalive":                  ofKeepalive,
	"conn_max_age":                  ofPools,

	// libpq
	"hostaddr":                  "write the address as the host instead",
	"gssencmode":                ofLibpq,
	"gsslib":                    ofLibpq,
	"gssdelegation":             ofLibpq,
	"sslcompression":            ofLibpq,
	"sslcrl":                    ofLibpq,
	"sslcrldir":                 ofLibpq,
	"ssl_min_protocol_version":  ofLibpq,
	"ssl_max_protocol_version":  ofLibpq,
	"requirepeer":               ofLibpq,
	"requiressl":                "write sslmode=require instead",
	"load_balance_hosts":        ofLibpq,
	"replication":               ofLibpq,
	"fallback_application_name": "write application_name instead",
	"keepalives":                ofKeepalive,
	"keepalives_idle":           ofKeepalive,
	"keepalives_interval":       ofKeepalive,
	"keepalives_count":          ofKeepalive,
	"tcp_user_timeout":          ofKeepalive,

	// providers' consoles and database clients
	"supa":          ofProviders,
	"workaround":    ofProviders,
	"statuscolor":   ofProviders,
	"tlsmode":       ofProviders,
	"safemodelevel": ofProviders,
}

// foreignParameter returns the rule that a parameter of a connection string violates, or "". The
// values of parameters are not shown: one may be the password.
func foreignParameter(parameters map[string]string) string {
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		if advice, ok := foreignParameters[strings.ToLower(name)]; ok {
			return fmt.Sprintf("has the parameter %s, which neither PostgreSQL nor Fanfare knows: %s",
				strings.ToLower(name), advice)
		}
		if !parameterName.MatchString(name) {
			return "has a parameter whose name is none: a name consists of letters, digits, _ and ."
		}
	}
	return ""
}

// parameterName matches the names of PostgreSQL's parameters.
var parameterName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// sslModes are the values of sslmode.
var sslModes = []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}

// dotNet matches the beginning of a connection string of .NET.
var dotNet = regexp.MustCompile(`(?i)^\s*(server|host|data source|database|user id|username|port)\s*=[^;\s]*;`)

// foreignURL returns the rule that a connection string of another driver violates, or "" for every
// other string. pgx would parse some of them as keywords and values.
func foreignURL(connection string) string {
	const write = "write postgres://user:password@host:5432/database"
	scheme, _, isURL := strings.Cut(connection, "://")
	switch {
	case isURL && strings.HasPrefix(strings.ToLower(scheme), "jdbc:"):
		return "is a URL of JDBC: " + write
	case isURL && isName(scheme) && scheme != "postgres" && scheme != "postgresql":
		return fmt.Sprintf("has the scheme %s://: %s", scheme, write)
	case dotNet.MatchString(connection):
		return "has parameters separated by semicolons, as .NET writes them: " + write
	}
	return ""
}

// isName reports whether a text may be the scheme of a URL, such as postgresql+psycopg, and no part
// of a password.
func isName(text string) bool {
	return len(text) <= 30 && strings.HasPrefix(text, "postgres") &&
		strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789+") == ""
}

// invalidSSLMode returns the rule that the sslmode of a URL violates, or "".
func invalidSSLMode(connection string) string {
	u, isURL := splitURL(connection)
	if !isURL || u.ambiguous() {
		return ""
	}
	query, err := url.ParseQuery(u.query)
	if err != nil || !query.Has("sslmode") || slices.Contains(sslModes, query.Get("sslmode")) {
		return ""
	}
	rule := "has an unknown sslmode: write " + strings.Join(sslModes, ", ")
	if query.Get("sslmode") == "no-verify" {
		rule = "has sslmode=no-verify, which is node-postgres's: write sslmode=require, or verify-full with sslrootcert"
	}
	return rule
}

// ForeignRule returns the rule that a connection string violates which is written for another
// driver, or has one of its parameters, or "". It contains no value of the string.
func ForeignRule(connection string) string {
	if rule := foreignURL(connection); rule != "" {
		return rule
	}
	if parsed, ok := parseURL(connection); ok {
		return foreignParameter(parsed.RuntimeParams)
	}
	if rule := invalidSSLMode(connection); rule != "" {
		return rule
	}
	u, isURL := splitURL(connection)
	if !isURL || u.ambiguous() {
		return ""
	}
	query, err := url.ParseQuery(u.query)
	if err != nil {
		return ""
	}
	names := map[string]string{}
	for name := range query {
		names[name] = ""
	}
	return foreignParameter(names)
}
