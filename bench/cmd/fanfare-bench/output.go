package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/internal/acceptance"
)

// output selects how a subcommand shows its result: as a table, as JSON, or as a table and as JSON
// in a file.
type output struct{ json string }

// onStandardOutput is the value of --json without a file.
const onStandardOutput = "-"

func (o *output) flags(flags *pflag.FlagSet) {
	const name = "json"
	const usage = "print the result as JSON; --json=FILE prints the table and writes the JSON to a file"
	flags.StringVar(&o.json, name, "", usage)
	flags.Lookup(name).NoOptDefVal = onStandardOutput
}

// shown is a result that prints itself as a table.
type shown interface{ table(w io.Writer) }

func (o *output) show(cmd *cobra.Command, result shown) error {
	if o.json != "" {
		text, err := json.MarshalIndent(result, "", "  ")
		if err != nil {
			return err
		}
		text = append(text, '\n')
		if o.json == onStandardOutput {
			_, err := cmd.OutOrStdout().Write(text)
			return err
		}
		if err := os.WriteFile(o.json, text, 0o644); err != nil {
			return err
		}
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', tabwriter.AlignRight)
	result.table(w)
	return w.Flush()
}

// row prints the cells of a row. With AlignRight every cell ends with a tab.
func row(w io.Writer, cells ...any) {
	texts := make([]string, len(cells))
	for i, c := range cells {
		texts[i] = fmt.Sprint(c)
	}
	_, _ = fmt.Fprintln(w, strings.Join(texts, "\t")+"\t")
}

// progress prints a line on standard error.
func progress(format string, args ...any) {
	_, _ = fmt.Fprintf(os.Stderr, "%s  %s\n", time.Now().Format("15:04:05"), fmt.Sprintf(format, args...))
}

// progressOf prints the progress and the estimated remaining time every five seconds until stop is
// called.
func progressOf(what string, total int, done func() int) (stop func()) {
	began, ended := time.Now(), make(chan struct{})
	var printer sync.WaitGroup
	printer.Go(func() {
		tick := time.NewTicker(5 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
			}
			n := done()
			if n == 0 {
				continue
			}
			took := time.Since(began)
			left := time.Duration(float64(took) * float64(total-n) / float64(n))
			progress("%s: %d of %d, %d%%, %.0f/s, about %v left", what, n, total, 100*n/max(1, total),
				float64(n)/took.Seconds(), left.Round(time.Second))
		}
	})
	return func() { close(ended); printer.Wait() }
}

// machine describes the machine that a result was obtained on.
type machine struct {
	CPUs int    `json:"cpus"`
	Go   string `json:"go"`
}

func thisMachine() machine { return machine{runtime.NumCPU(), runtime.Version()} }

type milliseconds = acceptance.Milliseconds

func inMilliseconds(d time.Duration) milliseconds { return acceptance.InMilliseconds(d) }

// median returns the upper median of a non-empty list.
func median[T int | int64 | float64 | milliseconds | time.Duration](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
