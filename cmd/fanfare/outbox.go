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

// uuidValue is a flag's value.
type uuidValue struct{ id *uuid.UUID }

func (v *uuidValue) Type() string { return "uuid" }

func (v *uuidValue) String() string {
	if v.id == nil || *v.id == uuid.Nil {
		return ""
	}
	return v.id.String()
}

// Set does not take the nil UUID, which would mean every tenant.
func (v *uuidValue) Set(text string) error {
	id, err := readID(text)
	*v.id = id
	return err
}

// readID reads an id from the command line.
func readID(text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil || id == uuid.Nil {
		return uuid.Nil, &usageError{"must be a UUID such as 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f"}
	}
	return id, nil
}
