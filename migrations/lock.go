package migrations

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/tern/v2/migrate"

	"github.com/fanfarehq/fanfare/internal/wait"
)

// baseline is the number of the last migration of the first release. The migrations up to it create
// an empty schema, and need no rules for a schema that is in use. It increases until there is a
// release.
const baseline = 35

// A migration of a schema in use waits for a lock no longer than lockTimeout, since the statements
// of all others wait behind it meanwhile. It is tried again until lockPatience has passed.
const (
	lockTimeout  = 2 * time.Second
	lockPause    = time.Second
	lockPatience = time.Minute

	lockNotAvailable = "55P03" // SQLSTATE
)

// outsideTransaction is tern's comment in a migration that runs outside a transaction.
const outsideTransaction = "---- tern: disable-tx ----"

// boundLocks limits how long a migration after the baseline waits for a lock. One that runs outside
// a transaction builds indexes concurrently, which blocks no other statement while it waits.
func boundLocks(m *migrate.Migrator) {
	limit := fmt.Sprintf("SET LOCAL lock_timeout = %d;\n", lockTimeout.Milliseconds())
	for _, migration := range m.Migrations[min(baseline, len(m.Migrations)):] {
		if !strings.Contains(migration.UpSQL, outsideTransaction) {
			migration.UpSQL = limit + migration.UpSQL
		}
		if !strings.Contains(migration.DownSQL, outsideTransaction) {
			migration.DownSQL = limit + migration.DownSQL
		}
	}
}

// to applies or reverts migrations until the version. It repeats a migration that does not get a
// lock in time.
func to(ctx context.Context, m *migrate.Migrator, version int) error {
	for began := time.Now(); ; {
		err := m.MigrateTo(ctx, int32(version))
		failed, ok := errors.AsType[migrate.MigrationPgError](err)
		if !ok {
			return err
		}
		if failed.Code != lockNotAvailable || time.Since(began) >= lockPatience {
			return fmt.Errorf("migration %s: %w", failed.MigrationName, failed.PgError)
		}
		if err := wait.Sleep(ctx, lockPause); err != nil {
			return err
		}
	}
}

// lockInterval is the pause between attempts to lock the schema.
const lockInterval = 50 * time.Millisecond

// locked calls do while no other process changes the schema or its rights. It does not wait inside
// a statement, whose snapshot would delay the concurrent building of an index.
func locked(ctx context.Context, conn *pgx.Conn, do func() error) error {
	const key = "(hashtextextended('fanfare.schema', 0))"
	for got := false; ; {
		if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock"+key).Scan(&got); err != nil {
			return fmt.Errorf("lock the schema: %w", err)
		}
		if got {
			break
		}
		if err := wait.Sleep(ctx, lockInterval); err != nil {
			return fmt.Errorf("lock the schema: %w", err)
		}
	}
	err := do()
	if conn.IsClosed() {
		return err
	}
	var held bool
	unlockErr := conn.QueryRow(ctx, "SELECT pg_advisory_unlock"+key).Scan(&held)
	if unlockErr == nil && !held {
		unlockErr = errSessionChanged
	}
	return errors.Join(err, unlockErr)
}

// errSessionChanged reports that the statements of one connection ran in several sessions.
var errSessionChanged = errors.New("the lock of the schema was lost: another session answers on the same connection, " +
	"as behind a pooler in transaction mode; connect to PostgreSQL itself")
