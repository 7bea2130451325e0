package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fanfarehq/fanfare/internal/database"
)

// databaseFailure returns the finding on an error of the database. role is the role of the
// connection, quoted for SQL, or "" if it is not known yet.
func databaseFailure(err error, role string) finding {
	detail := describeDatabaseError(err)
	if remedy := database.ConnectRemedy(err); remedy != "" && !errors.Is(err, context.DeadlineExceeded) {
		return failure(detail, remedy)
	}
	var reported *pgconn.PgError
	switch {
	case errors.As(err, &reported):
		return failure(detail, remedyFor(reported, role))
	case errors.Is(err, context.DeadlineExceeded):
		return failure(
			"no response in time: "+detail,
			"start PostgreSQL, find out what keeps it busy, or correct --database-url",
		)
	}
	return failure(detail, "start PostgreSQL, or correct --database-url")
}

// remedyFor returns the remedy for a SQLSTATE
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func remedyFor(err *pgconn.PgError, role string) string {
	switch err.Code {
	case "28000", "28P01": // invalid_authorization_specification, invalid_password
		return "correct --database-url, or allow its role in pg_hba.conf"
	case "3D000": // invalid_catalog_name
		return "create the database, or correct --database-url"
	case "53300": // too_many_connections
		return "raise max_connections, or run fewer workers"
	case "25006": // read_only_sql_transaction
		return "point --database-url to the primary server, or set default_transaction_read_only to off"
	case "3F000": // invalid_schema_name
		return "run fanfare migrate up"
	case "57P03": // cannot_connect_now
		return "wait until PostgreSQL has started"
	case "42501": // insufficient_privilege
		if role == "" {
			return "grant the privilege to the role of --database-url, or use the role that owns the schema"
		}
		return "GRANT USAGE ON SCHEMA fanfare TO " + role + "; GRANT SELECT ON fanfare.schema_version TO " + role +
			"; or use the role that owns the schema"
	case "26000", "42P05", "08P01": // invalid_sql_statement_name, duplicate_prepared_statement, protocol_violation
		return "behind PgBouncer, add default_query_exec_mode=exec to --database-url"
	}
	return "read PostgreSQL's log"
}

// describeDatabaseError returns the text of an error on one line. An error of connecting names the
// target once, and each distinct cause once, although pgx tries several addresses.
func describeDatabaseError(err error) string {
	var connect *pgconn.ConnectError
	if !errors.As(err, &connect) {
		return strings.Join(causesOf(err), "; ")
	}
	c := connect.Config
	return fmt.Sprintf("cannot connect to %s:%d, database %s, as %s: %s",
		c.Host, c.Port, c.Database, c.User, strings.Join(causesOf(connect.Unwrap()), "; "))
}

// causesOf returns the texts of the errors that err joins, each once: the message of the server or
// of the network if there is one.
func causesOf(err error) (causes []string) {
	for e := err; e != nil; e = errors.Unwrap(e) {
		if joined, ok := e.(interface{ Unwrap() []error }); ok {
			for _, each := range joined.Unwrap() {
				for _, cause := range causesOf(each) {
					causes = appendNew(causes, cause)
				}
			}
			return causes
		}
	}
	if reported := (*pgconn.PgError)(nil); errors.As(err, &reported) {
		return []string{fmt.Sprintf("%s (SQLSTATE %s)", reported.Message, reported.Code)}
	}
	if network := (*net.OpError)(nil); errors.As(err, &network) {
		return []string{network.Error()}
	}
	return []string{err.Error()}
}
