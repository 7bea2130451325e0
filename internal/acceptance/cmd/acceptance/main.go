// Command acceptance runs the long form of Fanfare's acceptance runs: kills, in which workers are
// killed under load, churn, in which everything that decides about recipients changes, cluster, in
// which processes of every kind are killed, move, in which a tenant moves to another database and
// the moving process is killed, and upgrade, in which the programs and the schema are replaced by
// those of the next version and back. Each starts a durable PostgreSQL and a Centrifugo of its own
// and removes them. It fails if a guarantee was violated.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/acceptance"
	"github.com/fanfarehq/fanfare/internal/acceptance/next"
	"github.com/fanfarehq/fanfare/internal/tenantmove"
)

func main() {
	acceptance.Main() // does not return in a worker process
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := newRoot().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "acceptance:", err)
		os.Exit(1)
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "acceptance",
		Short:         "Verify Fanfare's guarantees under faults and changes",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(newKills(), newChurn(), newCluster(), newMove(), newUpgrade())
	return root
}

func newKills() *cobra.Command {
	var o acceptance.KillsOptions
	cmd := newRun("kills", "Kill workers under load and look for lost, duplicated and reordered deliveries",
		func(ctx context.Context, e *acceptance.Environment) (result, error) {
			r, err := acceptance.Kills(ctx, e, o)
			return killsResult{thisMachine(), r}, err
		})
	flags := cmd.Flags()
	flags.IntVar(&o.Kills, "kills", 20, "number of workers to kill")
	flags.IntVar(&o.Rate, "rate", 500, "transactions a second")
	flags.IntVar(&o.People, "people", 100, "number of connected watchers")
	flags.Uint64Var(&o.Seed, "seed", 1, "seed of the moments of the kills and of the resources")
	return cmd
}

func newChurn() *cobra.Command {
	o := acceptance.ChurnOptions{MaxCut: 2 * time.Second, MaxUndecided: 0.02}
	cmd := newRun("churn", "Change everything that decides about recipients and compare the deliveries with an oracle",
		func(ctx context.Context, e *acceptance.Environment) (result, error) {
			r, err := acceptance.Churn(ctx, e, o)
			return churnResult{thisMachine(), r}, err
		})
	flags := cmd.Flags()
	flags.IntVar(&o.People, "clients", 2000, "number of principals, each with a WebSocket")
	flags.IntVar(&o.Tenants, "tenants", 4, "number of tenants")
	flags.IntVar(&o.Rate, "rate", 100, "activities a second")
	flags.IntVar(&o.Changes, "changes", 40, "changes of roles, subscriptions, preferences, … a second")
	flags.DurationVar(&o.Duration, "duration", 3*time.Minute, "time during which activities are committed")
	flags.IntVar(&o.Cuts, "cuts", 5, "connections cut a second, of one in four clients, for up to 2 s each")
	flags.Uint64Var(&o.Seed, "seed", 1, "seed of the world, the activities and the changes")
	return cmd
}

func newCluster() *cobra.Command {
	var o acceptance.ClusterOptions
	cmd := newRun("cluster", "Kill a node of Centrifugo, a Redis, a worker and an API server of a cluster in turn",
		func(ctx context.Context, e *acceptance.Environment) (result, error) {
			r, err := acceptance.Cluster(ctx, e, o)
			return clusterResult{thisMachine(), r}, err
		})
	flags := cmd.Flags()
	flags.StringVar(&o.Program, "program", "bin/fanfare", "the program fanfare")
	flags.IntVar(&o.Rate, "rate", 100, "activities a second, a fifth of them over HTTP")
	flags.IntVar(&o.People, "people", 100, "number of connected watchers")
	flags.DurationVar(&o.Before, "before", 3*time.Second, "time from the start of the traffic to the kill")
	flags.DurationVar(&o.Down, "down", 4*time.Second, "time from the kill to the restart")
	flags.DurationVar(&o.After, "after", 5*time.Second, "time from the restart to the end of the traffic")
	flags.Uint64Var(&o.Seed, "seed", 1, "seed of the resources")
	return cmd
}

func newUpgrade() *cobra.Command {
	var o acceptance.UpgradeOptions
	var before string
	cmd := newRun("upgrade", "Upgrade programs and schema one after the other under load, and go back",
		func(ctx context.Context, e *acceptance.Environment) (r result, err error) {
			version, remove, err := buildVersions(ctx, before, &o.Programs)
			defer func() { err = errors.Join(err, remove()) }()
			if err != nil {
				return nil, err
			}
			found, err := acceptance.Upgrade(ctx, e, o)
			return upgradeResult{thisMachine(), version, found}, err
		})
	flags := cmd.Flags()
	flags.StringVar(&before, "before", "tree", "the version before: tree (this one, whose next version "+
		"is this one with more migrations), or release (the newest tag v*)")
	flags.IntVar(&o.Rate, "rate", 100, "activities a second, a fifth of them over HTTP")
	flags.IntVar(&o.People, "people", 100, "number of connected watchers")
	flags.DurationVar(&o.Pause, "pause", 3*time.Second, "time between the steps, in which traffic goes on")
	flags.Uint64Var(&o.Seed, "seed", 1, "seed of the resources")
	return cmd
}

// buildVersions builds the programs of an upgrade and returns the name of the version before.
// remove removes them.
func buildVersions(
	ctx context.Context, before string, p *next.Programs,
) (version string, remove func() error, err error) {
	dir, err := os.MkdirTemp("", "fanfare-upgrade-")
	if err != nil {
		return "", func() error { return nil }, err
	}
	remove = func() error { return os.RemoveAll(dir) }
	progress("building the programs of both versions")
	switch before {
	case "tree":
		version = "this tree"
		*p, err = next.Build(ctx, ".", dir)
	case "release":
		if version, err = next.NewestRelease(ctx, "."); err == nil {
			*p, err = next.BuildRelease(ctx, ".", version, dir)
		}
	default:
		err = fmt.Errorf("--before %q: must be tree or release", before)
	}
	return version, remove, err
}

func newMove() *cobra.Command {
	o := acceptance.MoveOptions{Points: append([]tenantmove.Point{""}, tenantmove.Points()...)}
	var points []string
	cmd := newRun("move", "Move a tenant between two databases under load and kill the moving process at each step",
		func(ctx context.Context, e *acceptance.Environment) (result, error) {
			if points != nil {
				o.Points = nil
				for _, p := range points {
					o.Points = append(o.Points, tenantmove.Point(p))
				}
			}
			r, err := acceptance.Move(ctx, e, o)
			return moveResult{thisMachine(), r}, err
		})
	flags := cmd.Flags()
	flags.IntVar(&o.Rate, "rate", 200, "activities a second of the tenant that moves")
	flags.IntVar(&o.OtherRate, "other-rate", 50, "activities a second of another tenant")
	flags.IntVar(&o.People, "people", 60, "number of connected watchers")
	flags.IntVar(&o.Recorded, "recorded", 20_000, "activities in the log before the first move, of both tenants")
	flags.DurationVar(&o.Before, "before", 2*time.Second, "time from the start of the traffic to the move")
	flags.DurationVar(&o.Down, "down", 500*time.Millisecond, "time from the kill to the continuation")
	flags.DurationVar(&o.After, "after", time.Second, "time from the end of the move to the end of the traffic")
	flags.StringArrayVar(&points, "at", nil, "point at which the process is killed; may be repeated; empty for none")
	flags.BoolVar(&o.Abort, "abort", true, "abort a second move at each point where that is possible")
	flags.Uint64Var(&o.Seed, "seed", 1, "seed of the resources")
	return cmd
}

// newRun returns a command that runs in an environment of its own, prints the result and fails if
// the result contains violations.
func newRun(
	name, short string, run func(ctx context.Context, e *acceptance.Environment) (result, error),
) *cobra.Command {
	var settings map[string]string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   name,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			progress("starting PostgreSQL and Centrifugo")
			e, err := acceptance.Start(cmd.Context(), settings)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, e.Stop()) }()
			e.Progress = progress
			r, err := run(cmd.Context(), e)
			if err != nil {
				return err
			}
			return errors.Join(show(cmd.OutOrStdout(), r, asJSON), r.Err())
		},
	}
	flags := cmd.Flags()
	flags.StringToStringVar(&settings, "postgres", nil, "additional PostgreSQL settings, name=value")
	flags.BoolVar(&asJSON, "json", false, "print the result as JSON")
	return cmd
}

// progress prints a line on standard error.
func progress(format string, args ...any) {
	_, _ = fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().Format("15:04:05"), fmt.Sprintf(format, args...))
}
