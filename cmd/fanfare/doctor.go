package main

import (
	"context"
	"fmt"
	"net/url"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/config"
	"github.com/fanfarehq/fanfare/internal/daemon"
	"github.com/fanfarehq/fanfare/internal/doctor"
	"github.com/fanfarehq/fanfare/internal/terminal"
)

func newDoctorCommand(p process) *cobra.Command {
	asJSON := false
	var origins []string
	command := &cobra.Command{
		Use:   "doctor",
		Short: "Check a running PostgreSQL and Centrifugo, and say what to change",
		Long: `Checks the PostgreSQL and the Centrifugo that fanfare would run on with the same flags and environment, and
says for each thing that is wrong what to change. Takes 15 seconds at most. In PostgreSQL it only reads; at
Centrifugo it publishes a few messages to channels that it makes up. What clients do is checked only with
the secret of tokens, FANFARE_CENTRIFUGO_TOKEN_SECRET or --centrifugo-token-secret-file.

Exits with 0 if nothing is wrong, though there may be something to look at; with 1 if something is.`,
		PreRunE: func(*cobra.Command, []string) error {
			for _, origin := range origins {
				if u, err := url.Parse(origin); err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" {
					return &usageError{"--origin must read https://app.example"}
				}
			}
			return nil
		},
	}
	withConfig(p, command, config.Doctor(), func(ctx context.Context, c *config.Config) error {
		report, err := examine(ctx, c, origins)
		if err != nil {
			return err
		}
		if asJSON {
			err = writeJSON(p.stdout, report)
		} else {
			err = report.WriteText(p.stdout, terminal.Colors(p.stdout, p.getenv))
		}
		if err == nil && !report.OK {
			err = fmt.Errorf("checks that failed: %d", report.Count(doctor.Fail))
		}
		return err
	})
	command.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	command.Flags().
		StringSliceVar(&origins, "origin", nil, "a page that browsers must be able to connect from, such as https://app.example; may be repeated")
	return command
}

func examine(ctx context.Context, c *config.Config, origins []string) (report doctor.Report, err error) {
	err = usePool(ctx, c, func(pool *pgxpool.Pool) error {
		report, err = doctor.Examine(ctx, doctor.Options{
			Pool:        pool,
			Connections: daemon.WorkerConnections(c),
			API:         centrifugo.Options{APIURL: c.CentrifugoAPIURL, APIKey: c.APIKey(), Timeout: c.PublishTimeout},
			SocketURL:   c.CentrifugoWSURL,
			Tokens:      centrifugo.TokenOptions{Secret: c.TokenSecret()},
			Formats:     c.Formats(),
			Origins:     origins,
		})
		return err
	})
	return report, err
}
