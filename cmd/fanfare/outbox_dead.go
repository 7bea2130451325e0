package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/outbox"
)

func newOutboxDeadCommand(p process) *cobra.Command {
	limit := 50
	command := &cobra.Command{
		Use:   "dead",
		Short: "List dead letters with their errors, the latest first",
		PreRunE: func(*cobra.Command, []string) error {
			if limit < 1 {
				return &usageError{fmt.Sprintf("--limit %d: must be at least 1", limit)}
			}
			return nil
		},
	}
	command.Flags().IntVar(&limit, "limit", limit, "maximum number of dead letters")
	return withBacklog(p, command, func(ctx context.Context, b backlogCommand) error {
		letters, err := b.backlog.DeadLetters(ctx, b.tenant, outbox.DeadQuery{Limit: limit})
		if err != nil {
			return err
		}
		if b.asJSON {
			return writeJSON(p.stdout, letters)
		}
		if len(letters) == 0 {
			_, err := fmt.Fprintln(p.stdout, "No dead letters.")
			return err
		}
		rows := [][]string{{"ACTIVITY", "TENANT", "ACTION", "DIED", "ATTEMPTS", "ERROR"}}
		for _, l := range letters {
			rows = append(rows, []string{
				l.ActivityID.String(), l.TenantID.String(), l.Action, l.DiedAt.UTC().Format(time.RFC3339),
				strconv.Itoa(l.Attempts), l.Error,
			})
		}
		return writeTable(p.stdout, rows)
	})
}

func newOutboxReplayCommand(p process) *cobra.Command {
	all := false
	var activity uuid.UUID
	command := &cobra.Command{
		Use:   "replay <activity-id> | --all",
		Short: "Return dead letters to the outbox",
		Long: `Return one dead letter, or all of them, to the end of the outbox. Run this after you have corrected
the cause of the errors.

A replayed activity is delivered after activities that were recorded later. It is published only to
the channels that it did not reach, and no inbox gets a second notification.`,
		Example: `  fanfare outbox replay 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f
  fanfare outbox replay --all`,
		Args: func(command *cobra.Command, args []string) error {
			switch {
			case all && len(args) == 0:
				return nil
			case all || len(args) == 0:
				return &usageError{"either the id of an activity or --all is required"}
			}
			return idArgument("activity", &activity)(command, args)
		},
	}
	command.Flags().BoolVar(&all, "all", false, "replay every dead letter")
	return withBacklog(p, command, func(ctx context.Context, b backlogCommand) error {
		replayed, err := b.backlog.Replay(ctx, b.tenant, activity)
		if err != nil {
			return err
		}
		if b.asJSON {
			return writeJSON(p.stdout, map[string]int64{"replayed": replayed})
		}
		_, err = fmt.Fprintf(p.stdout, "Replayed dead letters: %d\n", replayed)
		return err
	})
}
