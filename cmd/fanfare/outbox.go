package main

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/outbox"
)

func newOutboxCommand(p process) *cobra.Command {
	group := newGroup("outbox", "See what is pending, and deal with what could not be delivered",
		`Shows what is pending and what could not be delivered, puts dead letters back, and takes an activity out of the
way for a while. Workers may run meanwhile.`)
	group.AddCommand(
		newOutboxStatusCommand(p),
		newOutboxDeadCommand(p),
		newOutboxReplayCommand(p),
		newOutboxParkCommand(p),
	)
	return group
}

// backlogCommand is what the outbox's commands share.
type backlogCommand struct {
	backlog *outbox.Backlog
	tenant  uuid.UUID // uuid.Nil means every tenant
	asJSON  bool
}

// withBacklog makes a command of command and what it does.
func withBacklog(
	p process,
	command *cobra.Command,
	do func(ctx context.Context, b backlogCommand) error,
) *cobra.Command {
	var b backlogCommand
	command.Flags().Var(&uuidValue{&b.tenant}, "tenant", "only this tenant's")
	command.Flags().BoolVar(&b.asJSON, "json", false, "as JSON")
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		b.backlog = outbox.NewBacklog(pool)
		return do(ctx, b)
	})
}
