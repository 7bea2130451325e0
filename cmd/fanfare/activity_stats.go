package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/activity/pglog"
)

func newActivityStatsCommand(p process) *cobra.Command {
	var (
		selected  selection
		scanLimit = pglog.StatsBudget
		top       = 10
		asJSON    bool
	)
	now := time.Now()
	selected.filter.Since = now.AddDate(0, 0, -7)
	command := &cobra.Command{
		Use:   "stats --tenant ID",
		Short: "Count activities by action, actor, severity, status and day",
		Long: `Count the activities of the last seven days, or since another time, by action, actor, severity,
status and day (UTC).

At most --scan-limit activities are read, the newest first. The output shows whether there are more.`,
		Example: `  fanfare activity stats --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f --since 30d --top 20`,
	}
	selected.addFlags(command.Flags(), now)
	command.Flags().Lookup("since").DefValue = "7d"
	command.Flags().IntVar(&scanLimit, "scan-limit", scanLimit, "maximum number of activities that are read")
	command.Flags().IntVar(&top, "top", top, "maximum number of actions and of actors that are shown")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withLog(p, command, func() error {
		switch {
		case scanLimit < 1 || scanLimit > 100_000_000:
			return &usageError{fmt.Sprintf("--scan-limit %d: must be from 1 to 100000000", scanLimit)}
		case top < 1 || top > 1000:
			return &usageError{fmt.Sprintf("--top %d: must be from 1 to 1000", top)}
		}
		return selected.validate()
	}, func(ctx context.Context, log *pglog.Log) error {
		stats, err := log.Stats(ctx, selected.tenant, selected.filter, pglog.StatsOptions{Budget: scanLimit, Top: top})
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(p.stdout, stats)
		}
		return writeTable(p.stdout, statsRows(stats, scanLimit))
	})
}

func statsRows(stats pglog.Stats, scanLimit int) [][]string {
	rows := [][]string{{"activities", grouped(stats.Activities)}}
	if !stats.Complete {
		rows[0] = append(rows[0], fmt.Sprintf("among the newest %s, since %s; for older ones, increase --scan-limit",
			grouped(int64(scanLimit)), stats.Since.UTC().Format(time.RFC3339)))
	}
	for _, group := range []struct {
		heading string
		counts  []pglog.Frequency
	}{
		{"ACTION", stats.Actions},
		{"ACTOR", stats.Actors},
		{"SEVERITY", stats.Severities},
		{"STATUS", stats.Statuses},
		{"DAY", stats.Days},
	} {
		if len(group.counts) == 0 {
			continue
		}
		rows = append(rows, nil, []string{group.heading, "ACTIVITIES"})
		for _, c := range group.counts {
			rows = append(rows, []string{printable(c.Value), grouped(c.Activities)})
		}
	}
	return rows
}
