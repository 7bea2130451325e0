package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/migrations"
	"github.com/fanfarehq/fanfare/outbox"
)

// checkWorkersBeforeUp fails if live workers do not work once the pending migrations are applied.
func checkWorkersBeforeUp(ctx context.Context, conn *pgx.Conn, force bool) error {
	status, err := migrations.Read(ctx, conn)
	if err != nil || force {
		return err
	}
	oldest := status.AfterUp()
	stopping, err := workersOlderThan(ctx, conn, oldest)
	if err != nil || len(stopping) == 0 {
		return err
	}
	return fmt.Errorf("live workers do not work with the pending migrations: %s: replace all programs by those from "+
		"migration %d on first, or stop them; --force migrates all the same, and they stop",
		describePrograms(stopping), oldest)
}

// checkWorkersBeforeDown fails if live workers need a migration after the given one.
func checkWorkersBeforeDown(ctx context.Context, conn *pgx.Conn, to int, force bool) error {
	if force {
		return nil
	}
	needing, err := selectWorkers(ctx, conn, func(p outbox.Program) bool { return p.SchemaNeeded > to })
	if err != nil || len(needing) == 0 {
		return err
	}
	return fmt.Errorf("live workers need the migrations after %d: %s: replace all programs by those of the version "+
		"before first, or stop them; --force reverts all the same, and they stop", to, describePrograms(needing))
}

// workersOlderThan returns the live workers without the migration.
func workersOlderThan(ctx context.Context, conn *pgx.Conn, migration int) ([]outbox.Program, error) {
	return selectWorkers(ctx, conn, func(p outbox.Program) bool { return p.SchemaVersion < migration })
}

// selectWorkers returns the live workers that a condition holds for, without those whose programs
// state no migration.
func selectWorkers(
	ctx context.Context, conn *pgx.Conn, condition func(outbox.Program) bool,
) (selected []outbox.Program, err error) {
	programs, err := outbox.Programs(ctx, conn)
	for _, program := range programs {
		if program.SchemaVersion > 0 && condition(program) {
			selected = append(selected, program)
		}
	}
	return selected, err
}

// describePrograms lists the programs of workers, the first ones of many.
func describePrograms(programs []outbox.Program) string {
	const shown = 5
	var texts []string
	for _, p := range programs[:min(len(programs), shown)] {
		texts = append(texts, printable(fmt.Sprintf("%s (%s, migration %d)", p.Name, p.Version, p.SchemaVersion)))
	}
	text := strings.Join(texts, ", ")
	if more := len(programs) - shown; more > 0 {
		text += fmt.Sprintf(" and %d others", more)
	}
	return text
}
