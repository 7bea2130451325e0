package pg

import (
	"context"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
)

// Unavailable reports whether err means that PostgreSQL cannot serve the statement now and may
// serve it later, unchanged: the server is unreachable, shuts down, fails over or lacks resources,
// other transactions are in the way, the tenant is being moved, or time ran out. What the server
// says about the statement itself, a right or a constraint is not of the kind.
func Unavailable(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if server, ok := errors.AsType[*pgconn.PgError](err); ok {
		return len(server.Code) == 5 && unavailableClass(server.Code[:2]) || server.Code == frozenState
	}
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		pgconn.SafeToRetry(err)
}

// unavailableClass reports whether a class of SQLSTATE
// (https://www.postgresql.org/docs/current/errcodes-appendix.html) is one that passes.
func unavailableClass(class string) bool {
	switch class {
	case "08", // connection exception
		"25", // invalid transaction state: read-only on a standby, a transaction that timed out
		"40", // transaction rollback: serialization, deadlock
		"53", // insufficient resources: connections, memory, disk
		"55", // object not in prerequisite state: locks
		"57", // operator intervention: shutdown, cancellation, timeouts
		"58": // system error: I/O
		return true
	}
	return false
}

// frozenState is the SQLSTATE of Fanfare's error for a change of a tenant that is being moved to
// another database, or was.
const frozenState = "FF005"

// IsFrozen reports whether a statement failed because its tenant is being moved to another
// database, or was. It may succeed when it is repeated in the database to which the tenant belongs
// then.
func IsFrozen(err error) bool {
	server, ok := errors.AsType[*pgconn.PgError](err)
	return ok && server.Code == frozenState
}

// IsServerError reports whether err is an answer of the server.
func IsServerError(err error) bool {
	_, ok := errors.AsType[*pgconn.PgError](err)
	return ok
}

// IsReadOnly reports whether a statement failed because it writes and the session may only read, as
// on a standby.
func IsReadOnly(err error) bool {
	server, ok := errors.AsType[*pgconn.PgError](err)
	return ok && server.Code == "25006"
}

// Contended reports whether a transaction was undone because of others or because of its size: a
// timeout of a statement or a lock, a deadlock, or a serialization failure. It may succeed when it
// is repeated with less work.
func Contended(err error) bool {
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	switch server.Code {
	case "57014", // query_canceled
		"55P03", // lock_not_available
		"40P01", // deadlock_detected
		"40001": // serialization_failure
		return true
	}
	return false
}

// Reason groups errors of the server by what has to change before the statement succeeds.
type Reason int

// The reasons.
const (
	Other         Reason = iota // the statement, its data, or what passes by itself
	Configuration               // rights, the schema, or a view of the directory
	ReadOnly                    // the server is a standby, or its transactions are read-only
	Pooler                      // a pooler mixes up the prepared statements of its clients
)

// ReasonOf returns the reason of an error.
func ReasonOf(err error) Reason {
	server, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || len(server.Code) != 5 {
		return Other
	}
	switch server.Code {
	case "25006": // read_only_sql_transaction
		return ReadOnly
	case "26000", "42P05": // invalid_sql_statement_name, duplicate_prepared_statement
		return Pooler
	}
	switch server.Code[:2] {
	case "0A", // feature not supported: the type of a view's column has changed
		"28", // invalid authorization
		"3D", // invalid catalog name
		"3F", // invalid schema name
		"42": // syntax error or access rule violation
		return Configuration
	}
	return Other
}
