package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The parts of the comparison, in the order of their measurement.
const (
	peersPart    = "peers"
	sameJobPart  = "same-job"
	writePart    = "write"
	idlePart     = "idle"
	latencyPart  = "latency"
	widePart     = "wide"
	fairnessPart = "fairness"
	growthPart   = "growth"
)

func partNames() []string {
	return []string{peersPart, sameJobPart, writePart, idlePart, latencyPart, widePart, fairnessPart, growthPart}
}

// shortForms are the flags of the parts in the short form.
var shortForms = map[string][]string{
	peersPart:    {"--activities=10000", "--loop-activities=500", "--rounds=3"},
	sameJobPart:  {"--changes=3000", "--stream-broker-changes=500", "--rounds=3"},
	writePart:    {"--seconds=1", "--warm-up=300ms", "--rounds=3"},
	idlePart:     {"--warm-up=4s", "--duration=6s", "--rounds=1"},
	latencyPart:  {"--duration=5s"},
	widePart:     {"--watchers=50000", "--alone=5s"},
	fairnessPart: {"--surge=10000", "--alone=5s", "--rounds=1"},
	growthPart:   {"--sizes=10000,100000", "--depths=2,32", "--patterns=3,100", "--activities=5000", "--rounds=1"},
}

// latencyRounds is how often the latency is measured, each time with new servers.
const latencyRounds = 3

type compareOptions struct {
	binaries binaries
	parts    []string
	short    bool
	report   string
}

func newCompare() *cobra.Command {
	return newBenchmark("compare",
		"Measure everything that has a target, beside other solutions, and print one table",
		&compareOptions{}, measureComparison)
}

func (o *compareOptions) flags(flags *pflag.FlagSet) {
	flags.StringSliceVar(&o.parts, "parts", partNames(), "what to measure")
	flags.BoolVar(&o.short, "short", false, "measure with small sizes and few rounds, in minutes")
	flags.StringVar(&o.report, "report", "", "draw charts into this directory, with the table as Markdown")
	o.binaries.flags(flags)
}

// compareResult contains the results of the parts that were measured.
type compareResult struct {
	Machine  machine          `json:"machine"`
	Short    bool             `json:"short"`
	Began    time.Time        `json:"began"`
	Seconds  float64          `json:"seconds"`
	Peers    *peersResult     `json:"peers,omitempty"`
	SameJob  *sameJobResult   `json:"same_job,omitempty"`
	Write    *writeResult     `json:"write,omitempty"`
	Idle     *idleResult      `json:"idle,omitempty"`
	Latency  []*latencyResult `json:"latency,omitempty"`
	Wide     *wideResult      `json:"wide,omitempty"`
	Fairness *fairnessResult  `json:"fairness,omitempty"`
	Growth   *growthResult    `json:"growth,omitempty"`
	Failures []string         `json:"failures,omitempty"` // of parts, which have no result
	Targets  []targetRow      `json:"targets"`

	failures []error
}

func measureComparison(ctx context.Context, o *compareOptions) (*compareResult, error) {
	if err := checkNames("parts", o.parts, partNames()); err != nil {
		return nil, err
	}
	if err := o.binaries.find(slices.Contains(o.parts, peersPart)); err != nil {
		return nil, err
	}
	r := &compareResult{Machine: thisMachine(), Short: o.short, Began: time.Now().UTC().Truncate(time.Second)}
	parts := slices.DeleteFunc(partNames(), func(part string) bool { return !slices.Contains(o.parts, part) })
	r.measureAll(ctx, parts, func(part string) error { return r.measure(ctx, part, o) })
	r.Seconds = time.Since(r.Began).Seconds()
	r.Targets = r.rows()
	if o.report != "" {
		if err := writeReport(r, o.report); err != nil {
			r.fail("report", err)
		}
	}
	return r, nil
}

// measureAll measures the parts one after the other. A part that fails does not prevent the others,
// and none is measured after ctx has ended.
func (r *compareResult) measureAll(ctx context.Context, parts []string, measure func(part string) error) {
	for i, part := range parts {
		progress("part %d of %d: %s", i+1, len(parts), part)
		began, err := time.Now(), ctx.Err()
		if err == nil {
			err = measure(part)
		}
		if err != nil {
			r.fail(part, err)
			continue
		}
		progress("%s took %v", part, time.Since(began).Round(time.Second))
	}
}

// fail adds a failure.
func (r *compareResult) fail(part string, err error) {
	err = fmt.Errorf("%s: %w", part, err)
	progress("failed: %v", err)
	r.failures, r.Failures = append(r.failures, err), append(r.Failures, err.Error())
}

// verify returns the failures.
func (r *compareResult) verify() error { return errors.Join(r.failures...) }

// measure measures a part with the defaults of its command, or in its short form.
func (r *compareResult) measure(ctx context.Context, part string, o *compareOptions) (err error) {
	var short []string
	if o.short {
		short = shortForms[part]
	}
	switch part {
	case peersPart:
		r.Peers, err = measurePart(ctx, short, &peersOptions{binaries: o.binaries}, measurePeers)
	case sameJobPart:
		r.SameJob, err = measurePart(ctx, short, &sameJobOptions{binaries: o.binaries}, measureSameJob)
	case writePart:
		r.Write, err = measurePart(ctx, short, &writeOptions{}, measureWrites)
	case idlePart:
		r.Idle, err = measurePart(ctx, short, &idleOptions{}, measureIdle)
	case latencyPart:
		r.Latency, err = measureLatencies(ctx, short)
	case widePart:
		r.Wide, err = measurePart(ctx, short, &wideOptions{}, measureWide)
	case fairnessPart:
		r.Fairness, err = measurePart(ctx, short, &fairnessOptions{}, measureFairness)
	case growthPart:
		r.Growth, err = measurePart(ctx, short, &growthOptions{}, measureGrowth)
	}
	return err
}

// measurePart measures with the defaults of the options, changed by arguments. The result is nil if
// it contains violations.
func measurePart[O optionSet, R any](
	ctx context.Context, arguments []string, o O, measure func(context.Context, O) (*R, error),
) (*R, error) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	o.flags(flags)
	if err := flags.Parse(arguments); err != nil {
		return nil, err
	}
	result, err := measure(ctx, o)
	if err == nil {
		err = violations(result)
	}
	if err != nil {
		return nil, err
	}
	return result, nil
}

// measureLatencies measures the latency in rounds: once in the short form.
func measureLatencies(ctx context.Context, short []string) (results []*latencyResult, err error) {
	rounds := latencyRounds
	if short != nil {
		rounds = 1
	}
	for range rounds {
		result, err := measurePart(ctx, short, &latencyOptions{}, measureLatency)
		if err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	return results, nil
}

func (r *compareResult) table(w io.Writer) {
	row(w, "", "this", "other", "ratio", "CPU ratio", "target", "")
	for _, t := range r.Targets {
		row(w, t.cells()...)
	}
	for _, failure := range r.Failures {
		_, _ = fmt.Fprintln(w, "failed:", failure)
	}
	row(w)
	row(w, fmt.Sprintf("%d CPUs", r.Machine.CPUs), r.Machine.Go, fmt.Sprintf("%.0f s", r.Seconds))
}

// newReport returns the subcommand that draws the charts of an earlier comparison.
func newReport() *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Draw the charts of a comparison that was written to a file, with its table as Markdown",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if from == "" || to == "" {
				return errors.New("--from and --to are required")
			}
			result, err := readComparison(from)
			if err != nil {
				return err
			}
			return writeReport(result, to)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "the JSON file of a comparison")
	cmd.Flags().StringVar(&to, "to", "", "the directory that receives them")
	return cmd
}
