package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/activity/export"
	"github.com/fanfarehq/fanfare/activity/pglog"
)

func newActivityExportCommand(p process) *cobra.Command {
	var (
		selected                        selection
		format, output                  = string(export.CSV), "-"
		compress, newestFirst, progress bool
		source, typePrefix              string
	)
	command := &cobra.Command{
		Use:   "export --tenant ID",
		Short: "Export activities as CSV, JSON Lines or CloudEvents",
		Long: `Export the activities that exist when the command begins, the oldest first. The log is read in
short statements and with constant memory, so an export of any size does not hold up vacuum.

While it is written, and after an interruption, the file's name ends in .partial.`,
		Example: `  fanfare activity export --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f --since 30d -o log.csv
  fanfare activity export --tenant 018f3b1c-7a5e-7cc4-8f6e-2a1b3c4d5e6f --format jsonl --gzip > log.jsonl.gz`,
	}
	flags := command.Flags()
	selected.addFlags(flags, time.Now())
	flags.StringVar(&format, "format", format, "format: csv, jsonl or cloudevents")
	flags.StringVarP(&output, "output", "o", output, "file to write; - is standard output")
	flags.BoolVar(&compress, "gzip", false, "compress the output with gzip")
	flags.BoolVar(&newestFirst, "newest-first", false, "write the newest activities first")
	flags.BoolVar(&progress, "progress", false,
		"print the progress to standard error, even if it is not a terminal")
	flags.StringVar(&source, "source", export.DefaultSource,
		"prefix of the CloudEvents attribute source, before the tenant")
	flags.StringVar(&typePrefix, "type-prefix", export.DefaultTypePrefix,
		"prefix of the CloudEvents attribute type, before the action")
	return withLog(p, command, func() error {
		if _, err := export.ParseFormat(format); err != nil {
			return &usageError{"--" + err.Error()}
		}
		if output == "" {
			return &usageError{"--output must be a file or -"}
		}
		return selected.validate()
	}, func(ctx context.Context, log *pglog.Log) error {
		line := newProgressLine(p, progress)
		wanted := export.Export{
			Tenant:      selected.tenant,
			Filter:      selected.filter,
			NewestFirst: newestFirst,
			Gzip:        compress,
			Progress:    func(e export.Progress) { line.show(exportProgress(e), e.Part >= 1) },
			Encoder:     export.Encoder{Format: export.Format(format), Source: source, TypePrefix: typePrefix},
		}
		done, err := writeExport(ctx, log, wanted, output, p.stdout)
		line.end()
		if err == nil && output != "-" {
			_, err = fmt.Fprintf(p.stderr, "Exported %s to %s in %s.\n",
				activities(done.Activities), output, age(done.Took))
		}
		return err
	})
}

// writeExport writes an export to stdout or to a file, which gets its name when it is complete.
func writeExport(
	ctx context.Context, log *pglog.Log, wanted export.Export, output string, stdout io.Writer,
) (done export.Progress, err error) {
	err = writeFile(output, stdout, func(out io.Writer) (err error) {
		done, err = wanted.Write(ctx, log, out)
		return err
	})
	return done, err
}

// writeFile calls write with stdout if output is "-", and otherwise with a file, which gets its
// name when it is complete.
func writeFile(output string, stdout io.Writer, write func(out io.Writer) error) error {
	if output == "-" {
		return write(stdout)
	}
	partial := output + ".partial"
	// A file or a link of an earlier export is removed, never followed.
	if err := os.Remove(partial); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := os.OpenFile(filepath.Clean(partial), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = write(file)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("%w; the incomplete file is %s", err, partial)
	}
	return os.Rename(partial, output)
}

// exportProgress returns a bar for the exported part of the time range, and numbers.
func exportProgress(p export.Progress) string {
	const width = 24
	filled := int(p.Part * width)
	rate := 0.0
	if p.Took > 0 {
		rate = float64(p.Activities) / p.Took.Seconds()
	}
	return fmt.Sprintf("[%s%s] %3.0f%%  %s  %s/s",
		strings.Repeat("#", filled), strings.Repeat(".", width-filled), p.Part*100,
		activities(p.Activities), grouped(int64(rate)))
}
