package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/activity/taxonomy"
	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/preferences"
)

// maxExplanations limits the candidates that are explained.
const maxExplanations = 1000

func newActivityExplainCommand(p process) *cobra.Command {
	var (
		selected selection
		id       uuid.UUID
		asJSON   bool
	)
	command := &cobra.Command{
		Use:   "explain [activity-id] --tenant ID",
		Short: "Explain who is notified of an activity, and who is not",
		Long: `Explain for each subscriber, owner, delegator and target of an activity whether a delivery at this
moment would notify them, and why not. Without an id, explain the newest activity of the tenant.
No other principal is notified.

The setting --mutations must be that of the workers. The role needs the privileges of a worker.`,
		Example: `  fanfare activity explain --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f`,
		Args: func(_ *cobra.Command, args []string) (err error) {
			switch len(args) {
			case 0:
				return nil
			case 1:
				if id, err = uuid.Parse(args[0]); err != nil {
					return &usageError{fmt.Sprintf("%q is not the id of an activity", args[0])}
				}
				return nil
			default:
				return &usageError{"at most one argument is accepted: the id of an activity"}
			}
		},
		PreRunE: func(*cobra.Command, []string) error { return selected.validate() },
	}
	selected.addTenantFlag(command.Flags())
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withConfig(p, command, config.Explain(), func(ctx context.Context, c *config.Config) error {
		return usePool(ctx, c, func(pool *pgxpool.Pool) error {
			a, err := oneActivity(ctx, pglog.New(pool), selected, id)
			if err != nil {
				return err
			}
			explanations, err := explain(ctx, pool, c, &a)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(p.stdout, explanations)
			}
			return writeExplanations(p, &a, explanations)
		})
	})
}

// oneActivity returns the activity with an id, or the newest one.
func oneActivity(ctx context.Context, log *pglog.Log, s selection, id uuid.UUID) (activity.Activity, error) {
	if id != uuid.Nil {
		a, err := log.Get(ctx, s.tenant, id)
		if err != nil {
			return activity.Activity{}, fmt.Errorf("activity %s: %w", id, err)
		}
		return a, nil
	}
	found, _, err := newest(ctx, log, s, 1, uuid.Nil)
	if err != nil {
		return activity.Activity{}, err
	}
	if len(found) == 0 {
		return activity.Activity{}, errors.New("the tenant has no activities")
	}
	return found[0], nil
}

func explain(
	ctx context.Context,
	pool *pgxpool.Pool,
	c *config.Config,
	a *activity.Activity,
) (explanations []fanout.Explanation, err error) {
	applied, err := taxonomy.Load(ctx, pool)
	if err != nil {
		return nil, err
	}
	filter := preferences.NewFilter(c.Mutations)
	filter.SetNotify(taxonomy.NotifyByAction(applied.Actions()))
	err = pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) (err error) {
		explanations, err = fanout.Explain(ctx, tx, a, filter, maxExplanations)
		return err
	})
	return explanations, err
}

func writeExplanations(p process, a *activity.Activity, explanations []fanout.Explanation) error {
	_, err := fmt.Fprintf(p.stdout, "%s %s, %s, visible to: %s\n", a.ID, a.Action, resourceText(a), a.Visibility)
	if err != nil {
		return err
	}
	if len(explanations) == 0 {
		_, err := fmt.Fprintln(p.stdout,
			"No principal is concerned: the resource has no subscriber, owner, delegator or target.")
		return err
	}
	rows := [][]string{{"PRINCIPAL", "REASONS", "NOTIFIED", "WHY"}}
	for _, e := range explanations {
		notified := "no"
		if e.Notified {
			notified = "yes"
		}
		rows = append(rows, []string{
			e.PrincipalID.String(), strings.Join(e.Reasons, ","), notified, printable(e.Why),
		})
	}
	return writeTable(p.stdout, rows)
}
