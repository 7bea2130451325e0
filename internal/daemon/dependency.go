package daemon

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/zap"

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

// postgresDependency checks that the database responds, that it accepts writes, and that this
// program works with its schema. It reports the state to schema, and logs a version of the schema
// that is not the program's, but compatible.
func postgresDependency(pool *pgxpool.Pool, schema *schemaGate, log *zap.Logger) dependency {
	logged := 0
	return dependency{postgresName, func(ctx context.Context, first bool) []string {
		timeout := postgresTimeout
		if first {
			timeout = firstPostgresTimeout
		}
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		status, readOnly, err := readState(ctx, pool)
		schema.report(status, err)
		switch {
		case err != nil && ctx.Err() != nil:
			return []string{fmt.Sprintf(
				"PostgreSQL does not respond within %s: start PostgreSQL, or correct --database-url (%s).",
				timeout, database.OneLine(err))}
		case err != nil:
			return []string{database.OneLine(database.Explain(err)) + "."}
		case readOnly:
			return []string{"The database is read-only: point --database-url to the primary server, " +
				"or set default_transaction_read_only to off."}
		}
		if problem, ok := errors.AsType[*migrations.IncompatibleError](status.Compatible()); ok {
			return []string{sentence(problem)}
		}
		if status.Current != status.Latest && status.Current != logged {
			log.Info("the schema has another version than this program, which works with it",
				zap.Int("schema", status.Current), zap.Int("program", status.Latest))
		}
		logged = status.Current
		return nil
	}}
}

// sentence returns an error as a sentence.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

// readState reads the state of the schema, and whether transactions are read-only, as they are on a
// standby.
func readState(ctx context.Context, pool *pgxpool.Pool) (status migrations.Status, readOnly bool, err error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return migrations.Status{}, false, err
	}
	defer conn.Release()
	err = conn.QueryRow(ctx, `SELECT current_setting('transaction_read_only')::boolean`).Scan(&readOnly)
	if err != nil {
		return migrations.Status{}, false, err
	}
	status, err = migrations.Read(ctx, conn.Conn())
	return status, readOnly, err
}

// centrifugoDependency checks that Centrifugo accepts the API key and has the namespaces. It logs
// the way of publications at first, and when it changes.
func centrifugoDependency(client *centrifugo.Client, namespaces []string, log *zap.Logger) dependency {
	var logged centrifugo.Route
	return dependency{centrifugoName, func(ctx context.Context, _ bool) []string {
		var problems []string
		for _, problem := range client.Check(ctx, namespaces...) {
			problems = append(problems, problem.String())
		}
		route := client.Route()
		if route.Protocol != logged.Protocol || route.Address != logged.Address {
			logRoute(log, route)
			logged = route
		}
		return problems
	}}
}

func logRoute(log *zap.Logger, route centrifugo.Route) {
	fields := []zap.Field{zap.String("protocol", route.Protocol), zap.String("address", route.Address)}
	if route.Avoided != nil {
		log.Warn("publications go by HTTP, which costs more than gRPC", append(fields, zap.Error(route.Avoided))...)
		return
	}
	log.Info("publications go to Centrifugo", fields...)
}
