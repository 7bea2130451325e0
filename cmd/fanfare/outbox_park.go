package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
)

func newOutboxParkCommand(p process) *cobra.Command {
	var (
		delay    time.Duration
		reason   string
		activity uuid.UUID
	)
	command := &cobra.Command{
		Use:   "park <activity-id> --for DURATION",
		Short: "Delay the delivery of a pending activity",
		Long: `Park a pending activity: delay its delivery, so that it does not hold up its lane. Later activities
of the same resource are blocked until it is delivered, so that their order is kept. Parking an
activity again sets a new delay.`,
		Example: `  fanfare outbox park 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f --for 10m --reason "slow payload"`,
		Args:    idArgument("activity", &activity),
		PreRunE: func(*cobra.Command, []string) error {
			if delay <= 0 {
				return &usageError{"--for is required and must be positive, such as 10m"}
			}
			return nil
		},
	}
	command.Flags().DurationVar(&delay, "for", 0, "delay, such as 10m")
	command.Flags().StringVar(&reason, "reason", "parked by an operator", "reason, for other operators")
	return withBacklog(p, command, func(ctx context.Context, b backlogCommand) error {
		if err := b.backlog.Park(ctx, b.tenant, activity, delay, reason); err != nil {
			return err
		}
		until := time.Now().Add(delay).UTC().Truncate(time.Second)
		if b.asJSON {
			return writeJSON(p.stdout, map[string]any{"activity_id": activity, "until": until})
		}
		_, err := fmt.Fprintf(p.stdout, "Parked until %s\n", until.Format(time.RFC3339))
		return err
	})
}
