package outbox

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fanfarehq/fanfare/internal/pg"
)

// TenantMovingError reports that an activity was not recorded since its tenant is being moved to
// another database, or was. The transaction is aborted. The caller repeats it, with its change,
// after a moment, in the database to which the tenant belongs then.
type TenantMovingError struct{ err *pgconn.PgError }

// Error returns the server's message and hint.
func (e *TenantMovingError) Error() string { return e.err.Message + ": " + e.err.Hint }

// Unwrap returns the server's error.
func (e *TenantMovingError) Unwrap() error { return e.err }

// tenantMoving returns the error as a *TenantMovingError, or nil if it is another one.
func tenantMoving(err error) error {
	if server, ok := errors.AsType[*pgconn.PgError](err); ok && pg.IsFrozen(err) {
		return &TenantMovingError{server}
	}
	return nil
}
