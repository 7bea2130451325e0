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
	"github.com/fanfarehq/fanfare/internal/terminal"
)

func newActivityExportCommand(p process) *cobra.Command {
	var (
		which                      whichActivities
		format, output             = string(export.CSV), "-"
		zip, newestFirst, progress bool
		source, typePrefix         string
	)
	command := &cobra.Command{
		Use:   "export --tenant ID",
		Short: "Write activities to a file, as CSV, JSON Lines or CloudEvents",
		Long: `Writes the activities that are there when it begins, the oldest first. Memory stays flat, and the database is read in
short statements. A file appears under its name when it is whole; until then, and when it is interrupted, its name ends in
.partial.`,
	}
	flags := command.Flags()
	which.addFlags(flags, time.Now())
	flags.StringVar(&format, "format", format, "csv, jsonl or cloudevents")
	flags.StringVarP(&output, "output", "o", output, "the file; - is standard output")
	flags.BoolVar(&zip, "gzip", false, "compress it")
	flags.BoolVar(&newestFirst, "newest-first", false, "the newest first")
	flags.BoolVar(&progress, "progress", false, "tell how far it is on standard error, even where that is no terminal")
	flags.StringVar(&source, "source", export.DefaultSource, "the source of CloudEvents, to which the tenant is added")
	flags.StringVar(
		&typePrefix,
		"type-prefix",
		export.DefaultTypePrefix,
		"what stands before the action in the type of CloudEvents",
	)
	return withLog(p, command, func() error {
		if _, err := export.ParseFormat(format); err != nil {
			return &usageError{"--" + err.Error()}
		}
		if output == "" {
			return &usageError{"--output must name a file, or be -"}
		}
		return which.validate()
	}, func(ctx context.Context, log *pglog.Log) error {
		bar := newProgressLine(p, progress)
		wanted := export.Export{
			Tenant: which.tenant, Filter: which.filter, NewestFirst: newestFirst, Gzip: zip, Progress: bar.show,
			Encoder: export.Encoder{Format: export.Format(format), Source: source, TypePrefix: typePrefix},
		}
		done, err := writeExport(ctx, log, wanted, output, p.stdout)
		bar.end()
		if err == nil && output != "-" {
			_, err = fmt.Fprintf(
				p.stderr,
				"%s in %s, %s\n",
				plural(done.Activities, "activity", "activities"),
				output,
				age(done.Took),
			)
		}
		return err
	})
}

// writeExport writes an export to a file, which has its name once it is whole, or to stdout.
func writeExport(
	ctx context.Context,
	log *pglog.Log,
	wanted export.Export,
	output string,
	stdout io.Writer,
) (done export.Progress, err error) {
	if output == "-" {
		return wanted.Write(ctx, log, stdout)
	}
	partial := output + ".partial"
	// What is left of an earlier one goes, be it a link that somebody else laid.
	if err := os.Remove(partial); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return done, err
	}
	file, err := os.OpenFile(filepath.Clean(partial), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return done, err
	}
	done, err = wanted.Write(ctx, log, file)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return done, fmt.Errorf("%w; what there is of it is in %s", err, partial)
	}
	return done, os.Rename(partial, output)
}

// progressLine shows how far an export is, on one line of a terminal, now and then.
type progressLine struct {
	out   io.Writer // nil shows nothing
	lines bool      // no terminal: each on a line of its own
	next  time.Time
	wrote int
}

func newProgressLine(p process, always bool) *progressLine {
	redraws := terminal.Is(p.stderr)
	if !redraws && !always {
		return &progressLine{}
	}
	return &progressLine{out: p.stderr, lines: !redraws}
}

func (l *progressLine) show(p export.Progress) {
	now := time.Now()
	if l.out == nil || now.Before(l.next) && p.Part < 1 {
		return
	}
	text := progressText(p)
	if l.lines {
		l.next = now.Add(5 * time.Second)
		fmt.Fprintln(l.out, text)
		return
	}
	l.next = now.Add(100 * time.Millisecond)
	fmt.Fprint(l.out, "\r", text, strings.Repeat(" ", max(l.wrote-len(text), 0)))
	l.wrote = len(text)
}

// end leaves the line.
func (l *progressLine) end() {
	if l.out != nil && !l.lines && l.wrote > 0 {
		fmt.Fprintln(l.out)
	}
}

// progressText is a bar, for the part of the time, and numbers.
func progressText(p export.Progress) string {
	const width = 24
	full := int(p.Part * width)
	rate := 0.0
	if p.Took > 0 {
		rate = float64(p.Activities) / p.Took.Seconds()
	}
	return fmt.Sprintf(
		"[%s%s] %3.0f%%  %s  %s/s",
		strings.Repeat("#", full),
		strings.Repeat(".", width-full),
		p.Part*100,
		plural(p.Activities, "activity", "activities"),
		grouped(int64(rate)),
	)
}
