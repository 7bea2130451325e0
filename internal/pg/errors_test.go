package pg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func TestUnavailable(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{
		"08006": true,  // connection_failure
		"25006": true,  // read_only_sql_transaction
		"40001": true,  // serialization_failure
		"53300": true,  // too_many_connections
		"55P03": true,  // lock_not_available
		"57P01": true,  // admin_shutdown
		"58030": true,  // io_error
		"22003": false, // numeric_value_out_of_range
		"23505": false, // unique_violation
		"28P01": false, // invalid_password
		"42501": false, // insufficient_privilege
		"42P01": false, // undefined_table
		"XX000": false, // internal_error
		"FF003": false, // of Fanfare's own
		"FF005": true,  // a tenant that is being moved
		"":      false,
		"5":     false,
	} {
		if got := Unavailable(fmt.Errorf("read: %w", &pgconn.PgError{Code: code})); got != want {
			t.Errorf("SQLSTATE %q: got %v, want %v", code, got, want)
		}
	}
	for name, tc := range map[string]struct {
		err  error
		want bool
	}{
		"connection refused":  {&pgconn.ConnectError{}, true},
		"connection reset":    {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, true},
		"connection lost":     {io.ErrUnexpectedEOF, true},
		"connection closed":   {net.ErrClosed, true},
		"time ran out":        {context.DeadlineExceeded, true},
		"cancelled":           {context.Canceled, true},
		"no rows":             {pgx.ErrNoRows, false},
		"transaction closed":  {pgx.ErrTxClosed, false},
		"an error of another": {errors.New("template: bad character"), false},
		"none":                {nil, false},
	} {
		if got := Unavailable(tc.err); got != tc.want {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
}

func TestContended(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{
		"57014": true, "55P03": true, "40P01": true, "40001": true,
		"57P01": false, "53300": false, "23505": false,
	} {
		err := fmt.Errorf("step: %w", &pgconn.PgError{Code: code})
		if got := Contended(err); got != want {
			t.Errorf("SQLSTATE %s: got %v, want %v", code, got, want)
		}
		if Contended(err) && !Unavailable(err) {
			t.Errorf("SQLSTATE %s: contended but not unavailable, want every contended error to be both", code)
		}
	}
	if Contended(context.DeadlineExceeded) || Contended(nil) {
		t.Error("got contended without an error of the server")
	}
}
