package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/outbox"
)

func newOutboxCommand(p process) *cobra.Command {
	group := newGroup("outbox", "Show pending activities, replay dead letters",
		`Show pending, parked and failed activities, replay or discard dead letters, and park activities
that block others. These commands may be used while workers run.`)
	group.AddCommand(acrossCells(p, newOutboxStatusCommand), acrossCells(p, newOutboxDeadCommand),
		acrossCells(p, newOutboxReplayCommand), newOutboxDiscardCommand(p), newOutboxParkCommand(p))
	return group
}

// backlogCommand is the state that the commands of the outbox share.
type backlogCommand struct {
	pool    *pgxpool.Pool
	backlog *outbox.Backlog
	tenant  uuid.UUID // uuid.Nil selects every tenant
	asJSON  bool
}

// withBacklog makes command run with the backlog. It adds the flags --tenant and --json.
func withBacklog(
	p process, command *cobra.Command, run func(ctx context.Context, b backlogCommand) error,
) *cobra.Command {
	var b backlogCommand
	command.Flags().Var(&uuidValue{&b.tenant}, "tenant", "only activities of this tenant")
	command.Flags().BoolVar(&b.asJSON, "json", false, "print JSON")
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		b.pool, b.backlog = pool, outbox.NewBacklog(pool)
		return run(ctx, b)
	})
}

func newOutboxStatusCommand(p process) *cobra.Command {
	return withBacklog(p, &cobra.Command{
		Use:   "status",
		Short: "Show the number of pending, parked and dead activities",
	}, func(ctx context.Context, b backlogCommand) error {
		status, err := b.backlog.Status(ctx, b.tenant)
		if err != nil {
			return err
		}
		holders, err := b.backlog.Holders(ctx)
		if err != nil {
			return err
		}
		if b.asJSON {
			return writeJSON(p.stdout, struct {
				outbox.Status
				Holders []outbox.Holder `json:"holders,omitempty"`
			}{status, holders})
		}
		rows := statusRows(status, time.Now())
		for _, h := range holders {
			rows = append(rows, []string{"lanes held", strconv.Itoa(h.Lanes), h.String() + ": " + h.Remedy()})
		}
		return writeTable(p.stdout, rows)
	})
}

func statusRows(s outbox.Status, now time.Time) [][]string {
	oldest, failing := "", ""
	if s.OldestAt != nil {
		oldest = "the oldest was recorded " + age(now.Sub(*s.OldestAt)) + " ago"
	}
	if s.Parked > 0 {
		failing = fmt.Sprintf("%d failed, %d blocked by them", s.Failing, s.Parked-s.Failing)
	}
	count := func(n int64) string { return strconv.FormatInt(n, 10) }
	return [][]string{
		{"pending", count(s.Pending), oldest},
		{"parked", count(s.Parked), failing},
		{"fan-out jobs", count(s.FanOutJobs)},
		{"dead letters", count(s.DeadLetters)},
	}
}
