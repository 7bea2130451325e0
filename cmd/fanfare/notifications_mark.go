package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/inbox"
)

// markFlags are the flags of changes.
type markFlags struct {
	seen, read, archived bool
	snooze               *inbox.Snooze
}

func (f *markFlags) add(command *cobra.Command) {
	flags := command.Flags()
	flags.BoolVar(&f.seen, "seen", false, "mark as seen; --seen=false marks as unseen")
	flags.BoolVar(&f.read, "read", false, "mark as read; --read=false marks as unread")
	flags.BoolVar(&f.archived, "archived", false, "archive; --archived=false returns to the inbox")
	flags.Var(&snoozeValue{&f.snooze, time.Now()}, "snoozed-until",
		"snooze until 2026-02-03T04:05:06Z, 2026-02-03, or for a time such as 3h or 7d; none ends the snooze")
}

// changes returns the changes of the flags that are given.
func (f *markFlags) changes(command *cobra.Command) inbox.Changes {
	given := func(name string, value *bool) *bool {
		if !command.Flags().Changed(name) {
			return nil
		}
		return value
	}
	return inbox.Changes{
		Seen: given("seen", &f.seen), Read: given("read", &f.read), Archived: given("archived", &f.archived),
		Snooze: f.snooze,
	}
}

// snoozeValue is the value of a flag: the end of a snooze.
type snoozeValue struct {
	snooze **inbox.Snooze
	now    time.Time
}

func (v *snoozeValue) Type() string { return "time" }

func (v *snoozeValue) String() string {
	if v.snooze == nil || *v.snooze == nil || (*v.snooze).Until.IsZero() {
		return ""
	}
	return (*v.snooze).Until.UTC().Format(time.RFC3339)
}

func (v *snoozeValue) Set(text string) error {
	*v.snooze = &inbox.Snooze{}
	if text == "none" {
		return nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			(*v.snooze).Until = at
			return nil
		}
	}
	d, err := parseDuration(text)
	if err != nil || d <= 0 {
		return errors.New("must be a time such as 2026-02-03T04:05:06Z, a date, a duration such as 3h or 7d, or none")
	}
	(*v.snooze).Until = v.now.Add(d)
	return nil
}

func newNotificationsMarkCommand(p process) *cobra.Command {
	var (
		selected inboxSelection
		flags    markFlags
		marking  inbox.Marking
		asJSON   bool
	)
	command := &cobra.Command{
		Use:   "mark [notification-id ...] --tenant ID --as ID",
		Short: "Mark notifications as seen, read, archived or snoozed",
		Long: `Mark notifications as seen, read, archived or snoozed: those with the ids, or without ids those in a
state (--state) that pass the filter. The opposite change reverses one.`,
		Example: `  fanfare notifications mark --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f \
    --as 0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f --state unread --action 'project.*' --read`,
		Args: cobra.ArbitraryArgs,
		PreRunE: func(command *cobra.Command, args []string) (err error) {
			if marking.Selection, err = selected.inbox(); err != nil {
				return err
			}
			if len(args) > 0 {
				if marking.IDs, err = parseIDs("notification", args); err != nil {
					return err
				}
			}
			marking.Changes = flags.changes(command)
			filtered := marking.Selection != (inbox.Selection{})
			switch {
			case marking.Changes == (inbox.Changes{}):
				return &usageError{"one of --seen, --read, --archived and --snoozed-until is required"}
			case filtered == (len(args) > 0) || len(args) == 0 && selected.state == "":
				return &usageError{"either ids or --state, which the filter may narrow, are required"}
			}
			return nil
		},
	}
	selected.addFlags(command)
	flags.add(command)
	command.Flags().Var(&uuidValue{&marking.UpTo}, "up-to", "only the notification with this id, and older ones")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		count, err := markAll(ctx, pool, selected.principal(), marking)
		if err != nil {
			return usageErrorOf(err)
		}
		if asJSON {
			return writeJSON(p.stdout, map[string]int{"count": count})
		}
		_, err = fmt.Fprintf(p.stdout, "Notifications changed: %d\n", count)
		return err
	})
}

// markAll marks until none is left.
func markAll(ctx context.Context, pool *pgxpool.Pool, as actingAs, m inbox.Marking) (count int, err error) {
	for {
		marked, err := inbox.Mark(ctx, pool, as.Principal, m)
		if count += marked.Count; err != nil || marked.Next == uuid.Nil {
			return count, err
		}
		m.After = marked.Next
	}
}
