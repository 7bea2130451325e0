package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/outbox"
)

func newOutboxDeadCommand(p process) *cobra.Command {
	limit, groups := 50, false
	var filter deadFilter
	command := &cobra.Command{
		Use:   "dead",
		Short: "List dead letters with their errors, the latest first",
		Long: `List dead letters with their errors, the latest first. With --groups, count them by action and
error: errors that differ in ids and numbers alone are of one kind.`,
		Example: `  fanfare outbox dead --error namespace --action 'chat.*'
  fanfare outbox dead --groups`,
		PreRunE: func(*cobra.Command, []string) error {
			if limit < 1 {
				return &usageError{fmt.Sprintf("--limit %d: must be at least 1", limit)}
			}
			return usageErrorOf(filter.Validate())
		},
	}
	filter.addFlags(command.Flags(), time.Now())
	command.Flags().IntVar(&limit, "limit", limit, "maximum number of dead letters")
	command.Flags().BoolVar(&groups, "groups", false, "count them by action and error")
	return withBacklog(p, command, func(ctx context.Context, b backlogCommand) error {
		if groups {
			return writeDeadGroups(ctx, p, b, filter.DeadFilter)
		}
		query := outbox.DeadQuery{DeadFilter: filter.DeadFilter, Limit: limit}
		letters, err := b.backlog.DeadLetters(ctx, b.tenant, query)
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

func writeDeadGroups(ctx context.Context, p process, b backlogCommand, f outbox.DeadFilter) error {
	groups, exact, err := b.backlog.DeadGroups(ctx, b.tenant, f)
	if err != nil {
		return err
	}
	if b.asJSON {
		return writeJSON(p.stdout, struct {
			Groups []outbox.DeadGroup `json:"groups"`
			Exact  bool               `json:"exact"`
		}{groups, exact})
	}
	if len(groups) == 0 {
		_, err := fmt.Fprintln(p.stdout, "No dead letters.")
		return err
	}
	rows := [][]string{{"COUNT", "ACTION", "NEWEST", "ERROR"}}
	for _, g := range groups {
		rows = append(rows, []string{
			strconv.FormatInt(g.Count, 10), g.Action, g.NewestAt.UTC().Format(time.RFC3339), g.ErrorKind,
		})
	}
	if err := writeTable(p.stdout, rows); err != nil {
		return err
	}
	if !exact {
		_, err = fmt.Fprintln(p.stderr, "There are more: these are the largest 200 groups of the newest 50,000.")
	}
	return err
}
