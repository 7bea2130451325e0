package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/outbox"
)

func newOutboxStatusCommand(p process) *cobra.Command {
	return withBacklog(p, &cobra.Command{
		Use:   "status",
		Short: "Count what is pending and what could not be delivered",
	}, func(ctx context.Context, b backlogCommand) error {
		status, err := b.backlog.Status(ctx, b.tenant)
		if err != nil {
			return err
		}
		if b.asJSON {
			return writeJSON(p.stdout, status)
		}
		return writeTable(p.stdout, statusRows(status, time.Now()))
	})
}

func statusRows(s outbox.Status, now time.Time) [][]string {
	oldest, failing := "", ""
	if s.OldestAt != nil {
		oldest = "the oldest for " + age(now.Sub(*s.OldestAt))
	}
	if s.Parked > 0 {
		failing = fmt.Sprintf("%d failed, %d behind them", s.Failing, s.Parked-s.Failing)
	}
	count := func(n int64) string { return strconv.FormatInt(n, 10) }
	return [][]string{
		{"pending", count(s.Pending), oldest},
		{"parked", count(s.Parked), failing},
		{"broadcasts", count(s.FanOutJobs)},
		{"dead letters", count(s.DeadLetters)},
	}
}

// age is a duration as precise as a person wants it.
func age(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

func newOutboxDeadCommand(p process) *cobra.Command {
	limit := 50
	command := &cobra.Command{
		Use:   "dead",
		Short: "List the dead letters, the latest first",
		PreRunE: func(*cobra.Command, []string) error {
			if limit < 1 {
				return &usageError{"--limit must be at least 1"}
			}
			return nil
		},
	}
	command.Flags().IntVar(&limit, "limit", limit, "at most so many")
	return withBacklog(p, command, func(ctx context.Context, b backlogCommand) error {
		letters, err := b.backlog.DeadLetters(ctx, b.tenant, limit)
		if err != nil {
			return err
		}
		if b.asJSON {
			return writeJSON(p.stdout, letters)
		}
		if len(letters) == 0 {
			_, err := fmt.Fprintln(p.stdout, "There are no dead letters.")
			return err
		}
		rows := [][]string{{"ACTIVITY", "TENANT", "ACTION", "DIED", "TRIES", "ERROR"}}
		for _, l := range letters {
			rows = append(rows, []string{
				l.ActivityID.String(), l.TenantID.String(), l.Action, l.DiedAt.UTC().Format(time.RFC3339), strconv.Itoa(l.Attempts), l.Error,
			})
		}
		return writeTable(p.stdout, rows)
	})
}
