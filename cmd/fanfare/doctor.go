package main

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

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
		Short: "Check PostgreSQL and Centrifugo, and print remedies",
		Long: `Check the PostgreSQL and the Centrifugo that fanfare run would use with the same flags and
environment, and print a remedy for each problem. PostgreSQL is only read. Centrifugo receives a
few test messages, on channels that no client uses. The checks take at most 15 seconds.

The checks of Centrifugo's clients require the secret of its tokens, in
FANFARE_CENTRIFUGO_TOKEN_SECRET or by --centrifugo-token-secret-file.

The exit code is 1 if a check fails. Warnings do not change it.`,
		Example: `  fanfare doctor
  fanfare doctor --origin https://app.example.com --json
  fanfare doctor --cells cells.yaml --all-cells`,
		PreRunE: func(*cobra.Command, []string) error {
			for _, origin := range origins {
				if u, err := url.Parse(origin); err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" {
					return &usageError{fmt.Sprintf("--origin %q must be an origin, such as https://app.example.com",
						origin)}
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
			err = printableReport(report).WriteText(p.stdout, terminal.Colors(p.stdout, p.getenv))
		}
		if err == nil && !report.OK {
			err = fmt.Errorf("failed checks: %d", report.Count(doctor.Fail))
		}
		return err
	})
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	command.Flags().StringSliceVar(&origins, "origin", nil,
		"origin of a web page whose clients must be able to connect; may be repeated")
	return command
}

func examine(ctx context.Context, c *config.Config, origins []string) (report doctor.Report, err error) {
	err = useAnyPool(ctx, c, func(pool *pgxpool.Pool) error {
		standbys, closeStandbys, err := daemon.OpenStandbys(ctx, c, poolConnections)
		if err != nil {
			return err
		}
		defer closeStandbys()
		report, err = doctor.Examine(ctx, daemon.ExamineOptions(c, pool, standbys, origins))
		return err
	})
	return report, err
}

// printableReport returns the report with texts that a terminal does not interpret: they may name
// what others have created.
func printableReport(report doctor.Report) doctor.Report {
	report.Diagnostics = slices.Clone(report.Diagnostics)
	for i := range report.Diagnostics {
		d := &report.Diagnostics[i]
		d.Detail, d.Remedy = printable(d.Detail), printable(d.Remedy)
	}
	return report
}
