package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/internal/capacity"
)

// capacityOptions are the flags of fanfare capacity.
type capacityOptions struct {
	load   capacity.Load
	site   capacity.Site
	costs  string
	asJSON bool
}

func newCapacityCommand(p process) *cobra.Command {
	o := &capacityOptions{load: capacity.DefaultLoad(), site: capacity.DefaultSite()}
	command := &cobra.Command{
		Use:   "capacity --activities RATE",
		Short: "Compute what a load needs: cores, connections, disks, nodes, and the first limit",
		Long: `Compute from a load how many workers, cores of PostgreSQL, connections, gigabytes of log and disk,
nodes of Centrifugo and Redis it needs, how many cells (databases on a PostgreSQL of their own, each
with a part of the tenants), and which limit is reached first, with the arithmetic. Nothing is
connected to.

The costs of an activity, a recipient, a notification, a connection and a read are measured; --costs
names a file with those of your machines, which 'fanfare-bench costs --json=FILE' writes. A plan uses
--core-share of each core. docs/capacity.md describes the model, and what it does not know.

Rates are written as 1000/s, 500k/h, 86M/day or 1B/month, numbers as 20, 1.5, 10k or 2M, sizes as
800 bytes or 16TB, periods as 90 days or 2 years, shares as 0.1%.`,
		Example: `  fanfare capacity --activities 1000/s --watchers 20
  fanfare capacity --activities 86M/day --peak 5000/s --connections 200k --reads 2/min
  fanfare capacity --activities 1B/day --watchers 20 --log-retention '30 days' --json
  fanfare capacity --activities 100/s --costs costs.json`,
		Args: cobra.NoArgs,
	}
	o.flags(command.Flags())
	command.RunE = func(command *cobra.Command, _ []string) error {
		switch flags := command.Flags(); {
		case !flags.Changed("activities"):
			return &usageError{"--activities is required, such as --activities 1000/s"}
		case !flags.Changed("peak"):
			o.load.Peak = peakFactor * o.load.Activities
		}
		if err := capacity.Validate(o.load, o.site); err != nil {
			return &usageError{err.Error()}
		}
		costs, err := o.readCosts()
		if err != nil {
			return err
		}
		plan := capacity.Compute(o.load, o.site, costs)
		if o.asJSON {
			return writeJSON(p.stdout, struct {
				capacity.Plan
				Costs capacity.Costs `json:"costs"`
			}{plan, costs})
		}
		return writePlan(p.stdout, plan, costs)
	}
	return command
}

// peakFactor is how much higher than the average the peak is, unless --peak says otherwise.
const peakFactor = 3

func (o *capacityOptions) readCosts() (capacity.Costs, error) {
	if o.costs == "" {
		return capacity.Measured(), nil
	}
	text, err := os.ReadFile(o.costs)
	if err != nil {
		return capacity.Costs{}, fmt.Errorf("--costs: %w", err)
	}
	costs, err := capacity.ParseCosts(text)
	if err != nil {
		return capacity.Costs{}, fmt.Errorf("--costs %s: %w", o.costs, err)
	}
	return costs, nil
}

func (o *capacityOptions) flags(flags *pflag.FlagSet) {
	l, s := &o.load, &o.site
	rate(flags, &l.Activities, "activities", "activities that are recorded, on average; required")
	rate(flags, &l.Peak, "peak", "activities at the peak; default: three times the average")
	count(flags, &l.Watchers, "watchers", "recipients of an activity, on average")
	share(flags, &l.WideShare, "wide-share", "share of the activities that have a wide audience")
	count(flags, &l.WideWatchers, "wide-watchers", "recipients of an activity with a wide audience")
	flags.BoolVar(&l.Inbox, "inbox", l.Inbox, "a notification is stored for every recipient")
	size(flags, &l.Payload, "payload", "size of an activity's payload")
	share(flags, &l.Correlated, "correlated", "share of the activities that have a correlation id")
	count(flags, &l.Connections, "connections", "clients that are connected to Centrifugo")
	share(flags, &l.Online, "online", "share of the recipients who are connected")
	rate(flags, &l.Reads, "reads", "requests to the API, of each connection")
	count(flags, &l.Streams, "streams", "clients of /v1/activities/stream")
	periodFlag(flags, &l.LogRetention, "log-retention", "how long activities are kept")
	periodFlag(flags, &l.InboxRetention, "inbox-retention", "how long notifications are kept")
	periodFlag(flags, &l.KeyRetention, "key-retention", "how long idempotency keys are kept (idempotency_days)")

	count(flags, &s.Spare, "spare", "servers of each kind beyond the number that is needed")
	share(flags, &s.CoreShare, "core-share", "share of each core that the plan uses")
	count(flags, &s.Cores, "cores", "cores of a machine with workers, API servers or a node of Centrifugo")
	size(flags, &s.NodeMemory, "node-memory", "memory of such a machine")
	size(flags, &s.RedisMemory, "redis-memory", "memory of a Redis")
	count(flags, &s.Claimers, "workers", "the setting --workers of a worker process")
	count(flags, &s.PostgresCores, "postgres-cores", "cores of one PostgreSQL")
	size(flags, &s.PostgresWAL, "postgres-wal", "write-ahead log that one PostgreSQL can write in a second")
	size(flags, &s.PostgresDisk, "postgres-disk", "disk of one PostgreSQL")
	count(flags, &s.PostgresConnections, "postgres-connections", "connections of one PostgreSQL (max_connections)")

	flags.StringVar(&o.costs, "costs", "", "`file` of measured costs; default: those of the documentation")
	flags.BoolVar(&o.asJSON, "json", false, "print JSON")
}

// quantity is the value of a flag with a unit.
type quantity[T any] struct {
	at     *T
	kind   string
	parse  func(string) (T, error)
	format func(T) string
}

func (q *quantity[T]) Set(text string) (err error) {
	value, err := q.parse(text)
	if err == nil {
		*q.at = value
	}
	return err
}

func (q *quantity[T]) String() string {
	if q.at == nil { // pflag calls it on a zero value
		return ""
	}
	return q.format(*q.at)
}

func (q *quantity[T]) Type() string { return q.kind }

func rate(flags *pflag.FlagSet, at *float64, name, usage string) {
	format := func(r float64) string {
		switch {
		case r == 0:
			return ""
		case r < 1:
			return capacity.FormatCount(60*r) + "/min"
		}
		return capacity.FormatRate(r)
	}
	flags.Var(&quantity[float64]{at, "rate", capacity.ParseRate, format}, name, usage)
}

func count(flags *pflag.FlagSet, at *float64, name, usage string) {
	flags.Var(&quantity[float64]{at, "number", capacity.ParseCount, plainCount}, name, usage)
}

// plainCount writes a number as the flag accepts it.
func plainCount(n float64) string {
	if n >= 1000 && n < 1e6 {
		return capacity.FormatCount(n/1000) + "k"
	}
	return capacity.FormatCount(n)
}

func size(flags *pflag.FlagSet, at *float64, name, usage string) {
	flags.Var(&quantity[float64]{at, "size", capacity.ParseBytes, capacity.FormatBytes}, name, usage)
}

func share(flags *pflag.FlagSet, at *float64, name, usage string) {
	flags.Var(&quantity[float64]{at, "share", capacity.ParseShare, capacity.FormatShare}, name, usage)
}

func periodFlag(flags *pflag.FlagSet, at *time.Duration, name, usage string) {
	flags.Var(&quantity[time.Duration]{at, "period", capacity.ParsePeriod, capacity.FormatPeriod}, name, usage)
}
