package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/activity/redaction"
)

// errHeld is the error of a redaction that did not redact activities under a legal hold.
var errHeld = errors.New("activities under a legal hold were not redacted: use --override-hold to redact them too")

func newActivityRedactCommand(p process) *cobra.Command {
	var (
		selected    selection
		r           redaction.Request
		ids         []string
		yes, asJSON bool
	)
	command := &cobra.Command{
		Use: "redact --tenant ID (--id ID | --actor ID | --target ID | --resource ID) --reason TEXT " +
			"(--dry-run | --yes)",
		Short: "Redact the contents of activities, for erasure requests",
		Long: `Redact the contents of activities. This cannot be undone.

The payload becomes {"redacted": true, "redaction": id}. The message, the user agent, the hash of
the IP address, the taxonomy warning and the name of the resource are cleared. All ids, the action,
times, status, severity, category, visibility, channels, request id and traceparent are kept.
Pending activities are delivered redacted.

The redaction is recorded in the same transaction as the activity activity.redacted, with the
number of activities, the criteria and the reason. Repeating a redaction changes nothing. Events
that were delivered, the history of Centrifugo, exports and backups are not redacted. An activity
recorded during the redaction may be missed; repeat the command to redact it.

Requires EXECUTE on fanfare.redact_activities and SELECT on fanfare.activities.`,
		Example: `  fanfare activity redact --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f \
    --actor 0192d3c1-6b7a-7f00-9d1e-3c4d5e6f7a8b --reason "erasure request 17" --dry-run`,
	}
	flags := command.Flags()
	selected.addTenantFlag(flags)
	flags.StringSliceVar(&ids, "id", nil, "id of an activity; may be repeated")
	flags.Var(&uuidValue{&r.Actor}, "actor", "all activities of this actor")
	flags.Var(&uuidValue{&r.Target}, "target", "all activities with this target")
	flags.Var(&uuidValue{&r.Resource}, "resource", "all activities of this resource")
	selected.addTimeFlags(flags, time.Now())
	flags.StringVar(&r.Reason, "reason", "", "reason; it is recorded and must not identify a person")
	flags.Var(&uuidValue{&r.By}, "by", "principal who redacts; the default is the system")
	flags.BoolVar(&r.KeepResourceNames, "keep-resource-name", false, "do not clear the names of resources")
	flags.BoolVar(&r.OverrideHolds, "override-hold", false, "also redact activities under a legal hold; it is recorded")
	flags.BoolVar(&r.DryRun, "dry-run", false, "count the activities without changing them")
	flags.BoolVar(&yes, "yes", false, "confirm the redaction")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	command.PreRunE = func(*cobra.Command, []string) (err error) {
		if err := selected.validate(); err != nil {
			return err
		}
		r.Tenant, r.Since, r.Until = selected.tenant, selected.filter.Since, selected.filter.Until
		if r.IDs, err = parseIDs("--id", ids); err != nil {
			return err
		}
		if err := usageErrorOf(r.Validate()); err != nil {
			return err
		}
		if yes == r.DryRun {
			return &usageError{"either --dry-run or --yes is required, because a redaction cannot be undone"}
		}
		return nil
	}
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		done, err := redaction.Redact(ctx, pool, r)
		if err != nil {
			if done.Redacted > 0 {
				fmt.Fprintf(p.stderr, "%s redacted before the error; repeat the command to continue\n",
					activities(int64(done.Redacted)))
			}
			return err
		}
		if err := writeRedacted(p.stdout, r, done, asJSON); err != nil {
			return err
		}
		if done.Held > 0 && !r.DryRun {
			return errHeld
		}
		return nil
	})
}

func writeRedacted(w io.Writer, r redaction.Request, done redaction.Result, asJSON bool) error {
	if asJSON {
		return writeJSON(w, done)
	}
	heading := "redacted"
	if r.DryRun {
		heading = "would be redacted"
	}
	rows := [][]string{
		{heading, grouped(int64(done.Redacted))},
		{"already redacted", grouped(int64(done.Already))},
		{"under a legal hold", grouped(int64(done.Held))},
	}
	if len(r.IDs) > 0 {
		missing := max(0, distinct(r.IDs)-done.Redacted-done.Already-done.Held)
		rows = append(rows, []string{"not found", grouped(int64(missing))})
	}
	if done.Redacted > 0 && !r.DryRun {
		rows = append(rows, []string{"recorded as", done.Run.String()})
	}
	return writeTable(w, rows)
}

// distinct returns the number of different ids.
func distinct(ids []uuid.UUID) int {
	set := map[uuid.UUID]bool{}
	for _, id := range ids {
		set[id] = true
	}
	return len(set)
}
