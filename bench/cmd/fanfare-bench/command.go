package main

import (
	"context"
	"errors"
	"maps"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/devstack"
)

// verified is a result that may contain violations.
type verified interface{ verify() error }

// optionSet is the options of a benchmark.
type optionSet interface{ flags(flags *pflag.FlagSet) }

// newBenchmark returns a subcommand that measures, prints the result, and fails if the result
// contains violations.
func newBenchmark[O optionSet, R shown](
	use, short string, o O, measure func(ctx context.Context, o O) (R, error),
) *cobra.Command {
	var out output
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			result, err := measure(cmd.Context(), o)
			if err != nil {
				return err
			}
			if err := out.show(cmd, result); err != nil {
				return err
			}
			return violations(result)
		},
	}
	o.flags(cmd.Flags())
	out.flags(cmd.Flags())
	return cmd
}

// violations returns those of a result that may contain some.
func violations(result any) error {
	if v, ok := result.(verified); ok {
		return v.verify()
	}
	return nil
}

// databaseFlags are the options of the PostgreSQL that is started.
type databaseFlags struct {
	settings   map[string]string
	statements bool
}

func (f *databaseFlags) flags(flags *pflag.FlagSet) {
	flags.StringToStringVar(&f.settings, "postgres", nil, "additional PostgreSQL settings, name=value")
}

func (f *databaseFlags) statementFlags(flags *pflag.FlagSet) {
	flags.BoolVar(&f.statements, "statements", false,
		"show the statements on which PostgreSQL spent the most time (requires pg_stat_statements)")
}

// over adds the flags' settings to those of a benchmark.
func (f *databaseFlags) over(settings map[string]string) map[string]string {
	all := map[string]string{}
	if f.statements {
		all["shared_preload_libraries"] = "pg_stat_statements"
	}
	maps.Copy(all, settings)
	maps.Copy(all, f.settings)
	return all
}

// start starts a PostgreSQL with the settings of a benchmark.
func (f *databaseFlags) start(ctx context.Context, settings map[string]string) (*stack.Database, error) {
	progress("starting PostgreSQL")
	db, err := stack.StartDatabase(ctx, f.over(settings))
	if err != nil {
		return nil, err
	}
	return db, f.prepare(ctx, db)
}

// prepare prepares a PostgreSQL that has just been started, and stops it after an error.
func (f *databaseFlags) prepare(ctx context.Context, db *stack.Database) error {
	if !f.statements {
		return nil
	}
	if err := db.Exec(ctx, "CREATE EXTENSION pg_stat_statements"); err != nil {
		return errors.Join(err, db.Stop())
	}
	return nil
}

// servers are the servers of a benchmark of deliveries.
type servers struct {
	db         *stack.Database
	centrifugo *devstack.Centrifugo

	stopCentrifugo func() error
}

func (f *databaseFlags) startServers(ctx context.Context, settings map[string]string) (s *servers, err error) {
	s = &servers{}
	if s.db, err = f.start(ctx, settings); err != nil {
		return nil, err
	}
	progress("starting Centrifugo")
	if s.centrifugo, s.stopCentrifugo, err = stack.StartCentrifugo(ctx, ""); err != nil {
		return nil, errors.Join(err, s.db.Stop())
	}
	return s, nil
}

func (s *servers) stop() error { return errors.Join(s.stopCentrifugo(), s.db.Stop()) }
