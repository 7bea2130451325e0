package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/export"
	"github.com/fanfarehq/fanfare/activity/pglog"
)

func newActivityListCommand(p process) *cobra.Command {
	var (
		which  whichActivities
		limit  = 50
		before uuid.UUID
		asJSON bool
	)
	command := &cobra.Command{
		Use:   "list --tenant ID",
		Short: "List activities, the newest first",
	}
	which.addFlags(command.Flags(), time.Now())
	command.Flags().IntVar(&limit, "limit", limit, "at most so many")
	command.Flags().Var(&uuidValue{&before}, "before", "only those older than the activity with this id")
	command.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return withLog(p, command, func() error {
		if limit < 1 || limit > 10_000 {
			return &usageError{"--limit must be 1 to 10000"}
		}
		return which.validate()
	}, func(ctx context.Context, log *pglog.Log) error {
		found, next, err := newestOf(ctx, log, which, limit, before)
		switch {
		case err != nil:
			return err
		case asJSON:
			return writeJSON(p.stdout, map[string]any{"items": objectsOf(found), "next_before": next})
		case len(found) == 0:
			_, err := fmt.Fprintln(p.stdout, "There are no such activities.")
			return err
		}
		rows := [][]string{{"RECORDED", "ID", "ACTION", "ACTOR", "RESOURCE", "STATUS", "SEVERITY", "MESSAGE"}}
		for i := range found {
			a := &found[i]
			rows = append(rows, []string{
				a.RecordedAt.UTC().
					Format(time.RFC3339),
				a.ID.String(), a.Action, a.ActorPrincipalID.String(), resourceOf(a),
				string(a.Status), string(a.Severity), printable(a.Message),
			})
		}
		if err := writeTable(p.stdout, rows); err != nil || next == nil {
			return err
		}
		_, err = fmt.Fprintf(p.stderr, "There are more: --before %s\n", next)
		return err
	})
}

// newestOf reads so many activities, and one beyond them to know whether there are more. next is
// the last one, if there are.
func newestOf(
	ctx context.Context,
	log *pglog.Log,
	which whichActivities,
	limit int,
	before uuid.UUID,
) (found []activity.Activity, next *uuid.UUID, err error) {
	walk, err := log.Walk(which.tenant, which.filter)
	if err != nil {
		return nil, nil, err
	}
	walk.Before = before
	for more := true; more && len(found) <= limit; {
		if more, err = walk.Step(ctx, min(max(10*limit, 100), pglog.WalkStep), func(a *activity.Activity) bool {
			found = append(found, *a)
			return len(found) > limit
		}); err != nil {
			return nil, nil, err
		}
	}
	if len(found) > limit {
		found = found[:limit]
		next = &found[limit-1].ID
	}
	return found, next, nil
}

// objectsOf are activities as an export of JSON Lines has them.
func objectsOf(list []activity.Activity) []json.RawMessage {
	objects := make([]json.RawMessage, len(list))
	for i := range list {
		objects[i] = objectOf(&list[i])
	}
	return objects
}

func objectOf(a *activity.Activity) json.RawMessage {
	return bytes.TrimSuffix(export.Encoder{Format: export.JSONL}.Append(nil, a), []byte("\n"))
}

// resourceOf names what an activity was done to.
func resourceOf(a *activity.Activity) string {
	if a.ResourceName != "" {
		return printable(a.ResourceType + " " + a.ResourceName)
	}
	return printable(a.ResourceType) + " " + a.ResourceID.String()
}

func newActivityGetCommand(p process) *cobra.Command {
	var (
		which  whichActivities
		id     uuid.UUID
		asJSON bool
	)
	command := &cobra.Command{
		Use:   "get <activity-id> --tenant ID",
		Short: "Show all that is recorded of an activity",
		Args: func(_ *cobra.Command, args []string) (err error) {
			if len(args) != 1 {
				return &usageError{"name one activity by its id"}
			}
			id, err = activityID(args)
			return err
		},
	}
	which.addTenant(command.Flags())
	command.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return withLog(p, command, which.validate, func(ctx context.Context, log *pglog.Log) error {
		a, err := log.Get(ctx, which.tenant, id)
		if err != nil {
			return fmt.Errorf("activity %s: %w", id, err)
		}
		if asJSON {
			return writeJSON(p.stdout, objectOf(&a))
		}
		return writeTable(p.stdout, rowsOf(&a))
	})
}

func rowsOf(a *activity.Activity) (rows [][]string) {
	add := func(name, value string) {
		if value != "" {
			rows = append(rows, []string{name, printable(value)})
		}
	}
	add("id", a.ID.String())
	add("action", a.Action)
	add("occurred at", a.OccurredAt.UTC().Format(time.RFC3339Nano))
	add("recorded at", a.RecordedAt.UTC().Format(time.RFC3339Nano))
	add("actor", a.ActorPrincipalID.String())
	add("resource", strings.TrimSpace(a.ResourceType+" "+a.ResourceID.String()+" "+a.ResourceName))
	add("parent", idOrNothing(a.ParentID))
	add("owner", idOrNothing(a.OwnerID))
	add("target", idOrNothing(a.TargetPrincipalID))
	add("correlation", a.CorrelationID.String())
	add("visibility", string(a.Visibility))
	add("status", string(a.Status))
	add("severity", string(a.Severity))
	add("category", a.Category)
	add("message", a.Message)
	add("request", a.RequestID)
	add("user agent", a.UserAgent)
	add("traceparent", a.Traceparent)
	if a.IPHash != nil {
		add("address", fmt.Sprintf("%x, hashed with key %d", a.IPHash, a.IPKeyID))
	}
	add("channels", strings.Join(a.DeliveryChannels, " "))
	add("warning", a.Warning)
	add("payload", string(a.Payload))
	return rows
}

func newActivityStatsCommand(p process) *cobra.Command {
	var (
		which  whichActivities
		budget = pglog.StatsBudget
		most   = 10
		asJSON bool
	)
	now := time.Now()
	which.filter.Since = now.AddDate(0, 0, -7)
	command := &cobra.Command{
		Use:   "stats --tenant ID",
		Short: "Count activities by action, actor, severity, status and day",
		Long: `Counts the activities of the last seven days, or since another time, by action, actor, severity, status and day (in
UTC). It looks at a bounded number, the newest, and says so where that was not all.`,
	}
	which.addFlags(command.Flags(), now)
	command.Flags().IntVar(&budget, "look-at", budget, "at most so many activities")
	command.Flags().IntVar(&most, "top", most, "so many actions and actors")
	command.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	command.Flags().Lookup("since").DefValue = "7d"
	return withLog(p, command, func() error {
		switch {
		case budget < 1 || budget > 100_000_000:
			return &usageError{"--look-at must be 1 to 100000000"}
		case most < 1 || most > 1000:
			return &usageError{"--top must be 1 to 1000"}
		}
		return which.validate()
	}, func(ctx context.Context, log *pglog.Log) error {
		stats, err := log.Stats(ctx, which.tenant, which.filter, pglog.StatsOptions{Budget: budget, Top: most})
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(p.stdout, stats)
		}
		return writeTable(p.stdout, statsRows(stats, budget))
	})
}

func statsRows(t pglog.Stats, budget int) [][]string {
	rows := [][]string{{"activities", grouped(t.Activities)}}
	if !t.Complete {
		rows[0] = append(
			rows[0],
			fmt.Sprintf(
				"among the newest %s, back to %s; there are more: --look-at",
				grouped(int64(budget)),
				t.Since.UTC().Format(time.RFC3339),
			),
		)
	}
	for _, part := range []struct {
		heading string
		counts  []pglog.Frequency
	}{{"ACTION", t.Actions}, {"ACTOR", t.Actors}, {"SEVERITY", t.Severities}, {"STATUS", t.Statuses}, {"DAY", t.Days}} {
		if len(part.counts) == 0 {
			continue
		}
		rows = append(rows, nil, []string{part.heading, "ACTIVITIES"})
		for _, c := range part.counts {
			rows = append(rows, []string{printable(c.Value), grouped(c.Activities)})
		}
	}
	return rows
}
