package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
)

func newOutboxReplayCommand(p process) *cobra.Command {
	all := false
	var activity uuid.UUID
	command := &cobra.Command{
		Use:   "replay <activity-id> | --all",
		Short: "Put dead letters back into the outbox",
		Long: `Puts one dead letter, or all of them, back into the outbox, behind what is there, once what was in the way is
mended. It is then delivered as if it were new: also to channels that it reached before, but nobody's inbox
gets a second row.`,
		Args: func(_ *cobra.Command, args []string) (err error) {
			switch {
			case all && len(args) == 0:
				return nil
			case all || len(args) != 1:
				return &usageError{"name one activity by its id, or say --all"}
			}
			activity, err = activityID(args)
			return err
		},
	}
	command.Flags().BoolVar(&all, "all", false, "every dead letter")
	return withBacklog(p, command, func(ctx context.Context, b backlogCommand) error {
		replayed, err := b.backlog.Replay(ctx, b.tenant, activity)
		if err != nil {
			return err
		}
		if b.asJSON {
			return writeJSON(p.stdout, map[string]int64{"replayed": replayed})
		}
		_, err = fmt.Fprintf(p.stdout, "Dead letters put back: %d\n", replayed)
		return err
	})
}

func newOutboxParkCommand(p process) *cobra.Command {
	var (
		wait     time.Duration
		reason   string
		activity uuid.UUID
	)
	command := &cobra.Command{
		Use:   "park <activity-id> --for 10m",
		Short: "Take a pending activity out of the way for a while",
		Long: `Takes a pending activity out of its lane until the time has passed, and with it the later ones of the same
resource, which stay in order behind it. Parking it again sets a new time.`,
		Args: func(_ *cobra.Command, args []string) (err error) {
			if len(args) != 1 {
				return &usageError{"name one activity by its id"}
			}
			activity, err = activityID(args)
			return err
		},
		PreRunE: func(*cobra.Command, []string) error {
			if wait <= 0 {
				return &usageError{"--for must say how long, such as 10m"}
			}
			return nil
		},
	}
	command.Flags().DurationVar(&wait, "for", 0, "how long")
	command.Flags().StringVar(&reason, "reason", "parked by an operator", "why, for those who look")
	return withBacklog(p, command, func(ctx context.Context, b backlogCommand) error {
		if err := b.backlog.Park(ctx, b.tenant, activity, wait, reason); err != nil {
			return err
		}
		until := time.Now().Add(wait).UTC().Truncate(time.Second)
		if b.asJSON {
			return writeJSON(p.stdout, map[string]any{"activity_id": activity, "until": until})
		}
		_, err := fmt.Fprintf(p.stdout, "Parked until %s\n", until.Format(time.RFC3339))
		return err
	})
}

func activityID(args []string) (uuid.UUID, error) {
	id, err := parseID(args[0])
	if err != nil {
		return uuid.Nil, &usageError{fmt.Sprintf("activity %q: %v", args[0], err)}
	}
	return id, nil
}
