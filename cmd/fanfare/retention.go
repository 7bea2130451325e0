package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/retention"
)

func newRetentionCommand(p process) *cobra.Command {
	group := newGroup(
		"retention",
		"Say how long what is kept, and remove what has had its time",
		`Shows and sets the bounds of a tenant or, without --tenant, those of the installation, which hold for every tenant
that has none of its own. What is pending, what is under a legal hold and what is younger than min_days is never removed. Workers
do it by themselves every --retention-interval; fanfare retention run does it now.`,
	)
	group.AddCommand(
		newRetentionShowCommand(p),
		newRetentionSetCommand(p),
		newRetentionRunCommand(p),
		newRetentionHoldCommand(p),
	)
	return group
}

// retentionCommand is what the commands of retention share.
type retentionCommand struct {
	pool   *pgxpool.Pool
	tenant uuid.UUID // uuid.Nil means none was named
	asJSON bool
}

// withRetention makes a command of command and what it does.
func withRetention(
	p process,
	command *cobra.Command,
	tenant string,
	do func(ctx context.Context, r retentionCommand) error,
) *cobra.Command {
	var r retentionCommand
	command.Flags().Var(&uuidValue{&r.tenant}, "tenant", tenant)
	command.Flags().BoolVar(&r.asJSON, "json", false, "as JSON")
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		r.pool = pool
		return do(ctx, r)
	})
}

// shownRetention is what fanfare retention show says as JSON.
type shownRetention struct {
	Policy retention.Policy `json:"policy"`
	Holds  []retention.Hold `json:"holds"`
}

// manyHolds bounds how many holds are shown at once.
const manyHolds = 1000

func newRetentionShowCommand(p process) *cobra.Command {
	return withRetention(p, &cobra.Command{
		Use:   "show",
		Short: "Show the bounds that apply, where each comes from, and the legal holds",
	}, "this tenant's; without it, the installation's", func(ctx context.Context, r retentionCommand) error {
		policy, err := retention.Get(ctx, r.pool, r.tenant)
		if err != nil {
			return err
		}
		holds, err := retention.Holds(ctx, r.pool, r.tenant, uuid.Nil, false, manyHolds)
		if err != nil {
			return err
		}
		if r.asJSON {
			return writeJSON(p.stdout, shownRetention{policy, holds})
		}
		if err := writeTable(p.stdout, policyRows(&policy)); err != nil || len(holds) == 0 {
			return err
		}
		fmt.Fprintln(p.stdout)
		return writeTable(p.stdout, holdRows(holds))
	})
}

// retentionTexts says of each bound what it does.
var retentionTexts = map[retention.Field]string{
	retention.MaxDays:         "activities are kept so long",
	retention.MaxEntries:      "activities are kept so many, the newest",
	retention.MinDays:         "no activity goes that is younger",
	retention.InboxDays:       "notifications are kept so long",
	retention.IdempotencyDays: "so long, recording the same again records nothing",
	retention.DeadLetterDays:  "dead letters are kept so long",
	retention.ParkedDays:      "after so long, a parked activity becomes a dead letter",
	retention.TokenDays:       "service tokens are kept so long after their end",
}

func policyRows(policy *retention.Policy) [][]string {
	rows := [][]string{{"BOUND", "VALUE", "FROM", "MEANS"}}
	for _, f := range retention.Fields() {
		b := policy.At(f)
		value := strconv.FormatInt(b.Value, 10)
		if b.Value == 0 {
			value = "none"
		}
		rows = append(rows, []string{string(f), value, b.From, retentionTexts[f]})
	}
	return rows
}

func newRetentionSetCommand(p process) *cobra.Command {
	command := &cobra.Command{
		Use:   "set [--tenant ID] --max-days 365 …",
		Short: "Change bounds",
		Long: `Changes the bounds that are given and leaves the others. A number is a bound; 0 or none is no bound; inherit gives a
tenant's bound back to the installation. A tenant's change is recorded in its log as retention.changed.`,
	}
	change := retention.Change{}
	flags := command.Flags()
	flags.SortFlags = false
	for _, f := range retention.Fields() {
		flags.Var(&boundValue{change: change, field: f}, strings.ReplaceAll(string(f), "_", "-"), retentionTexts[f])
	}
	by := activity.System
	flags.Var(&uuidValue{&by}, "by", "the principal who changes it, for the record")
	command.PreRunE = func(*cobra.Command, []string) error {
		if len(change) == 0 {
			return &usageError{"say at least one bound, such as --max-days 365"}
		}
		return nil
	}
	return withRetention(
		p,
		command,
		"for this tenant; without it, for the installation",
		func(ctx context.Context, r retentionCommand) error {
			policy, err := retention.Set(ctx, r.pool, r.tenant, by, change)
			if err != nil {
				return err
			}
			if r.asJSON {
				return writeJSON(p.stdout, policy)
			}
			return writeTable(p.stdout, policyRows(&policy))
		},
	)
}

// boundValue is the value of a bound's flag.
type boundValue struct {
	change retention.Change
	field  retention.Field
}

var _ pflag.Value = (*boundValue)(nil)

func (*boundValue) Type() string { return "number" }

func (v *boundValue) String() string {
	if value := v.change[v.field]; value != nil {
		return strconv.FormatInt(*value, 10)
	}
	return ""
}

// Set reads a number, none or inherit.
func (v *boundValue) Set(text string) error {
	switch text {
	case "inherit":
		v.change[v.field] = nil
	case "none":
		v.change[v.field] = new(int64)
	default:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return &usageError{"must be a whole number, none or inherit"}
		}
		v.change[v.field] = &n
	}
	// The tenant is of no account for what a number may be.
	if value := v.change[v.field]; value != nil {
		if err := (retention.Change{v.field: value}).Validate(uuid.Nil); err != nil {
			return &usageError{err.Error()}
		}
	}
	return nil
}

func newRetentionHoldCommand(p process) *cobra.Command {
	group := newGroup(
		"hold",
		"Place, release and list legal holds",
		`A legal hold keeps activities from being removed, whatever the bounds say: all of a tenant, those about one resource
(and not about what is under it), or those by one actor.`,
	)
	group.AddCommand(newHoldPlaceCommand(p), newHoldReleaseCommand(p), newHoldListCommand(p))
	return group
}

func newHoldPlaceCommand(p process) *cobra.Command {
	var resource, actor uuid.UUID
	hold := retention.Hold{CreatedBy: activity.System}
	command := &cobra.Command{
		Use:   "place --tenant ID [--resource ID | --actor ID] --reason WHY",
		Short: "Keep activities from being removed",
		Long: `Places a legal hold. Once the command is done, nothing goes that is held, even if a run is under way. It is
recorded in the tenant's log as retention.hold_placed.`,
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.Var(&uuidValue{&resource}, "resource", "only what is about this resource")
	flags.Var(&uuidValue{&actor}, "actor", "only what this principal did")
	flags.StringVar(&hold.Reason, "reason", "", "why, for those who look")
	flags.Var(&uuidValue{&hold.CreatedBy}, "by", "the principal who places it, for the record")
	command.PreRunE = func(command *cobra.Command, _ []string) error {
		switch {
		case !command.Flags().Changed("tenant"):
			return &usageError{"--tenant is missing"}
		case resource != uuid.Nil && actor != uuid.Nil:
			return &usageError{"say --resource or --actor, not both: place two holds"}
		case strings.TrimSpace(hold.Reason) == "":
			return &usageError{"--reason is missing"}
		}
		return nil
	}
	return withRetention(p, command, "the tenant", func(ctx context.Context, r retentionCommand) error {
		hold.TenantID = r.tenant
		if resource != uuid.Nil {
			hold.ResourceID = &resource
		}
		if actor != uuid.Nil {
			hold.ActorPrincipalID = &actor
		}
		placed, err := retention.Place(ctx, r.pool, hold)
		if err != nil {
			return err
		}
		if r.asJSON {
			return writeJSON(p.stdout, placed)
		}
		_, err = fmt.Fprintf(p.stdout, "Hold placed: %s\n", placed.ID)
		return err
	})
}

func newHoldReleaseCommand(p process) *cobra.Command {
	var hold uuid.UUID
	by := activity.System
	command := &cobra.Command{
		Use:   "release <hold-id> --tenant ID",
		Short: "End a legal hold",
		Long: `Ends a hold: from the next run on, its activities go like all others. It stays in the list of fanfare retention hold
list --all, and is recorded in the tenant's log as retention.hold_released.`,
		Args: func(_ *cobra.Command, args []string) (err error) {
			if len(args) != 1 {
				return &usageError{"name one hold by its id, as fanfare retention hold list shows it"}
			}
			if hold, err = parseID(args[0]); err != nil {
				return &usageError{fmt.Sprintf("hold %q: %v", args[0], err)}
			}
			return nil
		},
		PreRunE: func(command *cobra.Command, _ []string) error {
			if !command.Flags().Changed("tenant") {
				return &usageError{"--tenant is missing"}
			}
			return nil
		},
	}
	command.Flags().Var(&uuidValue{&by}, "by", "the principal who releases it, for the record")
	return withRetention(p, command, "the tenant", func(ctx context.Context, r retentionCommand) error {
		released, err := retention.Release(ctx, r.pool, r.tenant, hold, by)
		if err != nil {
			return err
		}
		if r.asJSON {
			return writeJSON(p.stdout, released)
		}
		_, err = fmt.Fprintf(p.stdout, "Hold released: %s\n", released.ID)
		return err
	})
}

func newHoldListCommand(p process) *cobra.Command {
	var all bool
	command := &cobra.Command{
		Use:   "list",
		Short: "List legal holds, the oldest first",
	}
	command.Flags().BoolVar(&all, "all", false, "those that were released, too")
	return withRetention(p, command, "only this tenant's", func(ctx context.Context, r retentionCommand) error {
		holds, err := retention.Holds(ctx, r.pool, r.tenant, uuid.Nil, all, manyHolds)
		if err != nil {
			return err
		}
		if r.asJSON {
			return writeJSON(p.stdout, holds)
		}
		if len(holds) == 0 {
			_, err := fmt.Fprintln(p.stdout, "There are no legal holds.")
			return err
		}
		return writeTable(p.stdout, holdRows(holds))
	})
}

func holdRows(holds []retention.Hold) [][]string {
	rows := [][]string{{"HOLD", "TENANT", "KEEPS", "PLACED", "RELEASED", "REASON"}}
	for _, h := range holds {
		keeps, released := "everything", ""
		switch {
		case h.ResourceID != nil:
			keeps = "resource " + h.ResourceID.String()
		case h.ActorPrincipalID != nil:
			keeps = "actor " + h.ActorPrincipalID.String()
		}
		if h.ReleasedAt != nil {
			released = h.ReleasedAt.Format(time.RFC3339)
		}
		rows = append(
			rows,
			[]string{
				h.ID.String(),
				h.TenantID.String(),
				keeps,
				h.CreatedAt.UTC().Format(time.RFC3339),
				released,
				h.Reason,
			},
		)
	}
	if !slices.ContainsFunc(rows[1:], func(row []string) bool { return row[4] != "" }) {
		for i := range rows {
			rows[i] = slices.Delete(rows[i], 4, 5)
		}
	}
	return rows
}
