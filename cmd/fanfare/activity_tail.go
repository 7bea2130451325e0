package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
)

func newActivityTailCommand(p process) *cobra.Command {
	var (
		selected       selection
		lines          = 10
		interval       = time.Second
		follow, asJSON bool
	)
	command := &cobra.Command{
		Use:   "tail --tenant ID [--follow]",
		Short: "Show the latest activities, and follow new ones",
		Long: `Show the latest activities, the oldest first. With --follow, also show new activities until
interrupted.

An activity is shown as soon as its transaction has committed, however long after it was recorded,
and so perhaps after later ones.`,
		Example: `  fanfare activity tail --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f --follow --severity error`,
	}
	selected.addFlags(command.Flags(), time.Now())
	command.Flags().IntVarP(&lines, "lines", "n", lines, "maximum number of existing activities, from 0 to 10000")
	command.Flags().BoolVarP(&follow, "follow", "f", false, "show new activities until interrupted")
	command.Flags().DurationVar(&interval, "interval", interval, "interval between polls, at least 10ms")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON Lines")
	return withLog(p, command, func() error {
		switch {
		case lines < 0 || lines > 10_000:
			return &usageError{fmt.Sprintf("--lines %d: must be from 0 to 10000", lines)}
		case interval < 10*time.Millisecond:
			return &usageError{fmt.Sprintf("--interval %s: must be at least 10ms", interval)}
		}
		return selected.validate()
	}, func(ctx context.Context, log *pglog.Log) error {
		var writeErr error
		write := func(a *activity.Activity) {
			if writeErr == nil {
				writeErr = writeLine(p.stdout, a, asJSON)
			}
		}
		tail, err := log.Tail(ctx, selected.tenant, selected.filter, lines, write)
		if err != nil || writeErr != nil || !follow {
			return errors.Join(err, writeErr)
		}
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil // an interruption is the expected end
			case <-ticker.C:
			}
			err := errors.Join(tail.Poll(ctx, write), writeErr)
			if err != nil && ctx.Err() == nil {
				return err
			}
		}
	})
}

func writeLine(w io.Writer, a *activity.Activity, asJSON bool) error {
	if asJSON {
		_, err := fmt.Fprintln(w, escapedJSON(string(jsonObject(a))))
		return err
	}
	_, err := fmt.Fprintf(w, "%s %-8s %s %s by %s%s\n",
		a.RecordedAt.UTC().Format("2006-01-02T15:04:05.000Z"), a.Severity, a.Action, resourceText(a),
		a.ActorPrincipalID, messageText(a))
	return err
}

func messageText(a *activity.Activity) string {
	text := ""
	if a.Status == activity.Failure {
		text += ": failed"
	}
	if a.Message != "" {
		text += ": " + printable(a.Message)
	}
	return text
}
