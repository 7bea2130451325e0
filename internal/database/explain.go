package database

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Explain adds a remedy to the errors of a database that is not set up. It returns other errors,
// and those that have a remedy, as they are.
func Explain(err error) error {
	if _, ok := errors.AsType[remedied](err); ok {
		return err
	}
	if remedy := ConnectRemedy(err); remedy == start {
		return fmt.Errorf("PostgreSQL is unreachable: %w: %s", err, remedy)
	} else if remedy != "" {
		return fmt.Errorf("PostgreSQL cannot be used: %w: %s", err, remedy)
	}
	if postgres, ok := errors.AsType[*pgconn.PgError](err); ok && remedies[postgres.Code] != "" {
		return fmt.Errorf("%w: %s", err, remedies[postgres.Code])
	}
	return err
}

// remedied is an error that says itself what to do.
type remedied interface {
	error
	Remedy() string
}

// remedies are by SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html.
var remedies = map[string]string{
	"25006": primary,                                                     // read_only_sql_transaction
	"26000": pooler,                                                      // invalid_sql_statement_name
	"28000": "correct --database-url",                                    // invalid_authorization_specification
	"28P01": "correct --database-url",                                    // invalid_password
	"3D000": "create the database, or correct --database-url",            // invalid_catalog_name
	"3F000": missingSchema,                                               // invalid_schema_name
	"42501": privileges,                                                  // insufficient_privilege
	"42703": "correct the views of the directory",                        // undefined_column
	"42883": missingSchema,                                               // undefined_function
	"42P01": missingSchema,                                               // undefined_table
	"42P05": pooler,                                                      // duplicate_prepared_statement
	"55P03": "end the transaction that holds the lock, or try again",     // lock_not_available
	"53300": "increase max_connections, or run fewer workers or servers", // too_many_connections
}

const (
	missingSchema = "the database has no schema of Fanfare or an older one: run fanfare migrate up"
	privileges    = "grant the privileges that fanfare doctor prints; fanfare migrate repair mends those of the schema"
	primary       = "point --database-url to the primary server, or set default_transaction_read_only to off"
	pooler        = "behind PgBouncer, add default_query_exec_mode=exec to --database-url"
)

// OneLine returns an error's text in one line, with repeated lines removed: pgx reports the error
// of every address that it tried.
func OneLine(err error) string {
	var lines []string
	for line := range strings.Lines(err.Error()) {
		line = strings.TrimSpace(line)
		if line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, " ")
}
