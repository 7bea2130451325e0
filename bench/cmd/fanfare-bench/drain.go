package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/outbox"
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
	output     output
	activities int
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
	var o drainOptions
	cmd := newBenchmark(
		"drain",
		"Measure how fast a worker drains a full outbox, and its CPU time",
		&o.output,
		func(ctx context.Context) (*drainResult, error) {
			if o.against && !slices.Contains(o.variants, consumer) {
				o.variants = append(o.variants, consumer)
			}
			for _, v := range o.variants {
				if !slices.Contains(variants, v) {
					return nil, fmt.Errorf("--variants: got %q, want one of %s", v, strings.Join(variants, ", "))
				}
			}
			for _, transport := range o.transports {
				if transport != overGRPC && transport != overHTTP {
					return nil, fmt.Errorf("--transports: got %q, want %s or %s", transport, overGRPC, overHTTP)
				}
			}
			return drain(ctx, &o)
		},
	)
	flags := cmd.Flags()
	flags.StringSliceVar(&o.transports, "transports", []string{overGRPC},
		"how to publish: "+overGRPC+", "+overHTTP+"; each variant that publishes is measured with each")
	o.workerFlags.flags(flags)
	o.consumerFlags.flags(flags, drainPartitions)
	flags.IntVar(&o.activities, "activities", 50_000, "activities to drain")
	flags.StringSliceVar(
		&o.variants,
		"variants",
		[]string{claimOnly, resolveOnly, publishOnly, everything},
		"what to measure: "+strings.Join(variants, ", "),
	)
	flags.BoolVar(
		&o.against,
		"against-consumer",
		false,
		"also measure Centrifugo's own PostgreSQL consumer and print the ratios",
	)
	flags.BoolVar(&o.groups, "groups", false,
		"also measure each variant with every fifth subscription a group's and levels of every fifth person")
	flags.IntVar(&o.rounds, "rounds", 1, "number of times to measure each variant, in turns")
	flags.StringSliceVar(
		&o.channels,
		"channels",
		nil,
		"delivery channels: user, resource, tenant (default those of an envelope without channels)",
	)
	flags.DurationVar(&o.timeout, "timeout", time.Minute, "maximum duration of a drain")
	flags.StringVar(&o.cpuProfile, "cpuprofile", "", "write a CPU profile of the drains to this file")
	o.databaseFlags.flags(flags)
	o.statementFlags(flags)
	return cmd
}

// drainRun is one measured drain.
type drainRun struct {
	Variant       string      `json:"variant"`
	Round         int         `json:"round"`
	Seconds       float64     `json:"seconds"`
	PerSecond     float64     `json:"activities_per_second"`
	Deliveries    float64     `json:"deliveries_per_second"`
	Publications  int64       `json:"publications"`
	InboxRows     int64       `json:"inbox_rows"`
	WorkerCPU     float64     `json:"worker_cpu_us_per_activity"`
	PostgresCPU   float64     `json:"postgres_cpu_us_per_activity"`
	CentrifugoCPU float64     `json:"centrifugo_cpu_us_per_activity"`
	Statements    []statement `json:"statements,omitempty"`
}

type drainResult struct {
	Machine    machine            `json:"machine"`
	Activities int                `json:"activities"`
	Watchers   int                `json:"watchers"`
	Worker     workerFlags        `json:"worker"`
	Runs       []drainRun         `json:"runs"`
	Medians    map[string]float64 `json:"median_activities_per_second"`
	Ratios     map[string]float64 `json:"ratio_to_consumer,omitempty"`
}

func (r *drainResult) table(w io.Writer) {
	row(
		w,
		"variant",
		"seconds",
		"activities/s",
		"deliveries/s",
		"publications",
		"inbox rows",
		"CPU µs each:",
		"worker",
		"postgres",
		"centrifugo",
		"sum",
	)
	for _, run := range r.Runs {
		row(
			w,
			run.Variant,
			fmt.Sprintf("%.2f", run.Seconds),
			fmt.Sprintf("%.0f", run.PerSecond),
			fmt.Sprintf("%.0f", run.Deliveries),
			run.Publications,
			run.InboxRows,
			"",
			fmt.Sprintf("%.1f", run.WorkerCPU),
			fmt.Sprintf("%.1f", run.PostgresCPU),
			fmt.Sprintf(
				"%.1f",
				run.CentrifugoCPU,
			),
			fmt.Sprintf("%.1f", run.WorkerCPU+run.PostgresCPU+run.CentrifugoCPU),
		)
	}
	names := slices.Clone(variants)
	for _, v := range variants {
		names = append(names, v+byHTTP, v+inGroups, v+byHTTP+inGroups)
	}
	for _, v := range names {
		median, ok := r.Medians[v]
		if !ok {
			continue
		}
		cells := []any{"median " + v, "", fmt.Sprintf("%.0f", median)}
		if ratio, ok := r.Ratios[v]; ok && v != consumer {
			cells = append(cells, fmt.Sprintf("%.2f of consumer", ratio))
		}
		row(w, cells...)
	}
	for _, run := range r.Runs {
		showStatements(w, run.Variant, run.Statements)
	}
}

// refill inserts every recorded activity into the outbox again, in its order.
const refill = `INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at)
	SELECT lane, activity_id, tenant_id, resource_id, recorded_at FROM recorded ORDER BY seq`

// prepareDrain loads a world, records activities and keeps their outbox rows for refill. With
// commands it also prepares the same publications for Centrifugo's own consumer.
func prepareDrain(ctx context.Context, db *stack.Database, o *drainOptions, commands bool) (*fixture.World, error) {
	world := fixture.New(fixture.Options{})
	if err := world.Load(ctx, db.Pool); err != nil {
		return nil, err
	}
	progress("recording %d activities", o.activities)
	began := time.Now()
	if _, err := world.Record(ctx, db.Pool, o.activities, o.channels...); err != nil {
		return nil, err
	}
	progress("recorded %.0f/s", float64(o.activities)/time.Since(began).Seconds())
	err := db.Exec(ctx, "CREATE TABLE recorded AS SELECT * FROM fanfare.outbox", "VACUUM (ANALYZE) fanfare.activities")
	if err != nil || !commands {
		return world, err
	}
	progress("preparing the same publications for Centrifugo's own consumer")
	return world, prepareCommands(ctx, db, o)
}

func drain(ctx context.Context, o *drainOptions) (result *drainResult, err error) {
	db, err := o.start(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Stop()) }()
	world, err := prepareDrain(ctx, db, o, slices.Contains(o.variants, consumer))
	if err != nil {
		return nil, err
	}
	if o.cpuProfile != "" {
		file, err := os.Create(o.cpuProfile)
		if err != nil {
			return nil, err
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			return nil, err
		}
		defer func() { pprof.StopCPUProfile(); err = errors.Join(err, file.Close()) }()
	}
	result = &drainResult{
		Machine: thisMachine(), Activities: o.activities, Watchers: len(world.Resources[0].Watchers),
		Worker: o.workerFlags, Medians: map[string]float64{}, Ratios: map[string]float64{},
	}
	rates := map[string][]float64{}
	record := func(round int, run drainRun) {
		run.Round = round + 1
		progress("round %d: %s: %.0f activities/s", run.Round, run.Variant, run.PerSecond)
		result.Runs = append(result.Runs, run)
		rates[run.Variant] = append(rates[run.Variant], run.PerSecond)
	}
	for round := range o.rounds {
		for _, variant := range o.measured() {
			measure := drainOnce
			if variant == consumer {
				measure = consumeOnce
			}
			run, err := measure(ctx, db, variant, o)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", variant, err)
			}
			record(round, run)
			if !o.groups || variant == claimOnly || variant == consumer {
				continue
			}
			if run, err = drainInGroups(ctx, db, variant, o); err != nil {
				return nil, fmt.Errorf("%s%s: %w", variant, inGroups, err)
			}
			record(round, run)
		}
	}
	for variant, values := range rates {
		result.Medians[variant] = median(values)
	}
	if base := result.Medians[consumer]; base > 0 {
		for variant, value := range result.Medians {
			result.Ratios[variant] = value / base
		}
	}
	return result, nil
}

// drainOnce drains a full outbox with a new worker. The time starts when the worker can see the
// rows.
func drainOnce(ctx context.Context, db *stack.Database, variant string, o *drainOptions) (run drainRun, err error) {
	if err := db.Exec(ctx, "TRUNCATE fanfare.outbox, fanfare.notifications", refill); err != nil {
		return run, err
	}
	if err := db.Settle(ctx, "fanfare.outbox", "fanfare.notifications"); err != nil {
		return run, err
	}
	counted := newDeliveries(o.activities)
	var handler outbox.Handler = idle{}
	apiURL := ""
	work, publishesByHTTP := strings.CutSuffix(variant, byHTTP)
	if work != claimOnly {
		opts := fanout.Options{NoInbox: work == resolveOnly || work == publishOnly, Observer: sent{counted}}
		var publisher fanout.Publisher = nowhere{}
		if work == publishOnly || work == everything {
			server, stop, err := stack.StartCentrifugo(ctx, o.centrifugo)
			if err != nil {
				return run, err
			}
			defer func() { err = errors.Join(err, stop()) }()
			apiURL = server.APIURL()
			urls := server.APIURLs()
			if publishesByHTTP {
				urls = apiURL
			}
			client, err := centrifugo.New(centrifugo.Options{APIURL: urls, APIKey: server.APIKey()})
			if err != nil {
				return run, err
			}
			defer client.Close()
			if err := connect(ctx, client, publishesByHTTP); err != nil {
				return run, err
			}
			publisher = client
		}
		if handler, err = newFanout(publisher, opts); err != nil {
			return run, err
		}
	}
	open, err := db.Gate(ctx, "fanfare.outbox")
	if err != nil {
		return run, err
	}
	worker, err := startWorker(ctx, db.URL, handler, o.workerFlags, counted)
	if err != nil {
		return run, errors.Join(err, open())
	}
	defer func() { err = errors.Join(err, worker.stop()) }()
	time.Sleep(settleTime)
	if err := resetStatements(ctx, db, o.statements); err != nil {
		return run, err
	}
	before, began := stack.ReadCPU(), time.Now()
	if err := open(); err != nil {
		return run, err
	}
	if err := counted.await(ctx, o.timeout); err != nil {
		return run, fmt.Errorf(
			"%d of %d delivered after %v, %d claims failed: %w",
			counted.delivered.Load(),
			o.activities,
			o.timeout,
			counted.failures.Load(),
			err,
		)
	}
	took, used := time.Since(began), stack.ReadCPU().Since(before)
	if run.Statements, err = readStatements(ctx, db, o.statements); err != nil {
		return run, err
	}
	run.fill(variant, o.activities, took, used)
	run.Publications, run.Deliveries = counted.publications.Load(), float64(counted.recipients.Load())/took.Seconds()
	return run, run.verify(ctx, db, counted, apiURL)
}

// settleTime is the time in which a worker or consumer reaches the gate.
const settleTime = 300 * time.Millisecond

func (r *drainRun) fill(variant string, activities int, took time.Duration, used stack.CPU) {
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(activities) }
	r.Variant, r.Seconds, r.PerSecond = variant, took.Seconds(), float64(activities)/took.Seconds()
	r.WorkerCPU, r.PostgresCPU, r.CentrifugoCPU = each(used.Self), each(used.Postgres), each(used.Centrifugo)
}

// verify compares the worker's reports with the database and Centrifugo's counter.
func (r *drainRun) verify(ctx context.Context, db *stack.Database, counted *deliveries, apiURL string) error {
	var pending, dead int64
	err := db.Pool.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM fanfare.outbox) + (SELECT count(*) FROM fanfare.parked)
		           + (SELECT count(*) FROM fanfare.fan_out_jobs),
		       (SELECT count(*) FROM fanfare.notifications),
		       (SELECT count(*) FROM fanfare.dead_letters)`).Scan(&pending, &r.InboxRows, &dead)
	if err != nil {
		return err
	}
	if pending != 0 || dead != 0 {
		return fmt.Errorf("%d activities are pending and %d are dead letters", pending, dead)
	}
	if want := counted.inbox.Load(); r.InboxRows != want {
		return fmt.Errorf("%d inbox rows, want %d", r.InboxRows, want)
	}
	if n := counted.failures.Load(); n != 0 {
		return fmt.Errorf("%d claims were rolled back", n)
	}
	if apiURL == "" {
		return nil
	}
	published, err := stack.Published(ctx, apiURL)
	if err == nil && published != r.Publications {
		err = fmt.Errorf("%d publications reached Centrifugo, want %d", published, r.Publications)
	}
	return err
}
