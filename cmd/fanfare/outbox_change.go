package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/outboxlog"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/outbox"
)

// deadFilter has the flags that select dead letters.
type deadFilter struct{ outbox.DeadFilter }

func (f *deadFilter) addFlags(flags *pflag.FlagSet, now time.Time) {
	flags.SortFlags = false
	flags.StringVar(&f.Error, "error", "", "only with this text in the error, in any case")
	flags.StringVar(&f.ErrorKind, "error-kind", "",
		"only with an error that differs from this one in ids and numbers alone")
	flags.StringVar(&f.Action, "action", "", "only of actions that match this pattern, such as 'project.*'")
	flags.Var(&uuidValue{&f.Resource}, "resource", "only of this resource")
	flags.StringVar(&f.ResourceType, "resource-type", "", "only of resources of this type")
	flags.Var(&timeValue{&f.Since, now}, "since",
		"only those that died at this time or later: a time, a date or an age")
	flags.Var(&timeValue{&f.Until, now}, "until", "only those that died before this time")
}

// deadChange is a change of dead letters.
type deadChange struct {
	done   string // what was done: replayed
	filter deadFilter
	by     uuid.UUID
	all    bool
	dryRun bool
	apply  func(ctx context.Context, db pg.Beginner, c outboxlog.Change) (outboxlog.Changed, error)
}

func newOutboxReplayCommand(p process) *cobra.Command {
	change := &deadChange{done: "replayed", apply: outboxlog.Replay}
	return change.command(p, &cobra.Command{
		Use:   "replay <activity-id> | --all | --error TEXT …",
		Short: "Return dead letters to the outbox",
		Long: `Return dead letters to the end of the outbox: one, those that the flags select, or all. Run this
after you have corrected the cause of the errors.

A replayed activity is delivered after activities that were recorded later. It is published only to
the channels that it did not reach, and no inbox gets a second notification.

Dead letters are replayed in transactions of up to 1,000, the oldest first. Each is recorded as the
activity outbox.replayed. An interrupted command is continued by the next one.`,
		Example: `  fanfare outbox replay 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f
  fanfare outbox replay --error namespace --action 'chat.*' --dry-run
  fanfare outbox replay --all`,
	})
}

func newOutboxDiscardCommand(p process) *cobra.Command {
	change := &deadChange{done: "discarded", apply: outboxlog.Discard}
	return change.command(p, &cobra.Command{
		Use:   "discard <activity-id> | --all | --error TEXT …",
		Short: "Remove dead letters, which are then never delivered",
		Long: `Remove dead letters: one, those that the flags select, or all. Their activities stay in the log and
are never delivered. This cannot be undone.

Dead letters are discarded in transactions of up to 1,000, the oldest first. Each is recorded as the
activity outbox.discarded. An interrupted command is continued by the next one.`,
		Example: `  fanfare outbox discard --error too_large --until 7d --dry-run
  fanfare outbox discard --error too_large --until 7d`,
	})
}

// command makes command apply the change.
func (c *deadChange) command(p process, command *cobra.Command) *cobra.Command {
	flags := command.Flags()
	c.filter.addFlags(flags, time.Now())
	flags.BoolVar(&c.all, "all", false, "every dead letter that the other flags select")
	flags.Var(&uuidValue{&c.by}, "by", "principal who makes the change, for its record; the default is the system")
	flags.BoolVar(&c.dryRun, "dry-run", false, "count the dead letters without changing them")
	command.Args = func(command *cobra.Command, args []string) error {
		selects := c.all || c.filter.DeadFilter != (outbox.DeadFilter{})
		switch {
		case selects && len(args) == 0:
			return nil
		case selects || len(args) == 0:
			return &usageError{
				"either the id of an activity, --all or another flag that selects dead letters is required",
			}
		}
		return idArgument("activity", &c.filter.ActivityID)(command, args)
	}
	command.PreRunE = func(*cobra.Command, []string) error { return usageErrorOf(c.filter.Validate()) }
	if c.by == uuid.Nil {
		c.by = activity.System
	}
	return withBacklog(p, command, func(ctx context.Context, b backlogCommand) error {
		if c.dryRun {
			return c.count(ctx, p, b)
		}
		line := newProgressLine(p, true)
		n, err := c.applyAll(ctx, b, func(changed int64, left int64) {
			line.show(fmt.Sprintf("Dead letters %s so far: %d, left: %d", c.done, changed, left), false)
		})
		line.end()
		if err != nil {
			if n > 0 {
				fmt.Fprintf(p.stderr, "%d dead letters were %s before the error; repeat the command to continue\n",
					n, c.done)
			}
			return err
		}
		return c.write(p, b, n)
	})
}

// count prints the number of dead letters that the change would change.
func (c *deadChange) count(ctx context.Context, p process, b backlogCommand) error {
	n, err := outbox.CountDead(ctx, b.pool, b.tenant, c.filter.DeadFilter, math.MaxInt32)
	if err != nil {
		return err
	}
	if b.asJSON {
		return writeJSON(p.stdout, map[string]int64{"would_be_" + c.done: n})
	}
	_, err = fmt.Fprintf(p.stdout, "Dead letters that would be %s: %d\n", c.done, n)
	return err
}

func (c *deadChange) write(p process, b backlogCommand, n int64) error {
	if b.asJSON {
		return writeJSON(p.stdout, map[string]int64{c.done: n})
	}
	verb := "Replayed"
	if c.done == "discarded" {
		verb = "Discarded"
	}
	_, err := fmt.Fprintf(p.stdout, "%s dead letters: %d\n", verb, n)
	return err
}

// applyAll applies the change to each tenant until no dead letter is left that the filter selects
// and that died before it began.
func (c *deadChange) applyAll(
	ctx context.Context, b backlogCommand, progress func(changed, left int64),
) (total int64, err error) {
	const tenants = 100 // at once
	filter := c.filter.DeadFilter
	list := []uuid.UUID{b.tenant}
	for after := uuid.Nil; ; after = list[len(list)-1] {
		if b.tenant == uuid.Nil {
			if list, err = b.backlog.DeadTenants(ctx, filter, after, tenants); err != nil {
				return total, err
			}
		}
		for _, tenant := range list {
			for left := int64(1); left > 0; {
				done, err := c.apply(ctx, b.pool, outboxlog.Change{
					Tenant: tenant, Filter: filter, Limit: outboxlog.MaxLimit, By: c.by,
				})
				if err != nil {
					return total, err
				}
				total, left, filter.Until = total+done.Count, done.Remaining, done.Until
				progress(total, left)
				if done.Count == 0 {
					break
				}
			}
		}
		if b.tenant != uuid.Nil || len(list) < tenants {
			break
		}
	}
	if total == 0 && filter.ActivityID != uuid.Nil {
		return 0, fmt.Errorf("dead letter %s: %w", filter.ActivityID, activity.ErrNotFound)
	}
	return total, nil
}
