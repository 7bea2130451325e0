package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/sandbox"
)

func newDevCommand(p process) *cobra.Command {
	var binary string
	command := &cobra.Command{
		Use:   "dev",
		Short: "Run a private installation with sample data, to try Fanfare and to develop against it",
		Long: `Start a private PostgreSQL and a private Centrifugo on free ports, create the schema and a small
sample, and run the worker and the API. Print links to the console, and commands that record an
activity, read an inbox and listen, in SQL, curl, Go, Python and Node. Ctrl-C stops everything and
removes all data.

PostgreSQL's server binaries and Centrifugo's binary must be installed. No setting is used.`,
		Example: `  fanfare dev`,
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return sandbox.Run(command.Context(), sandbox.Options{
				Out: p.stdout, Err: p.stderr, Version: release(), Environ: p.environ,
				Centrifugo: cmp.Or(binary, p.getenv(centrifugoVariable)),
			})
		},
	}
	command.Flags().StringVar(&binary, "centrifugo", "",
		"Centrifugo's binary (default: next to fanfare, in ./bin or in PATH) ["+centrifugoVariable+"]")
	command.AddCommand(newDevSQLCommand(p))
	return command
}

func newDevSQLCommand(p process) *cobra.Command {
	return &cobra.Command{
		Use:    "sql URL",
		Hidden: true, // the commands of fanfare dev use it where psql is not installed
		Short:  "Run SQL statements where psql is not installed",
		Long: `Run the SQL statements of standard input on the database of a URL, and print their rows with a tab
between two columns.`,
		Example: `  echo 'SELECT version()' | fanfare dev sql "$DATABASE_URL"`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{"one argument is required: the URL of the database"}
			}
			return nil
		},
		RunE: func(command *cobra.Command, args []string) error {
			return runSQL(command.Context(), p, args[0])
		},
	}
}

// runSQL runs the statements of standard input and prints their rows.
func runSQL(ctx context.Context, p process, databaseURL string) error {
	var statements []byte
	if p.stdin != nil {
		var err error
		if statements, err = io.ReadAll(p.stdin); err != nil {
			return err
		}
	}
	conn, err := pgconn.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	results := conn.Exec(ctx, string(statements))
	for results.NextResult() {
		result := results.ResultReader()
		for result.NextRow() {
			cells := make([]string, len(result.Values()))
			for i, value := range result.Values() {
				cells[i] = string(value)
			}
			if _, err := fmt.Fprintln(p.stdout, strings.Join(cells, "\t")); err != nil {
				return err
			}
		}
		if _, err := result.Close(); err != nil {
			break // also the error of results
		}
	}
	return results.Close()
}
