package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
)

func newActivityTailCommand(p process) *cobra.Command {
	var (
		which          whichActivities
		lines          = 10
		every          = time.Second
		follow, asJSON bool
	)
	command := &cobra.Command{
		Use:   "tail --tenant ID [--follow]",
		Short: "Show the latest activities, and those that come",
		Long: `Shows the latest activities, the oldest of them first, and with --follow each one that comes until it is stopped.
Those whose transaction took its time come late; those whose transaction took more than a minute longer than that of a
later one do not come: list and export have them.`,
	}
	which.addFlags(command.Flags(), time.Now())
	command.Flags().IntVarP(&lines, "lines", "n", lines, "so many of those that are there")
	command.Flags().BoolVarP(&follow, "follow", "f", false, "go on with those that come")
	command.Flags().DurationVar(&every, "every", every, "the pause between looks")
	command.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return withLog(p, command, func() error {
		switch {
		case lines < 0 || lines > 10_000:
			return &usageError{"--lines must be 0 to 10000"}
		case every < 10*time.Millisecond:
			return &usageError{"--every must be at least 10ms"}
		}
		return which.validate()
	}, func(ctx context.Context, log *pglog.Log) error {
		var broken error
		show := func(a *activity.Activity) {
			if broken == nil {
				broken = writeLine(p, a, asJSON)
			}
		}
		tail, err := log.Tail(ctx, which.tenant, which.filter, lines, show)
		if err != nil || broken != nil || !follow {
			return errors.Join(err, broken)
		}
		pause := time.NewTicker(every)
		defer pause.Stop()
		for {
			select {
			case <-ctx.Done():
				return nil // it was asked to go on until then
			case <-pause.C:
			}
			err := tail.Poll(ctx, show)
			if err = errors.Join(err, broken); err != nil && ctx.Err() == nil {
				return err
			}
		}
	})
}

func writeLine(p process, a *activity.Activity, asJSON bool) error {
	if asJSON {
		_, err := p.stdout.Write(append(objectOf(a), '\n'))
		return err
	}
	_, err := fmt.Fprintf(
		p.stdout,
		"%s %-8s %s %s by %s%s\n",
		a.RecordedAt.UTC().Format("2006-01-02T15:04:05.000Z"),
		a.Severity,
		a.Action,
		resourceOf(a),
		a.ActorPrincipalID,
		messageOf(a),
	)
	return err
}

func messageOf(a *activity.Activity) string {
	switch {
	case a.Status == activity.Failure && a.Message != "":
		return ": failed: " + printable(a.Message)
	case a.Status == activity.Failure:
		return ": failed"
	case a.Message != "":
		return ": " + printable(a.Message)
	}
	return ""
}
