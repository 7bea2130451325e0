package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/internal/demo"
)

// centrifugoVariable names Centrifugo's binary for the demo, and for the tests.
const centrifugoVariable = "FANFARE_CENTRIFUGO_BIN"

func newDemoCommand(p process) *cobra.Command {
	options := demo.Options{Out: p.stdout, Duration: demo.DefaultDuration}
	color := "auto"
	colors := map[string]demo.Color{"auto": demo.ColorAuto, "always": demo.ColorAlways, "never": demo.ColorNever}
	command := &cobra.Command{
		Use:   "demo",
		Short: "Watch it happen, on servers of its own",
		Long: `Starts a private PostgreSQL from the binaries that are installed and a Centrifugo, has a sample service commit
changes, and shows who hears of them, who does not, and why. Takes no setting and leaves nothing behind.`,
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
			options.Duration = cmp.Or(options.Duration, -1) // none at all is "as fast as it can"
			options.Centrifugo = cmp.Or(options.Centrifugo, p.getenv(centrifugoVariable))
			return demo.Run(command.Context(), options)
		},
	}
	flags := command.Flags()
	flags.SortFlags = false
	flags.BoolVar(&options.Keep, "keep", false, "go on until stopped, and say how to connect")
	flags.DurationVar(
		&options.Duration,
		"duration",
		options.Duration,
		"how long it takes, about; 0 means as fast as it can",
	)
	flags.BoolVar(&options.JSON, "json", false, "one JSON object a line instead of text")
	flags.StringVar(&color, "color", color, "auto, always or never")
	flags.StringVar(
		&options.Centrifugo,
		"centrifugo",
		"",
		fmt.Sprintf(
			"Centrifugo v5's binary [%s]; looked for beside this one, in ./bin and on PATH otherwise",
			centrifugoVariable,
		),
	)
	return command
}
