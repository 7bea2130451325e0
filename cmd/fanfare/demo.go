package main

import (
	"cmp"

	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/demo"
)

// centrifugoVariable is the environment variable with the path of Centrifugo's binary.
const centrifugoVariable = "FANFARE_CENTRIFUGO_BIN"

func newDemoCommand(p process) *cobra.Command {
	options := demo.Options{Out: p.stdout, Duration: demo.DefaultDuration}
	color := "auto"
	colors := map[string]demo.Color{"auto": demo.ColorAuto, "always": demo.ColorAlways, "never": demo.ColorNever}
	command := &cobra.Command{
		Use:   "demo",
		Short: "Run a demonstration on temporary servers",
		Long: `Start a private PostgreSQL and a private Centrifugo, let a sample service commit changes, and show
who is notified of each change, who is not, and why. The servers and their data are removed at the
end.

PostgreSQL's server binaries and Centrifugo's binary must be installed. No setting is used.`,
		Example: `  fanfare demo
  fanfare demo --keep`,
		Args: cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error {
			if _, ok := colors[color]; !ok {
				return &usageError{"--color must be auto, always or never"}
			}
			if options.Duration < 0 {
				return &usageError{"--duration must not be negative"}
			}
			return nil
		},
		RunE: func(command *cobra.Command, _ []string) error {
			options.Color = colors[color]
			options.Duration = cmp.Or(options.Duration, -1) // a negative duration disables pauses
			options.Centrifugo = cmp.Or(options.Centrifugo, p.getenv(centrifugoVariable))
			return demo.Run(command.Context(), options)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.BoolVar(&options.Keep, "keep", false, "keep the servers running until interrupted, and print how to connect")
	flags.DurationVar(&options.Duration, "duration", options.Duration,
		"approximate duration of the demonstration; 0 disables pauses")
	flags.BoolVar(&options.JSON, "json", false, "print JSON Lines instead of text")
	flags.StringVar(&color, "color", color, "color of the output: auto, always or never")
	flags.StringVar(&options.Centrifugo, "centrifugo", "",
		"Centrifugo's binary (default: in PATH, next to fanfare or in ./bin) ["+centrifugoVariable+"]")
	return command
}
