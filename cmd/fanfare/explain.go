package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// explained adds what to do to the errors of a database that an operator meets first.
func explained(err error) error {
	var refused *pgconn.PgError
	var unreachable *pgconn.ConnectError
	switch {
	case errors.As(err, &refused):
		if advice := adviceOn[refused.Code]; advice != "" {
			return fmt.Errorf("%w: %s", err, advice)
		}
	case errors.As(err, &unreachable):
		return fmt.Errorf("PostgreSQL cannot be reached: %w: start it, or correct --database-url", err)
	}
	return err
}

// adviceOn is by SQLSTATE, https://www.postgresql.org/docs/current/errcodes-appendix.html.
var adviceOn = map[string]string{
	"28000": "correct --database-url",                          // invalid_authorization_specification
	"28P01": "correct --database-url",                          // invalid_password
	"3D000": "create the database, or correct --database-url",  // invalid_catalog_name
	"3F000": "is the schema there? See fanfare migrate status", // invalid_schema_name
	"42P01": "is the schema there? See fanfare migrate status", // undefined_table
	"42883": "is the schema there? See fanfare migrate status", // undefined_function
	"53300": "raise max_connections, or run fewer workers",     // too_many_connections
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
