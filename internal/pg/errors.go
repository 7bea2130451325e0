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
// other transactions are in the way, or time ran out. What the server says about the statement
// itself, a right or a constraint is not of the kind.
func Unavailable(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if server, ok := errors.AsType[*pgconn.PgError](err); ok {
		return len(server.Code) == 5 && unavailableClass(server.Code[:2])
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
