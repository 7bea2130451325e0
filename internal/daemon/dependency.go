package daemon

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/database"
	"github.com/fanfarehq/fanfare/migrations"
)

// The names of the dependencies.
const (
	postgresName   = "postgres"
	centrifugoName = "centrifugo"
)

// Timeouts of checks of PostgreSQL.
const (
	firstPostgresTimeout = 800 * time.Millisecond // an operator watches the start
	postgresTimeout      = 3 * time.Second
)

// postgresDependency checks that the database responds and that its schema is not older than this
// program's. A newer schema is compatible.
func postgresDependency(pool *pgxpool.Pool) dependency {
	return dependency{postgresName, func(ctx context.Context, first bool) []string {
		timeout := postgresTimeout
		if first {
			timeout = firstPostgresTimeout
		}
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		status, err := readMigrations(ctx, pool)
		switch {
		case ctx.Err() != nil:
			return []string{fmt.Sprintf(
				"PostgreSQL does not respond within %s: start PostgreSQL, or correct --database-url (%s).",
				timeout, database.OneLine(err))}
		case err != nil:
			return []string{database.OneLine(database.Explain(err)) + "."}
		case status.Current < status.Latest:
			return []string{fmt.Sprintf(
				"The database is at migration %d of %d: run fanfare migrate up.", status.Current, status.Latest)}
		}
		return nil
	}}
}

func readMigrations(ctx context.Context, pool *pgxpool.Pool) (migrations.Status, error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return migrations.Status{}, err
	}
	defer conn.Release()
	return migrations.Read(ctx, conn.Conn())
}

// centrifugoDependency checks that Centrifugo accepts the API key and has the namespaces.
func centrifugoDependency(client *centrifugo.Client, namespaces []string) dependency {
	return dependency{centrifugoName, func(ctx context.Context, _ bool) []string {
		var problems []string
		for _, problem := range client.Check(ctx, namespaces...) {
			problems = append(problems, problem.String())
		}
		return problems
	}}
}
