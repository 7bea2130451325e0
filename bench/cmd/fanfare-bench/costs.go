package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/bench/internal/archive"
	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/capacity"
	"github.com/fanfarehq/fanfare/internal/devstack"
)

// The parts of the costs.
const (
	costsOfRecording   = "recording"
	costsOfDelivery    = "delivery"
	costsOfWatchers    = "wide"
	costsOfConnections = "connections"
	costsOfReads       = "reads"
	costsOfStreams     = "streams"
	costsOfRedis       = "redis"
)

var costParts = []string{
	costsOfRecording, costsOfDelivery, costsOfWatchers, costsOfConnections, costsOfReads, costsOfStreams, costsOfRedis,
}

type costsOptions struct {
	databaseFlags
	workerFlags
	activities  int
	rounds      int
	few, many   int // watchers of each resource
	connections int
	parts       []string
	from        string
	machine     string
}

func newCosts() *cobra.Command {
	return newBenchmark("costs", "Measure the costs from which fanfare capacity plans", &costsOptions{}, measureCosts)
}

func (o *costsOptions) flags(flags *pflag.FlagSet) {
	o.workerFlags.flags(flags)
	o.databaseFlags.flags(flags)
	flags.IntVar(&o.activities, "activities", 50_000, "number of activities to record and to deliver")
	flags.IntVar(&o.rounds, "rounds", 5, "number of measurements of each kind, of which the lowest counts")
	flags.IntVar(&o.few, "few", 1, "watchers of each resource, in the world with few")
	flags.IntVar(&o.many, "many", 11, "watchers of each resource, in the world with many")
	flags.IntVar(&o.connections, "connections", 2000, "number of clients that connect to Centrifugo")
	flags.StringSliceVar(&o.parts, "parts", costParts, "what to measure: "+strings.Join(costParts, ", "))
	flags.StringVar(&o.from, "from", "", "file of costs from which the parts that are not measured are taken")
	flags.StringVar(&o.machine, "machine", "", "description of the machine (default its number of cores)")
}

func (o *costsOptions) validate() error {
	if o.activities < 1000 || o.rounds < 1 || o.few < 1 || o.many <= o.few || o.connections < 1 {
		return errors.New("--activities must be at least 1000, --rounds, --few and --connections at least 1, and " +
			"--many more than --few")
	}
	return checkNames("parts", o.parts, costParts)
}

// costsResult is a file of costs, as fanfare capacity --costs reads it.
type costsResult struct {
	capacity.Costs
	command string
}

func (r *costsResult) table(w io.Writer) {
	row(w, "cost", "value", "")
	for _, d := range capacity.Descriptions() {
		if cost, ok := r.Costs.Costs[d.Name]; ok {
			row(w, d.Name, fmt.Sprintf("%.1f", cost.Value), d.What)
		}
	}
}

// set stores a cost. Noise may make a difference of measurements negative.
func (r *costsResult) set(name capacity.Name, value float64) {
	r.Costs.Costs[name] = capacity.Cost{
		Value: max(0, value), Command: r.command, Date: time.Now().UTC().Format(time.DateOnly),
	}
}

func measureCosts(ctx context.Context, o *costsOptions) (*costsResult, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	versions, err := versionsOf(ctx)
	if err != nil {
		return nil, err
	}
	r := &costsResult{Costs: capacity.Costs{
		Machine: o.machine, Versions: versions, Costs: map[capacity.Name]capacity.Cost{},
	}}
	if o.machine == "" {
		r.Machine = fmt.Sprintf("%d cores", runtime.NumCPU())
	}
	if o.from != "" {
		text, err := os.ReadFile(o.from)
		if err != nil {
			return nil, err
		}
		known, err := capacity.ParseCosts(text)
		if err != nil {
			return nil, err
		}
		r.Costs.Costs = known.Costs
	}
	for part, measure := range map[string]func(context.Context, *costsOptions) error{
		costsOfRecording: r.recording, costsOfDelivery: r.delivery, costsOfWatchers: r.wide,
		costsOfConnections: r.connections, costsOfReads: r.reads, costsOfStreams: r.streams, costsOfRedis: r.redis,
	} {
		if !slices.Contains(o.parts, part) {
			continue
		}
		r.command = "fanfare-bench costs --parts " + part
		if err := measure(ctx, o); err != nil {
			return nil, fmt.Errorf("%s: %w", part, err)
		}
	}
	return r, nil
}

// versionsOf returns the versions of the servers that the measurements start.
func versionsOf(ctx context.Context) (map[string]string, error) {
	postgres, err := devstack.FindPostgres(ctx, "")
	if err != nil {
		return nil, err
	}
	server, err := devstack.PostgresVersion(ctx, postgres)
	if err != nil {
		return nil, err
	}
	binary, err := devstack.FindCentrifugo("")
	if err != nil {
		return nil, err
	}
	centrifugo, err := devstack.CentrifugoVersion(binary)
	if err != nil {
		return nil, err
	}
	return map[string]string{
		"go": strings.TrimPrefix(runtime.Version(), "go"), "postgresql": server.Text,
		"centrifugo": strings.TrimPrefix(centrifugo.Text, "v"),
	}, nil
}

// wide measures one activity with a hundred thousand watchers.
func (r *costsResult) wide(ctx context.Context, o *costsOptions) error {
	wide, err := measureWide(ctx, &wideOptions{
		databaseFlags: o.databaseFlags, watchers: 100_000, rate: 1, alone: 3 * time.Second, limit: 10 * time.Minute,
	})
	if err != nil {
		return err
	}
	r.set(capacity.WideWorker, wide.WorkerCPU)
	r.set(capacity.WidePostgres, wide.PostgresCPU)
	r.set(capacity.WideCentrifugo, wide.CentrifugoCPU)
	return nil
}

// reads measures pages of inboxes with a large log.
func (r *costsResult) reads(ctx context.Context, o *costsOptions) error {
	api := &apiOptions{databaseFlags: o.databaseFlags, clients: 4, duration: 8 * time.Second, warmUp: 2 * time.Second}
	api.archive = archive.Options{Activities: 300_000, Principals: 5_000, Resources: 10_000, Tenants: 10}
	measured, err := measureAPI(ctx, api)
	if err != nil {
		return err
	}
	for _, route := range measured.Routes {
		if route.Route == "GET /v1/notifications" {
			r.set(capacity.ReadAPI, 1000*route.ServerCPU)
			r.set(capacity.ReadPostgres, 1000*route.PostgresCPU)
		}
	}
	return measured.verify()
}

func (r *costsResult) streams(ctx context.Context, o *costsOptions) error {
	measured, err := measureReaders(ctx, &readersOptions{
		databaseFlags: o.databaseFlags, readers: 1000, tenants: 10, rate: 50, duration: 10 * time.Second,
	})
	if err != nil {
		return err
	}
	r.set(capacity.StreamAPI, float64(measured.Memory.EachLoad))
	return measured.verify()
}

// redis compares nodes that share one Redis with one node that keeps channels in memory. Each
// activity has three publications to people and one to its resource.
func (r *costsResult) redis(ctx context.Context, o *costsOptions) error {
	const publications = 4
	alone, _, err := r.engine(ctx, o, 0)
	if err != nil {
		return err
	}
	shared, bytes, err := r.engine(ctx, o, 1)
	if err != nil {
		return err
	}
	r.set(capacity.RedisPublication, shared.RedisCPU/publications)
	r.set(capacity.RedisPublicationNode, (shared.CentrifugoCPU-alone.CentrifugoCPU)/publications)
	r.set(capacity.RedisPublicationBytes, bytes)
	return nil
}

// engine delivers a backlog by an engine, and returns what Redis keeps of each publication, besides
// its payload.
func (r *costsResult) engine(
	ctx context.Context, o *costsOptions, redis int,
) (run engineRun, bytes float64, err error) {
	engines := &enginesOptions{databaseFlags: o.databaseFlags, workerFlags: o.workerFlags, activities: o.activities / 2}
	drain := &drainOptions{workerFlags: o.workerFlags, activities: engines.activities, timeout: 5 * time.Minute}
	db, err := o.start(ctx, nil)
	if err != nil {
		return run, 0, err
	}
	defer func() { err = errors.Join(err, db.Stop()) }()
	if _, err := prepareDrain(ctx, db, drain, false); err != nil {
		return run, 0, err
	}
	engine, err := stack.StartEngine(ctx, redis)
	if err != nil {
		return run, 0, err
	}
	defer func() { err = errors.Join(err, engine.Stop()) }()
	before, err := stack.ReadResident("redis-server")
	if err != nil {
		return run, 0, err
	}
	if err := engines.drain(ctx, db, drain, engine, &run); err != nil {
		return run, 0, err
	}
	after, err := stack.ReadResident("redis-server")
	return run, float64(after-before)/kept(engines.activities) - fixturePayload, err
}

// kept is the number of publications in the histories of the channels of the world of a drain: up
// to a hundred of each, of 300 people and 1,000 resources.
func kept(activities int) float64 {
	const people, resources, size = 300, 1000, 100
	return min(float64(3*activities), people*size) + min(float64(activities), resources*size)
}
