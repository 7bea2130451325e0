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

// judged is a result that may show that something went wrong which never may.
type judged interface{ verdict() error }

// measuring makes a subcommand that measures, shows the result, and fails if the result's verdict
// is an error.
func measuring[R shown](use, short string, o *output, measure func(ctx context.Context) (R, error)) *cobra.Command {
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			result, err := measure(cmd.Context())
			if err != nil {
				return err
			}
			if err := o.show(cmd, result); err != nil {
				return err
			}
			if j, ok := any(result).(judged); ok {
				return j.verdict()
			}
			return nil
		},
	}
	o.flags(cmd)
	return cmd
}

// databaseFlags are about the PostgreSQL that is started.
type databaseFlags struct {
	settings   map[string]string
	statements bool
}

func (f *databaseFlags) flags(flags *pflag.FlagSet) {
	flags.StringToStringVar(&f.settings, "postgres", nil, "further PostgreSQL settings, name=value")
}

func (f *databaseFlags) statementFlags(flags *pflag.FlagSet) {
	flags.BoolVar(
		&f.statements,
		"statements",
		false,
		"show which statements PostgreSQL spent its time on (needs pg_stat_statements)",
	)
}

// over adds what the flags say to what a benchmark sets.
func (f *databaseFlags) over(settings map[string]string) map[string]string {
	all := map[string]string{}
	if f.statements {
		all["shared_preload_libraries"] = "pg_stat_statements"
	}
	maps.Copy(all, settings)
	maps.Copy(all, f.settings)
	return all
}

// start starts a PostgreSQL that a benchmark has settings for.
func (f *databaseFlags) start(ctx context.Context, settings map[string]string) (*stack.Database, error) {
	progress("starting PostgreSQL")
	db, err := stack.StartDatabase(ctx, f.over(settings))
	if err != nil {
		return nil, err
	}
	return db, f.prepare(ctx, db)
}

// prepare is for a PostgreSQL that has just been started; when it fails, that is stopped.
func (f *databaseFlags) prepare(ctx context.Context, db *stack.Database) error {
	if !f.statements {
		return nil
	}
	if err := db.Exec(ctx, "CREATE EXTENSION pg_stat_statements"); err != nil {
		return errors.Join(err, db.Stop())
	}
	return nil
}

// servers is what a benchmark of deliveries runs on.
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
	if s.centrifugo, s.stopCentrifugo, err = stack.StartCentrifugo(ctx); err != nil {
		return nil, errors.Join(err, s.db.Stop())
	}
	return s, nil
}

func (s *servers) stop() error { return errors.Join(s.stopCentrifugo(), s.db.Stop()) }
