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
	output   output
	binaries binaries
	parts    []string
	short    bool
	report   string
}

func newCompare() *cobra.Command {
	var o compareOptions
	cmd := newBenchmark(
		"compare",
		"Measure everything that has a target, beside other solutions, and print one table",
		&o.output,
		func(ctx context.Context) (*compareResult, error) {
			result, err := compare(ctx, &o)
			if err != nil || o.report == "" {
				return result, err
			}
			return result, writeReport(result, o.report)
		},
	)
	o.flags(cmd.Flags())
	return cmd
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
	Targets  []targetRow      `json:"targets"`
}

func compare(ctx context.Context, o *compareOptions) (*compareResult, error) {
	if err := checkNames("parts", o.parts, partNames()); err != nil {
		return nil, err
	}
	if err := o.binaries.find(slices.Contains(o.parts, peersPart)); err != nil {
		return nil, err
	}
	r := &compareResult{Machine: thisMachine(), Short: o.short, Began: time.Now().UTC().Truncate(time.Second)}
	parts := slices.DeleteFunc(partNames(), func(part string) bool { return !slices.Contains(o.parts, part) })
	for i, part := range parts {
		progress("part %d of %d: %s", i+1, len(parts), part)
		began := time.Now()
		if err := r.measure(ctx, part, o); err != nil {
			return nil, fmt.Errorf("%s: %w", part, err)
		}
		progress("%s took %v", part, time.Since(began).Round(time.Second))
	}
	r.Seconds = time.Since(r.Began).Seconds()
	r.Targets = r.rows()
	return r, nil
}

// measure measures a part with the defaults of its command, or in its short form.
func (r *compareResult) measure(ctx context.Context, part string, o *compareOptions) (err error) {
	flags := pflag.NewFlagSet(part, pflag.ContinueOnError)
	parse := func() error {
		if !o.short {
			return nil
		}
		return flags.Parse(shortForms[part])
	}
	switch part {
	case peersPart:
		var p peersOptions
		p.flags(flags)
		p.binaries = o.binaries
		r.Peers, err = verify(ctx, parse, &p, measurePeers)
	case sameJobPart:
		var p sameJobOptions
		p.flags(flags)
		p.binaries = o.binaries
		r.SameJob, err = verify(ctx, parse, &p, measureSameJob)
	case writePart:
		var p writeOptions
		p.flags(flags)
		r.Write, err = verify(ctx, parse, &p, measureWrites)
	case idlePart:
		var p idleOptions
		p.flags(flags)
		r.Idle, err = verify(ctx, parse, &p, measureIdle)
	case latencyPart:
		var p latencyOptions
		p.flags(flags)
		r.Latency, err = r.measureLatency(ctx, parse, &p)
	case widePart:
		var p wideOptions
		p.flags(flags)
		r.Wide, err = verify(ctx, parse, &p, measureWide)
	case fairnessPart:
		var p fairnessOptions
		p.flags(flags)
		r.Fairness, err = verify(ctx, parse, &p, measureFairness)
	case growthPart:
		var p growthOptions
		p.flags(flags)
		r.Growth, err = verify(ctx, parse, &p, measureGrowth)
	}
	return err
}

// verify sets the options, measures, and verifies the result.
func verify[O, R any](
	ctx context.Context, parse func() error, o *O, measure func(context.Context, *O) (*R, error),
) (*R, error) {
	if err := parse(); err != nil {
		return nil, err
	}
	result, err := measure(ctx, o)
	if err != nil {
		return nil, err
	}
	if v, ok := any(result).(verified); ok {
		err = v.verify()
	}
	return result, err
}

func (r *compareResult) measureLatency(
	ctx context.Context, parse func() error, o *latencyOptions,
) (results []*latencyResult, err error) {
	rounds := latencyRounds
	if r.Short {
		rounds = 1
	}
	for range rounds {
		result, err := verify(ctx, parse, o, latency)
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
