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
		selected selection
		limit    = 50
		before   uuid.UUID
		asJSON   bool
	)
	command := &cobra.Command{
		Use:   "list --tenant ID",
		Short: "List activities, the newest first",
		Example: `  fanfare activity list --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f --since 24h
  fanfare activity list --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f --action 'project.*' --json`,
	}
	selected.addFlags(command.Flags(), time.Now())
	command.Flags().IntVar(&limit, "limit", limit, "maximum number of activities, from 1 to 10000")
	command.Flags().Var(
		&uuidValue{&before}, "before", "only activities older than the one with this id, for the next page")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withLog(p, command, func() error {
		if limit < 1 || limit > 10_000 {
			return &usageError{fmt.Sprintf("--limit %d: must be from 1 to 10000", limit)}
		}
		return selected.validate()
	}, func(ctx context.Context, log *pglog.Log) error {
		found, next, err := newest(ctx, log, selected, limit, before)
		switch {
		case err != nil:
			return err
		case asJSON:
			return writeJSON(p.stdout, map[string]any{"items": jsonObjects(found), "next_before": next})
		case len(found) == 0:
			_, err := fmt.Fprintln(p.stdout, "No activities.")
			return err
		}
		rows := [][]string{{"RECORDED", "ID", "ACTION", "ACTOR", "RESOURCE", "STATUS", "SEVERITY", "MESSAGE"}}
		for i := range found {
			a := &found[i]
			rows = append(rows, []string{
				a.RecordedAt.UTC().Format(time.RFC3339), a.ID.String(), a.Action, a.ActorPrincipalID.String(),
				resourceText(a), string(a.Status), string(a.Severity), printable(a.Message),
			})
		}
		if err := writeTable(p.stdout, rows); err != nil || next == nil {
			return err
		}
		_, err = fmt.Fprintf(p.stderr, "For older activities, use --before %s\n", next)
		return err
	})
}

// newest reads at most limit activities. next is the id of the last one if there are older ones.
func newest(
	ctx context.Context, log *pglog.Log, selected selection, limit int, before uuid.UUID,
) (found []activity.Activity, next *uuid.UUID, err error) {
	walk, err := log.Walk(selected.tenant, selected.filter)
	if err != nil {
		return nil, nil, err
	}
	walk.Before = before
	step := min(max(10*limit, 100), pglog.WalkStep)
	for more := true; more && len(found) <= limit; {
		more, err = walk.Step(ctx, step, func(a *activity.Activity) bool {
			found = append(found, *a)
			return len(found) > limit // one more than limit shows that there are older ones
		})
		if err != nil {
			return nil, nil, err
		}
	}
	if len(found) > limit {
		found = found[:limit]
		next = &found[limit-1].ID
	}
	return found, next, nil
}

// jsonObjects returns activities in the format of an export as JSON Lines.
func jsonObjects(list []activity.Activity) []json.RawMessage {
	objects := make([]json.RawMessage, len(list))
	for i := range list {
		objects[i] = jsonObject(&list[i])
	}
	return objects
}

func jsonObject(a *activity.Activity) json.RawMessage {
	return bytes.TrimSuffix(export.Encoder{Format: export.JSONL}.Append(nil, a), []byte("\n"))
}

// resourceText returns the type and the name of a resource, or its id if it has no name.
func resourceText(a *activity.Activity) string {
	if a.ResourceName != "" {
		return printable(a.ResourceType + " " + a.ResourceName)
	}
	return printable(a.ResourceType) + " " + a.ResourceID.String()
}

func newActivityGetCommand(p process) *cobra.Command {
	var (
		selected selection
		id       uuid.UUID
		asJSON   bool
	)
	command := &cobra.Command{
		Use:   "get <activity-id> --tenant ID",
		Short: "Show all fields of an activity",
		Args:  idArgument("activity", &id),
	}
	selected.addTenantFlag(command.Flags())
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withLog(p, command, selected.validate, func(ctx context.Context, log *pglog.Log) error {
		a, err := log.Get(ctx, selected.tenant, id)
		if err != nil {
			return fmt.Errorf("activity %s: %w", id, err)
		}
		if asJSON {
			return writeJSON(p.stdout, jsonObject(&a))
		}
		return writeTable(p.stdout, activityRows(&a))
	})
}

// activityRows returns the fields of an activity that are not empty.
func activityRows(a *activity.Activity) (rows [][]string) {
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
	add("parent", optionalID(a.ParentID))
	add("owner", optionalID(a.OwnerID))
	for _, target := range a.TargetPrincipalIDs {
		add("target", target.String())
	}
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
