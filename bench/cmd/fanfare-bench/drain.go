package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
)

// The variants of a drain, from the least work to the most; the last is Centrifugo's own consumer.
const (
	claimOnly   = "claim"    // claim and settle
	resolveOnly = "resolve"  // and resolve the recipients
	inboxOnly   = "inbox"    // and write the inbox
	publishOnly = "publish"  // and publish, without an inbox
	everything  = "all"      // publish and write the inbox
	consumer    = "consumer" // the same publications by Centrifugo's own PostgreSQL consumer
)

var variants = []string{claimOnly, resolveOnly, inboxOnly, publishOnly, everything, consumer}

type drainOptions struct {
	databaseFlags
	workerFlags
	consumerFlags
	activities int
	watchers   int // of each resource; 0 means 3
	variants   []string
	transports []string
	against    bool
	groups     bool
	rounds     int
	channels   []string
	timeout    time.Duration
	cpuProfile string
	centrifugo string // the path of Centrifugo, or "" for the one that is installed
}

func newDrain() *cobra.Command {
	return newBenchmark("drain",
		"Measure how fast a worker drains a full outbox, and its CPU time",
		&drainOptions{}, measureDrain)
}

func (o *drainOptions) flags(flags *pflag.FlagSet) {
	flags.StringSliceVar(&o.transports, "transports", []string{overGRPC},
		"how to publish: "+strings.Join(transports, ", ")+"; each variant that publishes is measured with each")
	o.workerFlags.flags(flags)
	o.consumerFlags.flags(flags, drainPartitions)
	o.backlogFlags(flags)
	flags.StringSliceVar(&o.variants, "variants", []string{claimOnly, resolveOnly, publishOnly, everything},
		"what to measure: "+strings.Join(variants, ", "))
	flags.BoolVar(&o.against, "against-consumer", false,
		"also measure Centrifugo's own PostgreSQL consumer and print the ratios")
	flags.BoolVar(&o.groups, "groups", false,
		"also measure each variant with every fifth subscription a group's and levels of every fifth person")
	flags.IntVar(&o.rounds, "rounds", 1, "number of times to measure each variant, in turns")
	flags.IntVar(&o.watchers, "watchers", 3, "number of watchers of each resource")
	flags.StringVar(&o.cpuProfile, "cpuprofile", "", "write a CPU profile of the drains to this file")
	o.databaseFlags.flags(flags)
	o.statementFlags(flags)
}

// backlogFlags are the options of the backlog.
func (o *drainOptions) backlogFlags(flags *pflag.FlagSet) {
	flags.IntVar(&o.activities, "activities", 50_000, "number of activities to drain")
	flags.StringSliceVar(&o.channels, "channels", nil,
		"delivery channels: user, resource, tenant (default those of an envelope without channels)")
	flags.DurationVar(&o.timeout, "timeout", time.Minute, "maximum duration of a drain")
}

func (o *drainOptions) validate() error {
	if o.rounds < 1 || o.activities < 1 {
		return errors.New("--rounds and --activities must be at least 1")
	}
	return errors.Join(checkNames("variants", o.variants, variants), checkNames("transports", o.transports, transports))
}

// measured returns the variants to measure in a round: each that publishes once for each transport,
// and each that resolves also in a world with groups if that is asked for.
func (o *drainOptions) measured() (all []string) {
	for _, variant := range o.variants {
		each := []string{variant}
		if variant == publishOnly || variant == everything {
			each = overTransports(variant, o.transports)
		}
		for _, name := range each {
			all = append(all, name)
			if o.groups && variant != claimOnly && variant != consumer {
				all = append(all, name+inGroups)
			}
		}
	}
	return all
}

func measureDrain(ctx context.Context, o *drainOptions) (result *drainResult, err error) {
	if o.against && !slices.Contains(o.variants, consumer) {
		o.variants = append(o.variants, consumer)
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	db, err := o.start(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Stop()) }()
	world, err := prepareDrain(ctx, db, o, slices.Contains(o.variants, consumer))
	if err != nil {
		return nil, err
	}
	stopProfile, err := profileTo(o.cpuProfile)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stopProfile()) }()
	result = &drainResult{
		Machine: thisMachine(), Activities: o.activities, Watchers: len(world.Resources[0].Watchers),
		Worker: o.workerFlags,
	}
	once := func(ctx context.Context, variant string) (drainRun, error) { return drainVariant(ctx, db, variant, o) }
	if result.Runs, err = inTurns(ctx, o.rounds, o.measured(), once); err != nil {
		return nil, err
	}
	result.summarize()
	return result, nil
}

// drainVariant drains once by a worker or by Centrifugo's consumer.
func drainVariant(ctx context.Context, db *stack.Database, variant string, o *drainOptions) (drainRun, error) {
	if variant == consumer {
		return consumeOnce(ctx, db, variant, o)
	}
	if work, grouped := strings.CutSuffix(variant, inGroups); grouped {
		return drainInGroups(ctx, db, work, o)
	}
	return drainOnce(ctx, db, variant, o)
}
