package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/retention"
)

func newRetentionHoldCommand(p process) *cobra.Command {
	group := newGroup("hold", "Place, release and list legal holds",
		`Place, release and list legal holds.

A legal hold exempts activities from retention: all activities of a tenant, those of one resource
(without the resources under it), or those of one actor.`)
	group.AddCommand(newHoldPlaceCommand(p), newHoldReleaseCommand(p), acrossCells(p, newHoldListCommand))
	return group
}

func newHoldPlaceCommand(p process) *cobra.Command {
	var resource, actor uuid.UUID
	hold := retention.Hold{CreatedBy: activity.System}
	command := &cobra.Command{
		Use:   "place --tenant ID [--resource ID | --actor ID] --reason TEXT",
		Short: "Place a legal hold",
		Long: `Place a legal hold. It takes effect when the command completes, also for a removal in progress. It is
recorded in the tenant's log as retention.hold_placed.`,
		Example: `  fanfare retention hold place --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f --reason "case 17"`,
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.Var(&uuidValue{&resource}, "resource", "hold only the activities of this resource")
	flags.Var(&uuidValue{&actor}, "actor", "hold only the activities of this actor")
	flags.StringVar(&hold.Reason, "reason", "", "reason, for other operators")
	flags.Var(&uuidValue{&hold.CreatedBy}, "by", "principal who places the hold; it is recorded")
	command.PreRunE = func(command *cobra.Command, _ []string) error {
		switch {
		case !command.Flags().Changed("tenant"):
			return &usageError{"--tenant is required"}
		case resource != uuid.Nil && actor != uuid.Nil:
			return &usageError{"--resource and --actor cannot be combined: place two holds"}
		case strings.TrimSpace(hold.Reason) == "":
			return &usageError{"--reason is required"}
		}
		return nil
	}
	return withRetention(p, command, "id of the tenant", func(ctx context.Context, r retentionCommand) error {
		hold.TenantID = r.tenant
		if resource != uuid.Nil {
			hold.ResourceID = &resource
		}
		if actor != uuid.Nil {
			hold.ActorPrincipalID = &actor
		}
		placed, err := retention.Place(ctx, r.pool, hold)
		if err != nil {
			return err
		}
		if r.asJSON {
			return writeJSON(p.stdout, placed)
		}
		_, err = fmt.Fprintf(p.stdout, "Hold placed: %s\n", placed.ID)
		return err
	})
}

func newHoldReleaseCommand(p process) *cobra.Command {
	var hold uuid.UUID
	by := activity.System
	command := &cobra.Command{
		Use:   "release <hold-id> --tenant ID",
		Short: "Release a legal hold",
		Long: `Release a legal hold. From the next removal on, its activities expire as others do. The release is
recorded in the tenant's log as retention.hold_released. 'fanfare retention hold list --all' also
shows released holds.`,
		Args: idArgument("hold", &hold),
		PreRunE: func(command *cobra.Command, _ []string) error {
			if !command.Flags().Changed("tenant") {
				return &usageError{"--tenant is required"}
			}
			return nil
		},
	}
	command.Flags().Var(&uuidValue{&by}, "by", "principal who releases the hold; it is recorded")
	return withRetention(p, command, "id of the tenant", func(ctx context.Context, r retentionCommand) error {
		released, err := retention.Release(ctx, r.pool, r.tenant, hold, by)
		if err != nil {
			return err
		}
		if r.asJSON {
			return writeJSON(p.stdout, released)
		}
		_, err = fmt.Fprintf(p.stdout, "Hold released: %s\n", released.ID)
		return err
	})
}

func newHoldListCommand(p process) *cobra.Command {
	var all bool
	command := &cobra.Command{
		Use:   "list",
		Short: "List legal holds, the oldest first",
	}
	command.Flags().BoolVar(&all, "all", false, "also list released holds")
	return withRetention(p, command, "only holds of this tenant", func(ctx context.Context, r retentionCommand) error {
		query := retention.HoldQuery{TenantID: r.tenant, Released: all, Limit: maxHolds}
		holds, err := retention.Holds(ctx, r.pool, query)
		if err != nil {
			return err
		}
		if r.asJSON {
			return writeJSON(p.stdout, holds)
		}
		if len(holds) == 0 {
			_, err := fmt.Fprintln(p.stdout, "No legal holds.")
			return err
		}
		return writeTable(p.stdout, holdRows(holds))
	})
}

// holdRows returns a table of holds. It has the column RELEASED only if a hold is released.
func holdRows(holds []retention.Hold) [][]string {
	released := slices.ContainsFunc(holds, func(h retention.Hold) bool { return h.ReleasedAt != nil })
	row := func(hold, tenant, selects, placed, releasedAt, reason string) []string {
		cells := []string{hold, tenant, selects, placed}
		if released {
			cells = append(cells, releasedAt)
		}
		return append(cells, reason)
	}
	rows := [][]string{row("HOLD", "TENANT", "ACTIVITIES", "PLACED", "RELEASED", "REASON")}
	for _, h := range holds {
		selects, releasedAt := "all", ""
		switch {
		case h.ResourceID != nil:
			selects = "resource " + h.ResourceID.String()
		case h.ActorPrincipalID != nil:
			selects = "actor " + h.ActorPrincipalID.String()
		}
		if h.ReleasedAt != nil {
			releasedAt = h.ReleasedAt.Format(time.RFC3339)
		}
		placedAt := h.CreatedAt.UTC().Format(time.RFC3339)
		rows = append(rows, row(h.ID.String(), h.TenantID.String(), selects, placedAt, releasedAt, h.Reason))
	}
	return rows
}
