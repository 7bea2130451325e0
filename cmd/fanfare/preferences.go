package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/preferencelog"
	"github.com/fanfarehq/fanfare/preferences"
)

func newPreferencesCommand(p process) *cobra.Command {
	group := newGroup("preferences", "Show and change the preferences of a principal or a tenant",
		`Show and change the notification preferences of a principal (--as) or, without --as, of a tenant.

A principal inherits each field that it has not set from its tenant, and a tenant from the
installation, which notifies of the actions in --mutations.`)
	group.AddCommand(newPreferencesShowCommand(p), newPreferencesSetCommand(p))
	return group
}

// shownPreferences is the output of the commands of preferences.
type shownPreferences struct {
	FilterMode    string            `json:"filter_mode"`
	CustomActions []string          `json:"custom_actions"`
	Muted         bool              `json:"muted"`
	MutedActions  []string          `json:"muted_actions"`
	MutedActors   []uuid.UUID       `json:"muted_actors,omitzero"` // nil for a tenant
	Inherited     map[string]string `json:"inherited"`             // by field that is not set, its source
	UpdatedAt     *time.Time        `json:"updated_at"`

	sources preferences.Sources
}

func show(p preferences.Preference, from preferences.Sources, own preferences.Source, at time.Time) shownPreferences {
	shown := shownPreferences{
		FilterMode: string(p.Mode), CustomActions: p.CustomActions, Muted: p.Muted,
		MutedActions: p.MutedActions, Inherited: map[string]string{}, sources: from,
	}
	for field, source := range map[preferences.Field]preferences.Source{
		preferences.FieldMode: from.Mode, preferences.FieldCustomActions: from.CustomActions,
		preferences.FieldMuted: from.Muted, preferences.FieldMutedActions: from.MutedActions,
	} {
		if source != own {
			shown.Inherited[string(field)] = source.String()
		}
	}
	if !at.IsZero() {
		shown.UpdatedAt = &at
	}
	return shown
}

func showOfPrincipal(s preferences.Stored) shownPreferences {
	shown := show(s.Preference, s.Sources, preferences.FromPrincipal, s.UpdatedAt)
	shown.MutedActors = s.MutedActors
	return shown
}

func showOfTenant(d preferences.TenantDefault) shownPreferences {
	return show(d.Preference, d.Sources, preferences.FromTenant, d.UpdatedAt)
}

func (s shownPreferences) write(w io.Writer, asJSON bool) error {
	if asJSON {
		return writeJSON(w, s)
	}
	rows := [][]string{
		{"PREFERENCE", "VALUE", "SOURCE"},
		{"filter_mode", s.FilterMode, s.sources.Mode.String()},
		{"custom_actions", orNone(s.CustomActions), s.sources.CustomActions.String()},
		{"muted", strconv.FormatBool(s.Muted), s.sources.Muted.String()},
		{"muted_actions", orNone(s.MutedActions), s.sources.MutedActions.String()},
	}
	if s.MutedActors != nil {
		rows = append(rows, []string{"muted_actors", orNone(s.MutedActors), preferences.FromPrincipal.String()})
	}
	return writeTable(w, rows)
}

// orNone joins values, or returns none.
func orNone[T any](values []T) string {
	if len(values) == 0 {
		return "none"
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, ", ")
}

// usageOfAs is the help of --as of the commands of preferences.
const usageOfAs = "id of the principal; without it, the preferences are those of the tenant"

func newPreferencesShowCommand(p process) *cobra.Command {
	var (
		as     actingAs
		asJSON bool
	)
	command := &cobra.Command{
		Use:     "show --tenant ID [--as ID]",
		Short:   "Show the preferences in effect and their sources",
		Example: `  fanfare preferences show --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f`,
		PreRunE: func(*cobra.Command, []string) error { return requireTenant(as.TenantID) },
	}
	as.addFlags(command.Flags(), usageOfAs)
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		if as.PrincipalID == uuid.Nil {
			d, err := preferences.GetTenant(ctx, pool, as.TenantID)
			if err != nil {
				return err
			}
			return showOfTenant(d).write(p.stdout, asJSON)
		}
		s, err := preferences.Get(ctx, pool, as.Principal)
		if err != nil {
			return err
		}
		return showOfPrincipal(s).write(p.stdout, asJSON)
	})
}

// preferenceFlags are the flags of a change.
type preferenceFlags struct {
	mode                   string
	actions, mutedActions  []string
	mutedActors, inherited []string
	muted                  bool
}

func (f *preferenceFlags) add(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&f.mode, "filter-mode", "", "actions that notify: all, mutations or custom")
	flags.StringSliceVar(&f.actions, "custom-actions", nil,
		"patterns of the filter mode custom, such as 'project.*'; replaces all, and '' removes all")
	flags.BoolVar(&f.muted, "muted", false, "disable notifications; --muted=false enables them")
	flags.StringSliceVar(&f.mutedActions, "muted-actions", nil,
		"patterns of the actions that do not notify; replaces all, and '' removes all")
	flags.StringSliceVar(&f.mutedActors, "muted-actors", nil,
		"ids of the actors whose activities do not notify; replaces all, and '' removes all")
	flags.StringSliceVar(&f.inherited, "inherit", nil,
		"fields to reset, so that they are inherited: filter-mode, custom-actions, muted or muted-actions")
	completeFlag(command, "filter-mode",
		string(preferences.ModeAll), string(preferences.ModeMutations), string(preferences.ModeCustom))
	completeFlag(command, "inherit", "filter-mode", "custom-actions", "muted", "muted-actions")
	completeFlag(command, "muted", "true", "false")
}

// change returns the change that the given flags make.
func (f *preferenceFlags) change(command *cobra.Command) (c preferences.Change, err error) {
	given := command.Flags().Changed
	if given("filter-mode") {
		c.Mode = (*preferences.Mode)(&f.mode)
	}
	if given("custom-actions") {
		c.CustomActions = &f.actions
	}
	if given("muted") {
		c.Muted = &f.muted
	}
	if given("muted-actions") {
		c.MutedActions = &f.mutedActions
	}
	if given("muted-actors") {
		actors, err := parseIDs("--muted-actors", f.mutedActors)
		if err != nil {
			return c, err
		}
		c.MutedActors = &actors
	}
	for _, name := range f.inherited {
		c.Inherit = append(c.Inherit, preferences.Field(strings.ReplaceAll(name, "-", "_")))
	}
	if c.IsEmpty() {
		return c, &usageError{"at least one preference is required, such as --filter-mode all"}
	}
	return c, usageErrorOf(c.Validate())
}

func newPreferencesSetCommand(p process) *cobra.Command {
	var (
		as     actingAs
		flags  preferenceFlags
		change preferences.Change
		by     = activity.System
		asJSON bool
	)
	command := &cobra.Command{
		Use:   "set --tenant ID [--as ID] --filter-mode MODE ...",
		Short: "Change preferences",
		Long: `Change the preferences that are given and keep the others. With --inherit, a field is again that of
the tenant or, for a tenant, that of the installation.

A change of a tenant's preferences is recorded in its log as preferences.changed.`,
		Example: `  fanfare preferences set --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f \
    --filter-mode custom --custom-actions 'project.*,*.deleted'
  fanfare preferences set --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f \
    --as 0192d3c1-6b7a-7f00-9d1e-3c4d5e6f7a8b --muted --inherit filter-mode`,
	}
	as.addFlags(command.Flags(), usageOfAs)
	flags.add(command)
	command.Flags().Var(&uuidValue{&by}, "by", "principal who changes the tenant's preferences; it is recorded")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	command.PreRunE = func(command *cobra.Command, _ []string) (err error) {
		if err := requireTenant(as.TenantID); err != nil {
			return err
		}
		if change, err = flags.change(command); err != nil {
			return err
		}
		switch ofTenant := as.PrincipalID == uuid.Nil; {
		case ofTenant && change.MutedActors != nil:
			return &usageError{"--muted-actors requires --as: a tenant mutes no actors"}
		case !ofTenant && command.Flags().Changed("by"):
			return &usageError{"--by and --as cannot be combined: only changes of a tenant's preferences are recorded"}
		}
		return nil
	}
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		if as.PrincipalID == uuid.Nil {
			d, err := preferencelog.Set(ctx, pool, as.TenantID, by, change)
			if err != nil {
				return err
			}
			return showOfTenant(d).write(p.stdout, asJSON)
		}
		s, err := preferences.Put(ctx, pool, as.Principal, change)
		if err != nil {
			return err
		}
		return showOfPrincipal(s).write(p.stdout, asJSON)
	})
}
