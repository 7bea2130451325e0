package database

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Pooling describes what is between Fanfare and the server.
type Pooling struct {
	// Transactions means that each transaction of a connection may run in another session of the
	// server: a pooler in transaction mode. Locks, settings and prepared statements of a session
	// are then lost, or another client's.
	Transactions bool
	// Statements means that the pooler keeps track of the prepared statements of its clients, as
	// PgBouncer does from 1.21 on. It is true if there is no pooler.
	Statements bool
}

// DetectPooling finds out what is between Fanfare and the server of a configuration. It opens one
// connection, and a second one if a pooler answers. It may take a pooler in transaction mode that
// is very busy for one in session mode.
func DetectPooling(ctx context.Context, config *pgx.ConnConfig) (Pooling, error) {
	var two probes
	defer two.close(ctx)
	for i := range two {
		each := config.Copy()
		each.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
		conn, err := pgx.ConnectConfig(ctx, each)
		if err != nil {
			return Pooling{}, err
		}
		two[i] = conn
		// A pooler answers with a process id of its own, from which it can tell its clients apart.
		if pid, err := backend(ctx, conn); err != nil || i == 0 && pid == conn.PgConn().PID() {
			return Pooling{Statements: true}, err
		}
	}
	shared, err := two.shareSessions(ctx)
	if err != nil || !shared {
		return Pooling{Statements: true}, err
	}
	mixed, err := two.mixStatements(ctx)
	return Pooling{Transactions: true, Statements: !mixed}, err
}

// probes are two connections through a pooler.
type probes [2]*pgx.Conn

func (p *probes) close(ctx context.Context) {
	for _, conn := range p {
		if conn != nil {
			_ = conn.Close(context.WithoutCancel(ctx))
		}
	}
}

// attempts is how often the probes look for something that a pooler does most of the time.
const attempts = 5

// shareSessions reports whether both connections have been served by one session, or one of them by
// several. Neither happens while a client keeps its session.
func (p *probes) shareSessions(ctx context.Context) (bool, error) {
	servedBy := map[uint32]int{} // by the process id of a session, which connection it served
	var sessions [2]uint32
	for range attempts {
		for i, conn := range p {
			pid, err := backend(ctx, conn)
			if err != nil {
				return false, err
			}
			if other, known := servedBy[pid]; known && other != i || sessions[i] != 0 && sessions[i] != pid {
				return true, nil
			}
			servedBy[pid], sessions[i] = i, pid
		}
	}
	return false, nil
}

// mixStatements reports whether a connection finds a prepared statement of the other one by the
// name that the other one gave it.
func (p *probes) mixStatements(ctx context.Context) (bool, error) {
	name := "fanfare_probe_" + strings.ToLower(rand.Text())
	if _, err := p[0].PgConn().Prepare(ctx, name, "SELECT 1", nil); err != nil {
		return false, fmt.Errorf("prepare a statement: %w", err)
	}
	for range attempts {
		for _, conn := range p {
			var found bool
			err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_prepared_statements WHERE name = $1)`, name).
				Scan(&found)
			if err != nil {
				return false, fmt.Errorf("look for a prepared statement: %w", err)
			}
			if found {
				_, _ = conn.Exec(ctx, "DEALLOCATE "+name)
				return true, nil
			}
		}
	}
	return false, nil
}

func backend(ctx context.Context, conn *pgx.Conn) (pid uint32, err error) {
	err = conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid)
	return pid, err
}

// errTransactionPooler reports that a command needs a session of its own.
var errTransactionPooler = errors.New("the connection leads through a pooler in transaction mode, which gives each " +
	"transaction another session: this command needs one session, for its locks and settings. Connect to PostgreSQL " +
	"itself, or to the pooler in session mode")

// RequireSession fails if a connection leads through a pooler in transaction mode.
func RequireSession(ctx context.Context, conn *pgx.Conn) error {
	var pid uint32
	err := conn.QueryRow(ctx, "SELECT pg_backend_pid()", pgx.QueryExecModeSimpleProtocol).Scan(&pid)
	if err != nil || pid == conn.PgConn().PID() {
		return err
	}
	pooling, err := DetectPooling(ctx, conn.Config())
	if err == nil && pooling.Transactions {
		err = errTransactionPooler
	}
	return err
}
