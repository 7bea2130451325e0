package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/pglog"
)

func newActivityCommand(p process) *cobra.Command {
	group := newGroup("activity", "Read, export and redact the activity log",
		`Read, export and redact the activities of one tenant.

The commands that read require only USAGE on the schema fanfare and SELECT on fanfare.activities.`)
	group.AddCommand(newActivityListCommand(p), newActivityGetCommand(p), newActivityTailCommand(p),
		newActivityStatsCommand(p), newActivityExportCommand(p), newActivityRedactCommand(p))
	return group
}

// selection selects activities of one tenant.
type selection struct {
	tenant uuid.UUID
	filter activity.Filter
}

// addTenantFlag adds the flag --tenant.
func (s *selection) addTenantFlag(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.Var(&uuidValue{&s.tenant}, "tenant", "id of the tenant")
}

// addFlags adds the flag --tenant and the flags of the filter.
func (s *selection) addFlags(flags *pflag.FlagSet, now time.Time) {
	s.addTenantFlag(flags)
	f := &s.filter
	flags.StringVar(&f.Action, "action", "", "only actions that match this pattern, such as 'project.*'")
	flags.Var(&uuidValue{&f.Actor}, "actor", "only activities of this actor")
	flags.Var(&uuidValue{&f.Resource}, "resource", "only activities of this resource")
	flags.StringVar(&f.ResourceType, "resource-type", "", "only activities of resources of this type")
	flags.Var(&uuidValue{&f.Target}, "target", "only activities with this target")
	flags.Var(&uuidValue{&f.Owner}, "owner", "only activities of resources of this owner")
	flags.Var(&uuidValue{&f.CorrelationID}, "correlation-id", "only activities with this correlation id")
	flags.StringVar(&f.RequestID, "request-id", "", "only activities with this request id")
	flags.StringVar(&f.Status, "status", "", "only activities with this status: success or failure")
	flags.StringVar(&f.Severity, "severity", "",
		"only activities with this severity: info, warning, error or critical")
	flags.StringVar(&f.Category, "category", "", "only activities of this category")
	s.addTimeFlags(flags, now)
	flags.StringVar(&f.Q, "q", "", "only activities whose message, resource name or action contains this text")
}

// addTimeFlags adds the flags --since and --until.
func (s *selection) addTimeFlags(flags *pflag.FlagSet, now time.Time) {
	flags.Var(&timeValue{&s.filter.Since, now}, "since",
		"only activities recorded at or after this time: 2026-02-03, 2026-02-03T04:05:06Z, or an age such as 24h or 7d")
	flags.Var(&timeValue{&s.filter.Until, now}, "until",
		"only activities recorded before this time, in the same formats")
}

func (s *selection) validate() error {
	if err := requireTenant(s.tenant); err != nil {
		return err
	}
	return usageErrorOf(s.filter.Validate())
}

// usageErrorOf makes an [invalid.Error] a usage error that names flags instead of fields. It
// returns other errors as they are.
func usageErrorOf(err error) error {
	var input *invalid.Error
	if !errors.As(err, &input) {
		return err
	}
	texts := make([]string, len(input.Fields))
	for i, f := range input.Fields {
		if f.Name == "ids" {
			f.Name = "id" // a flag that may be repeated
		}
		f.Name = "--" + strings.ReplaceAll(f.Name, "_", "-")
		texts[i] = f.Error()
	}
	return &usageError{strings.Join(texts, "; ")}
}

// withLog makes command run with the activity log. validate is called before it connects.
func withLog(
	p process,
	command *cobra.Command,
	validate func() error,
	run func(ctx context.Context, log *pglog.Log) error,
) *cobra.Command {
	command.PreRunE = func(*cobra.Command, []string) error { return validate() }
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		return run(ctx, pglog.New(pool))
	})
}
