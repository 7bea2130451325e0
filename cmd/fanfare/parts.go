package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/migrations"
)

// The names of the parts.
const (
	postgresName   = "postgres"
	centrifugoName = "centrifugo"
)

// postgresPart is a database that answers and that has the schema. A newer schema is none of a
// running daemon's concern.
func postgresPart(pool *pgxpool.Pool) part {
	return part{postgresName, func(ctx context.Context, first bool) []string {
		patience := 3 * time.Second
		if first {
			patience = 800 * time.Millisecond
		}
		bounded, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		status, err := readMigrations(bounded, pool)
		switch {
		case bounded.Err() != nil:
			return []string{
				fmt.Sprintf(
					"PostgreSQL does not answer within %s: start it, or correct --database-url (%s).",
					patience,
					oneLine(err),
				),
			}
		case err != nil:
			return []string{oneLine(explained(err)) + "."}
		case status.Current < status.Latest:
			return []string{
				fmt.Sprintf(
					"The database is at migration %d of %d: run fanfare migrate up.",
					status.Current,
					status.Latest,
				),
			}
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

// centrifugoPart is a server that takes our key and has the namespaces.
func centrifugoPart(client *centrifugo.Client, namespaces []string) part {
	return part{centrifugoName, func(ctx context.Context, _ bool) []string {
		var wrong []string
		for _, problem := range client.Check(ctx, namespaces...) {
			wrong = append(wrong, problem.Text)
		}
		return wrong
	}}
}
