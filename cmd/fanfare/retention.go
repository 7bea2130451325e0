package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/retention"
)

func newRetentionCommand(p process) *cobra.Command {
	group := newGroup("retention", "Configure and run the removal of expired data, manage legal holds",
		`Show and set retention limits, remove expired data, and manage legal holds.

Limits apply to a tenant or, without --tenant, to the installation: to every tenant without a limit
of its own. Pending activities, activities under a legal hold and activities younger than min_days
are never removed. Workers remove expired data every --retention-interval; 'fanfare retention run'
removes it immediately.`)
	group.AddCommand(acrossCells(p, newRetentionShowCommand), acrossCells(p, newRetentionSetCommand),
		acrossCells(p, newRetentionRunCommand), newRetentionHoldCommand(p))
	return group
}

// retentionCommand is the state that the commands of retention share.
type retentionCommand struct {
	pool   *pgxpool.Pool
	tenant uuid.UUID // uuid.Nil selects the installation, or every tenant
	asJSON bool
}

// withRetention makes command run with the database. It adds the flags --tenant, with tenantUsage
// as its help, and --json.
func withRetention(
	p process,
	command *cobra.Command,
	tenantUsage string,
	run func(ctx context.Context, r retentionCommand) error,
) *cobra.Command {
	var r retentionCommand
	command.Flags().Var(&uuidValue{&r.tenant}, "tenant", tenantUsage)
	command.Flags().BoolVar(&r.asJSON, "json", false, "print JSON")
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		r.pool = pool
		return run(ctx, r)
	})
}

// maxHolds is the maximum number of legal holds in one output.
const maxHolds = 1000

func newRetentionShowCommand(p process) *cobra.Command {
	return withRetention(p, &cobra.Command{
		Use:   "show",
		Short: "Show the limits in effect, their sources, and the legal holds",
	}, "show the limits of this tenant, not the installation's", func(ctx context.Context, r retentionCommand) error {
		policy, err := retention.Get(ctx, r.pool, r.tenant)
		if err != nil {
			return err
		}
		holds, err := retention.Holds(ctx, r.pool, retention.HoldQuery{TenantID: r.tenant, Limit: maxHolds})
		if err != nil {
			return err
		}
		if r.asJSON {
			return writeJSON(p.stdout, struct {
				Policy retention.Policy `json:"policy"`
				Holds  []retention.Hold `json:"holds"`
			}{policy, holds})
		}
		if err := writeTable(p.stdout, policyRows(&policy)); err != nil || len(holds) == 0 {
			return err
		}
		fmt.Fprintln(p.stdout)
		return writeTable(p.stdout, holdRows(holds))
	})
}

// limitTexts describe the limits.
var limitTexts = map[retention.Field]string{
	retention.MaxDays:         "maximum age of activities, in days",
	retention.MaxEntries:      "maximum number of activities kept per tenant; the oldest are removed first",
	retention.MinDays:         "minimum age of activities that are removed, in days",
	retention.InboxDays:       "maximum age of notifications, in days",
	retention.IdempotencyDays: "days for which recording an activity again is detected as a duplicate",
	retention.DeadLetterDays:  "days for which dead letters are kept",
	retention.ParkedDays:      "days after which a parked activity becomes a dead letter",
	retention.TokenDays:       "days for which expired and revoked service tokens are kept",
}

func policyRows(policy *retention.Policy) [][]string {
	rows := [][]string{{"LIMIT", "VALUE", "SOURCE", "DESCRIPTION"}}
	for _, f := range retention.Fields() {
		b := policy.Limit(f)
		value := strconv.FormatInt(b.Value, 10)
		if b.Value == 0 {
			value = "none"
		}
		text := limitTexts[f]
		if f == retention.MinDays && b.From == retention.FromTenant {
			text += fmt.Sprintf("; at least the installation's %d", policy.MinDaysFloor)
		}
		rows = append(rows, []string{string(f), value, b.From, text})
	}
	return rows
}

func newRetentionSetCommand(p process) *cobra.Command {
	command := &cobra.Command{
		Use:   "set [--tenant ID] --max-days N ...",
		Short: "Change limits",
		Long: `Change the limits that are given and keep the others. A limit is a number, none, or inherit. 0 is the
same as none. With inherit, a tenant's limit is again that of the installation.

A change of a tenant's limits is recorded in its log as retention.changed.`,
		Example: `  fanfare retention set --max-days 730
  fanfare retention set --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f --max-days inherit --inbox-days none`,
	}
	change := retention.Change{}
	flags := command.Flags()
	flags.SortFlags = false
	for _, f := range retention.Fields() {
		flags.Var(&limitValue{change: change, field: f}, strings.ReplaceAll(string(f), "_", "-"), limitTexts[f])
	}
	by := activity.System
	flags.Var(&uuidValue{&by}, "by", "principal who changes the limits; it is recorded")
	command.PreRunE = func(*cobra.Command, []string) error {
		if len(change) == 0 {
			return &usageError{"at least one limit is required, such as --max-days 365"}
		}
		return nil
	}
	const usage = "change the limits of this tenant instead of the installation's"
	return withRetention(p, command, usage, func(ctx context.Context, r retentionCommand) error {
		policy, err := retention.Set(ctx, r.pool, r.tenant, by, change)
		if err != nil {
			return err
		}
		if r.asJSON {
			return writeJSON(p.stdout, policy)
		}
		return writeTable(p.stdout, policyRows(&policy))
	})
}

// limitValue is the value of a flag: a limit in a change.
type limitValue struct {
	change retention.Change
	field  retention.Field
}

var _ pflag.Value = (*limitValue)(nil)

func (*limitValue) Type() string { return "number" }

func (v *limitValue) String() string {
	if value := v.change[v.field]; value != nil {
		return strconv.FormatInt(*value, 10)
	}
	return ""
}

// Set parses a number, none or inherit.
func (v *limitValue) Set(text string) error {
	switch text {
	case "inherit":
		v.change[v.field] = nil
		return nil
	case "none":
		v.change[v.field] = new(int64)
	default:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return errors.New("must be an integer, none or inherit")
		}
		v.change[v.field] = &n
	}
	// The rules for one number do not depend on the tenant.
	err := (retention.Change{v.field: v.change[v.field]}).Validate(uuid.Nil)
	if input := (*invalid.Error)(nil); errors.As(err, &input) {
		return errors.New(input.Fields[0].Rule) // pflag adds the name and the value
	}
	return err
}
