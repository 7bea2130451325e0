package doctor

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// databaseTrouble is the verdict on an error of the database. role is ours, quoted, or "" when it
// is not known yet.
func databaseTrouble(err error, role string) verdict {
	detail := oneLine(err)
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused):
		return fail(detail, adviceOn(refused, role))
	case errors.Is(err, context.DeadlineExceeded):
		return fail(
			"no answer in time: "+detail,
			"start PostgreSQL, see what it is busy with, or correct --database-url",
		)
	}
	return fail(detail, "start PostgreSQL, or correct --database-url")
}

// adviceOn goes by SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html.
func adviceOn(err *pgconn.PgError, role string) string {
	switch err.Code {
	case "28000", "28P01": // invalid_authorization_specification, invalid_password
		return "correct --database-url, or allow its role in pg_hba.conf"
	case "3D000": // invalid_catalog_name
		return "create the database, or correct --database-url"
	case "53300": // too_many_connections
		return "raise max_connections, or run fewer workers"
	case "57P03": // cannot_connect_now
		return "wait until PostgreSQL has started"
	case "42501": // insufficient_privilege
		if role == "" {
			return "grant the role of --database-url the right, or use the role that owns the schema"
		}
		return "GRANT USAGE ON SCHEMA fanfare TO " + role + ", GRANT SELECT ON fanfare.schema_version TO " + role + ", or use the role that owns the schema"
	case "26000", "42P05", "08P01": // invalid_sql_statement_name, duplicate_prepared_statement, protocol_violation
		return "behind PgBouncer, add default_query_exec_mode=exec to --database-url"
	}
	return "see PostgreSQL's log"
}

// oneLine is an error's text without line breaks, and each line of it once: pgx tells of every
// address that it tried.
func oneLine(err error) string {
	var lines []string
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimSpace(line)
		if line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, " ")
}
