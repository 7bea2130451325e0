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

	"github.com/fanfarehq/fanfare/bench/internal/stack"
)

// The peers: ways to deliver a backlog of the same publications. Fanfare comes first.
const (
	fanfareAlone = "fanfare"       // resolves recipients and publishes
	fanfareInbox = "fanfare-inbox" // and writes notifications
	consumerV6   = "consumer-v6"   // Centrifugo's own PostgreSQL consumer, with prepared publications
	consumerV5   = "consumer-v5"
	riverJobs    = "river"      // River jobs with prepared publications, one request each
	riverNoOp    = "river-noop" // River jobs that do nothing
	ownLoop      = "loop"       // the loop that applications write themselves
)

func peerNames() []string {
	return []string{fanfareAlone, fanfareInbox, consumerV6, consumerV5, riverJobs, riverNoOp, ownLoop}
}

// binaries are the paths of both major versions of Centrifugo.
type binaries struct{ v6, v5 string }

func (b *binaries) flags(flags *pflag.FlagSet) {
	flags.StringVar(&b.v6, "centrifugo-v6", b.v6, "path of Centrifugo v6 (default bin/centrifugo)")
	flags.StringVar(&b.v5, "centrifugo-v5", b.v5, "path of Centrifugo v5 (default bin/centrifugo-v5)")
}

// find finds the binaries. That of v5 is required only if it is used.
func (b *binaries) find(useV5 bool) (err error) {
	if b.v6, err = stack.FindCentrifugo(b.v6, 6); err != nil || !useV5 {
		return err
	}
	b.v5, err = stack.FindCentrifugo(b.v5, 5)
	return err
}

type peersOptions struct {
	drain    drainOptions
	binaries binaries
	river    riverFlags
	names    []string
	rounds   int
	slow     int // number of activities of the loop
	loops    int
}

func newPeers() *cobra.Command {
	return newBenchmark("peers",
		"Measure the delivery of the same publications by Fanfare and by other solutions, in turns",
		&peersOptions{}, measurePeers)
}

func (o *peersOptions) flags(flags *pflag.FlagSet) {
	flags.IntVar(&o.drain.activities, "activities", 50_000, "activities to deliver")
	flags.IntVar(&o.slow, "loop-activities", 3000, "activities that the loop delivers, which is much slower")
	flags.IntVar(&o.loops, "loops", 4, "number of loops at a time")
	flags.IntVar(&o.rounds, "rounds", 5, "number of times to measure each peer, in turns")
	flags.StringSliceVar(&o.names, "peers", peerNames(), "what to measure")
	flags.DurationVar(&o.drain.timeout, "timeout", 2*time.Minute, "maximum duration of a delivery")
	o.drain.workerFlags.flags(flags)
	o.drain.consumerFlags.flags(flags, drainPartitions)
	o.drain.databaseFlags.flags(flags)
	o.river.flags(flags)
	flags.IntVar(
		&o.river.noOps, "river-noop-workers", 1000, "maximum number of River jobs that do nothing at a time")
	o.binaries.flags(flags)
}

func (o *peersOptions) validate() error {
	if o.rounds < 1 || o.drain.activities < 1 || o.slow < 1 || o.loops < 1 {
		return errors.New("--rounds, --activities, --loop-activities and --loops must be at least 1")
	}
	return checkNames("peers", o.names, peerNames())
}

type peersResult struct {
	Machine    machine     `json:"machine"`
	Activities int         `json:"activities"`
	Slow       int         `json:"loop_activities"`
	Watchers   int         `json:"watchers"`
	Others     []string    `json:"options_of_others"`
	Runs       []drainRun  `json:"runs"`
	Summary    []contender `json:"summary"`
}

func (r *peersResult) table(w io.Writer) {
	contenderTable(w, fmt.Sprintf("%d activities", r.Activities), "worker", r.Runs, r.Summary,
		[]string{fanfareAlone, fanfareInbox})
	optionTable(w, r.Others)
}

// optionTable prints the options of the solutions that Fanfare is compared with.
func optionTable(w io.Writer, others []string) {
	row(w)
	for _, options := range others {
		_, _ = fmt.Fprintln(w, options) // without a tab, so that no column becomes wider
	}
}

// contenderTable prints the contenders, with the ratios of Fanfare's variants to each other one.
func contenderTable(w io.Writer, title, process string, runs []drainRun, summary []contender, ours []string) {
	header := []any{
		title, "activities/s", "from", "to", "publications", "inbox rows",
		"CPU µs each:", process, "postgres", "centrifugo", "sum",
	}
	for _, variant := range ours {
		header = append(header, variant+": rate", "CPU")
	}
	row(w, header...)
	for _, c := range summary {
		cells := []any{
			c.Name, fmt.Sprintf("%.0f", c.PerSecond.Median),
			fmt.Sprintf("%.0f", c.PerSecond.Low), fmt.Sprintf("%.0f", c.PerSecond.High),
			c.Publications, c.InboxRows, "",
			fmt.Sprintf("%.1f", c.OwnCPU), fmt.Sprintf("%.1f", c.PostgresCPU), fmt.Sprintf("%.1f", c.CentrifugoCPU),
			fmt.Sprintf("%.1f", c.CPU.Median),
		}
		for _, variant := range ours {
			rate, cpu, ok := compareRuns(runs, variant, c.Name)
			if !ok || variant == c.Name {
				cells = append(cells, "", "")
				continue
			}
			cells = append(cells, rate, cpu)
		}
		row(w, cells...)
	}
}

func measurePeers(ctx context.Context, o *peersOptions) (result *peersResult, err error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if err := o.binaries.find(slices.Contains(o.names, consumerV5)); err != nil {
		return nil, err
	}
	db, err := o.drain.start(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Stop()) }()
	world, err := prepareDrain(ctx, db, &o.drain, true)
	if err != nil {
		return nil, err
	}
	p := &peers{options: o, db: db}
	if err := p.prepare(ctx); err != nil {
		return nil, err
	}
	result = &peersResult{
		Machine: thisMachine(), Activities: o.drain.activities, Slow: min(o.slow, o.drain.activities),
		Watchers: len(world.Resources[0].Watchers), Others: []string{o.river.String(), o.drain.consumerFlags.String()},
	}
	if result.Runs, err = inTurns(ctx, o.rounds, o.names, p.measure); err != nil {
		return nil, err
	}
	result.Summary = summarize(result.Runs, o.names)
	return result, nil
}

// peers delivers a backlog in a database.
type peers struct {
	options *peersOptions
	db      *stack.Database
}

func (p *peers) prepare(ctx context.Context) error {
	return errors.Join(migrateRiver(ctx, p.db), prepareLoop(ctx, p.db))
}

// measure delivers the backlog once.
func (p *peers) measure(ctx context.Context, name string) (drainRun, error) {
	o := p.options.drain
	o.centrifugo = p.options.binaries.v6
	switch name {
	case fanfareAlone:
		return drainOnce(ctx, p.db, publishOnly, &o)
	case fanfareInbox:
		return drainOnce(ctx, p.db, everything, &o)
	case consumerV6:
		return consumeOnce(ctx, p.db, name, &o)
	case consumerV5:
		o.centrifugo = p.options.binaries.v5
		return consumeOnce(ctx, p.db, name, &o)
	case riverJobs, riverNoOp:
		return riverOnce(ctx, p.db, name == riverJobs, p.options)
	default:
		return loopOnce(ctx, p.db, p.options)
	}
}
