package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/notificationlog"
)

func newNotificationsTestCommand(p process) *cobra.Command {
	var (
		as     actingAs
		asJSON bool
	)
	command := &cobra.Command{
		Use:   "test --tenant ID --as ID",
		Short: "Send a principal a notification, to see one arrive",
		Long: `Send a principal a notification, to see one arrive.

Records notification.tested, which notifies the principal and no other one. The worker delivers it as
every notification: to the inbox, and to the channel of the principal.`,
		Example: `  fanfare notifications test --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f \
    --as 0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f`,
		PreRunE: func(*cobra.Command, []string) error { return as.validate() },
	}
	as.addFlags(command.Flags(), "id of the principal")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		id, err := notificationlog.Test(ctx, pool, as.Principal)
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(p.stdout, map[string]uuid.UUID{"activity_id": id})
		}
		_, err = fmt.Fprintf(p.stdout, "Recorded: %s\n", id)
		return err
	})
}
