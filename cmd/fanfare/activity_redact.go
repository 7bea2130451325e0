package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/activity/redaction"
)

// errHeld ends a redaction that left something as it was.
var errHeld = errors.New(
	"some activities are under a legal hold and were left as they are; --override-hold redacts them too",
)

func newActivityRedactCommand(p process) *cobra.Command {
	var (
		which       whichActivities
		r           redaction.Request
		ids         []string
		yes, asJSON bool
	)
	command := &cobra.Command{
		Use:   "redact --tenant ID (--id ID | --actor ID | --target ID | --resource ID) --reason TEXT (--dry-run | --yes)",
		Short: "Make activities forget what they say, for who asks for erasure",
		Long: `Replaces the payload by {"redacted": true, "redaction": id} and clears the message, the user agent, the hash of the
address, the note on the taxonomy and the resource's name. The row stays: ids, action, times, status, severity, category,
visibility, channels, request id and traceparent. What is pending goes out redacted.

It cannot be undone. That it was done, how often, by which criteria and why is recorded in the same transaction, as
activity.redacted on the resource whose id the payloads name. Doing it again changes nothing. It does not reach what was
delivered already, Centrifugo's history (minutes), exports and backups. What is recorded while it runs may stay: do it again.

Needs EXECUTE on fanfare.redact_activities and SELECT on fanfare.activities.`,
	}
	flags := command.Flags()
	which.addTenant(flags)
	flags.StringSliceVar(&ids, "id", nil, "an activity; may be repeated")
	flags.Var(&uuidValue{&r.Actor}, "actor", "all that this principal did")
	flags.Var(&uuidValue{&r.Target}, "target", "all that addressed this principal")
	flags.Var(&uuidValue{&r.Resource}, "resource", "all that was done to this resource")
	which.addTimes(flags, time.Now())
	flags.StringVar(&r.Reason, "reason", "", "why; it is recorded, so it should name nobody")
	flags.Var(&uuidValue{&r.By}, "by", "the principal who does it; the system, if nobody is named")
	flags.BoolVar(&r.KeepResourceNames, "keep-resource-name", false, "leave the names of resources")
	flags.BoolVar(&r.OverrideHolds, "override-hold", false, "redact what is under a legal hold, too; it is recorded")
	flags.BoolVar(&r.DryRun, "dry-run", false, "count, and change nothing")
	flags.BoolVar(&yes, "yes", false, "do it")
	flags.BoolVar(&asJSON, "json", false, "as JSON")
	command.PreRunE = func(*cobra.Command, []string) error {
		if err := which.validate(); err != nil {
			return err
		}
		r.Tenant, r.Since, r.Until, r.IDs = which.tenant, which.filter.Since, which.filter.Until, make(
			[]uuid.UUID,
			len(ids),
		)
		for i, text := range ids {
			id, err := parseID(text)
			if err != nil {
				return &usageError{fmt.Sprintf("--id %q: %v", text, err)}
			}
			r.IDs[i] = id
		}
		if err := usageOf(r.Validate()); err != nil {
			return err
		}
		if yes == r.DryRun {
			return &usageError{"what is redacted is gone: see how much it is with --dry-run, then say --yes"}
		}
		return nil
	}
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		done, err := redaction.Redact(ctx, pool, r)
		if err != nil {
			if done.Redacted > 0 {
				fmt.Fprintf(
					p.stderr,
					"%s redacted before it failed; doing it again goes on from there\n",
					plural(int64(done.Redacted), "activity", "activities"),
				)
			}
			return err
		}
		if err := writeRedacted(p, r, done, asJSON); err != nil {
			return err
		}
		if done.Held > 0 && !r.DryRun {
			return errHeld
		}
		return nil
	})
}

func writeRedacted(p process, r redaction.Request, done redaction.Result, asJSON bool) error {
	if asJSON {
		return writeJSON(p.stdout, done)
	}
	what := "redacted"
	if r.DryRun {
		what = "would be redacted"
	}
	rows := [][]string{
		{what, grouped(int64(done.Redacted))},
		{"redacted before", grouped(int64(done.Already))},
		{"under a legal hold", grouped(int64(done.Held))},
	}
	if n := len(r.IDs); n > 0 {
		rows = append(
			rows,
			[]string{"not found", grouped(int64(max(0, distinct(r.IDs)-done.Redacted-done.Already-done.Held)))},
		)
	}
	if done.Redacted > 0 && !r.DryRun {
		rows = append(rows, []string{"recorded as", done.Run.String()})
	}
	return writeTable(p.stdout, rows)
}

func distinct(ids []uuid.UUID) int {
	set := map[uuid.UUID]bool{}
	for _, id := range ids {
		set[id] = true
	}
	return len(set)
}
