package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/preferences"
	"github.com/fanfarehq/fanfare/watchers/levels"
	"github.com/fanfarehq/fanfare/watchers/subscriptions"
)

func newWatchLevelsCommand(p process) *cobra.Command {
	group := newGroup("watch-levels", "List, set and remove the levels of a principal",
		`List, set and remove the levels that a principal has set for resources.

A level decides, instead of the preferences, how much the principal is notified about a resource or,
with the scope descendants, about it and everything under it. The level nearest to the resource
decides.`)
	group.AddCommand(newWatchLevelsListCommand(p), newWatchLevelsSetCommand(p), newWatchLevelsRemoveCommand(p))
	return group
}

// shownLevel is a level in the output of a command.
type shownLevel struct {
	ResourceID uuid.UUID         `json:"resource_id"`
	Level      preferences.Level `json:"level"`
	Scope      string            `json:"scope"`
	Patterns   []string          `json:"patterns"`
	UpdatedAt  time.Time         `json:"updated_at"`
}

func (l shownLevel) cells() []string {
	return []string{
		l.ResourceID.String(), string(l.Level), l.Scope, orNone(l.Patterns), l.UpdatedAt.UTC().Format(time.RFC3339),
	}
}

// levelHeader is the header of a table of levels.
var levelHeader = []string{"RESOURCE", "LEVEL", "SCOPE", "PATTERNS", "UPDATED"}

func newWatchLevelsListCommand(p process) *cobra.Command {
	return pagedList[levels.Level, shownLevel]{
		short:  "List the levels of a principal, by resource",
		things: "levels",
		id:     "resource",
		header: levelHeader,
		list:   levels.List,
		show:   func(l levels.Level) shownLevel { return shownLevel(l) },
		cells:  func(l levels.Level) []string { return shownLevel(l).cells() },
	}.command(p)
}

func newWatchLevelsSetCommand(p process) *cobra.Command {
	var (
		as     actingAs
		level  levels.Level
		text   string
		asJSON bool
	)
	command := &cobra.Command{
		Use:   "set <resource-id> --tenant ID --as ID --level LEVEL",
		Short: "Set the level of a principal for a resource",
		Long: `Set the level of a principal for a resource. It replaces the level that the principal has set for the
resource before. The principal must own the resource or hold a role on it or on one of its ancestors.

  all            all activities
  custom         activities whose action matches one of the patterns
  participating  all activities, if the principal is the owner or a delegator; none, if it is a subscriber
  ignore         no activities, not even as owner or delegator

Mandatory actions, and activities whose target is the principal, notify with every level.`,
		Example: `  fanfare watch-levels set 0192d3c1-6b7a-7f00-9d1e-3c4d5e6f7a8b --level ignore --scope descendants \
    --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f --as 0192d3c1-5a5e-7cc4-8f6e-2a1b3c4d5e6f`,
		Args: idArgument("resource", &level.ResourceID),
		PreRunE: func(*cobra.Command, []string) error {
			if err := as.validate(); err != nil {
				return err
			}
			if text == "" {
				return &usageError{"--level is required: all, custom, participating or ignore"}
			}
			level.Level = preferences.Level(text)
			return usageErrorOf(level.Validate())
		},
	}
	flags := command.Flags()
	as.addFlags(flags, "id of the principal")
	flags.StringVar(&text, "level", "", "all, custom, participating or ignore")
	flags.StringVar(&level.Scope, "scope", subscriptions.ScopeResource,
		"resource: the resource alone; descendants: it and everything under it")
	flags.StringSliceVar(&level.Patterns, "patterns", nil, "patterns of the level custom, such as 'project.*'")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	names := []string{}
	for _, l := range preferences.Levels() {
		names = append(names, string(l))
	}
	completeFlag(command, "level", names...)
	completeFlag(command, "scope", subscriptions.ScopeResource, subscriptions.ScopeDescendants)
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		set, err := levels.Set(ctx, pool, as.Principal, level)
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(p.stdout, shownLevel(set))
		}
		return writeTable(p.stdout, [][]string{levelHeader, shownLevel(set).cells()})
	})
}

func newWatchLevelsRemoveCommand(p process) *cobra.Command {
	var (
		as       actingAs
		resource uuid.UUID
		asJSON   bool
	)
	command := &cobra.Command{
		Use:     "remove <resource-id> --tenant ID --as ID",
		Short:   "Remove the level of a principal for a resource",
		Long:    `Remove the level of a principal for a resource. Without one, nothing changes.`,
		Args:    idArgument("resource", &resource),
		PreRunE: func(*cobra.Command, []string) error { return as.validate() },
	}
	as.addFlags(command.Flags(), "id of the principal")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return withPool(p, command, func(ctx context.Context, pool *pgxpool.Pool) error {
		removed, err := levels.Remove(ctx, pool, as.Principal, resource)
		if err != nil {
			return err
		}
		if asJSON {
			return writeJSON(p.stdout, map[string]bool{"removed": removed})
		}
		text := "Level removed: %s\n"
		if !removed {
			text = "No level: %s\n"
		}
		_, err = fmt.Fprintf(p.stdout, text, resource)
		return err
	})
}
