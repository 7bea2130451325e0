package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/doctor"
	"github.com/fanfarehq/fanfare/internal/terminal"
)

func newDoctorCommand(p process) *cobra.Command {
	settings := slices.Concat(
		databaseSettings(),
		centrifugoSettings(),
		realtimeSettings(),
		channelSettings(),
		deliverySettings(),
	)
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
		Args: cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error {
			for _, origin := range origins {
				if u, err := url.Parse(origin); err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" {
					return &usageError{"--origin must read https://app.example"}
				}
			}
			return nil
		},
		RunE: func(command *cobra.Command, _ []string) error {
			config := load(settings, command.Flags(), p.getenv)
			if err := config.Validate(); err != nil {
				return err
			}
			report, err := examine(command.Context(), &config.Config, origins)
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
		},
	}
	addFlags(command.Flags(), settings)
	command.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	command.Flags().
		StringSliceVar(&origins, "origin", nil, "a page that browsers must be able to connect from, such as https://app.example; may be repeated")
	return command
}

func examine(ctx context.Context, c *Config, origins []string) (doctor.Report, error) {
	pool, err := openPool(ctx, c, 2)
	if err != nil {
		return doctor.Report{}, err
	}
	defer pool.Close()
	return doctor.Examine(ctx, doctor.Options{
		Pool:        pool,
		Connections: workerConnections(c),
		API:         centrifugo.Options{APIURL: c.CentrifugoAPIURL, APIKey: c.apiKey(), Timeout: c.PublishTimeout},
		SocketURL:   c.CentrifugoWSURL,
		Tokens:      centrifugo.TokenOptions{Secret: c.tokenSecret()},
		Formats:     c.formats(),
		Origins:     origins,
	})
}
