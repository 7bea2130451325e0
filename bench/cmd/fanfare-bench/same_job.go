package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
)

// The ways from a change to its publications, all with the same recipients. Fanfare comes first.
const (
	viaFanfare      = "fanfare"       // TxActivity; a worker resolves and publishes
	viaFanfareInbox = "fanfare-inbox" // and writes notifications
	inApplication   = "same-job"      // the application resolves; Centrifugo's own consumer publishes
	withAudit       = "same-job-audit"
	viaBroker       = "stream-broker" // the application resolves and calls cf_stream_publish in the transaction
	viaRiver        = "river"         // InsertTx; a River worker resolves and publishes
)

func wayNames() []string {
	return []string{viaFanfare, viaFanfareInbox, inApplication, withAudit, viaRiver, viaBroker}
}

type sameJobOptions struct {
	databaseFlags
	workerFlags
	consumerFlags
	river    riverFlags
	binaries binaries
	names    []string
	changes  int
	slow     int // number of changes through the stream broker
	writers  int
	rounds   int
	timeout  time.Duration

	brokerPoll time.Duration
}

func newSameJob() *cobra.Command {
	return newBenchmark("same-job",
		"Measure all work from a change to its publications, by Fanfare and by other solutions, in turns",
		&sameJobOptions{}, measureSameJob)
}

func (o *sameJobOptions) flags(flags *pflag.FlagSet) {
	flags.IntVar(&o.changes, "changes", 20_000, "number of changes, each in a transaction of its own")
	flags.IntVar(&o.slow, "stream-broker-changes", 3000,
		"number of changes through the stream broker, which is much slower")
	flags.DurationVar(&o.brokerPoll, "broker-poll-interval", 10*time.Millisecond,
		"interval between polls of the stream broker without publications; Centrifugo's default is 100ms")
	flags.IntVar(&o.writers, "writers", 8, "number of writers at a time")
	flags.IntVar(&o.rounds, "rounds", 5, "number of times to measure each way, in turns")
	flags.StringSliceVar(&o.names, "ways", wayNames(), "what to measure")
	flags.DurationVar(&o.timeout, "timeout", 2*time.Minute, "maximum duration of a measurement")
	o.workerFlags.flags(flags)
	o.consumerFlags.flags(flags, sameJobPartitions)
	o.databaseFlags.flags(flags)
	o.river.flags(flags)
	o.binaries.flags(flags)
}

type sameJobResult struct {
	Machine  machine     `json:"machine"`
	Changes  int         `json:"changes"`
	Slow     int         `json:"stream_broker_changes"`
	Writers  int         `json:"writers"`
	Watchers int         `json:"watchers"`
	Others   []string    `json:"options_of_others"`
	Runs     []drainRun  `json:"runs"`
	Summary  []contender `json:"summary"`
}

func (r *sameJobResult) table(w io.Writer) {
	contenderTable(w, fmt.Sprintf("%d changes, %d writers", r.Changes, r.Writers), "writers, worker", r.Runs, r.Summary,
		[]string{viaFanfare, viaFanfareInbox})
	optionTable(w, r.Others)
}

func measureSameJob(ctx context.Context, o *sameJobOptions) (result *sameJobResult, err error) {
	if o.rounds < 1 || o.changes < 1 || o.slow < 1 || o.writers < 1 {
		return nil, errors.New("--rounds, --changes, --stream-broker-changes and --writers must be at least 1")
	}
	if err := checkNames("ways", o.names, wayNames()); err != nil {
		return nil, err
	}
	if err := o.binaries.find(false); err != nil {
		return nil, err
	}
	db, err := o.start(ctx, writeSettings(false))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Stop()) }()
	job, err := newSameJobSite(ctx, db, o)
	if err != nil {
		return nil, err
	}
	result = &sameJobResult{
		Machine: thisMachine(), Changes: o.changes, Slow: min(o.slow, o.changes), Writers: o.writers,
		Watchers: len(job.world.Resources[0].Watchers),
		Others: []string{
			o.river.String(), o.consumerFlags.String(), fmt.Sprintf("stream broker: poll interval %v", o.brokerPoll),
		},
	}
	if result.Runs, err = inTurns(ctx, o.rounds, o.names, job.measure); err != nil {
		return nil, err
	}
	result.Summary = summarize(result.Runs, o.names)
	return result, nil
}

// jobSite is an application whose resources change.
type jobSite struct {
	options  *sameJobOptions
	db       *stack.Database
	world    *fixture.World
	resolver *ownResolver
	earlier  int64 // number of activities in the log before a measurement
}

func newSameJobSite(ctx context.Context, db *stack.Database, o *sameJobOptions) (*jobSite, error) {
	j := &jobSite{options: o, db: db, world: fixture.New(fixture.Options{})}
	if err := j.world.Load(ctx, db.Pool); err != nil {
		return nil, err
	}
	err := errors.Join(db.Exec(ctx, jobTables, consumerTable), migrateRiver(ctx, db), fillLog(ctx, db, j.world))
	if err != nil {
		return nil, err
	}
	j.resolver, err = newOwnResolver()
	return j, err
}

// jobTables are the table that is changed, and an audit table as in the benchmark write.
const jobTables = `
CREATE TABLE changes (id uuid PRIMARY KEY, tenant_id uuid NOT NULL, resource_id uuid NOT NULL, version bigint NOT NULL);
` + auditTable

// warmUpChanges is the number of changes that each way publishes before it is measured: its
// connections are open then, and its statements are planned.
const warmUpChanges = 400

// measure commits changes with concurrent writers while they are delivered. The time and the CPU
// time are from the first transaction to the last publication.
func (j *jobSite) measure(ctx context.Context, name string) (run drainRun, err error) {
	changes := j.options.changes
	if name == viaBroker {
		changes = min(changes, j.options.slow)
	}
	if err := j.reset(ctx); err != nil {
		return run, err
	}
	way, err := j.open(ctx, name)
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, way.stop()) }()
	pool, err := j.db.NewPool(ctx, j.options.writers)
	if err != nil {
		return run, err
	}
	defer pool.Close()
	limited, cancel := context.WithTimeout(ctx, j.options.timeout)
	defer cancel()
	if err := j.deliver(limited, pool, way, 0, warmUpChanges); err != nil {
		return run, fmt.Errorf("warm up: %w", err)
	}
	time.Sleep(settleTime)
	before, began := stack.ReadCPU(), time.Now()
	if err := j.deliver(limited, pool, way, warmUpChanges, warmUpChanges+changes); err != nil {
		return run, err
	}
	run.fill(name, changes, time.Since(began), stack.ReadCPU().Since(before))
	if run.Publications, err = way.published(ctx); err != nil {
		return run, err
	}
	if err := j.verify(ctx, name, warmUpChanges+changes, &run); err != nil {
		return run, err
	}
	run.Publications -= run.Publications * warmUpChanges / int64(warmUpChanges+changes)
	run.InboxRows -= run.InboxRows * warmUpChanges / int64(warmUpChanges+changes)
	return run, nil
}

// deliver commits the changes with numbers from first up to end, and returns when those up to end
// are published.
func (j *jobSite) deliver(ctx context.Context, pool *pgxpool.Pool, way *way, first, end int) error {
	if err := j.write(ctx, pool, way, first, end); err != nil {
		return err
	}
	return way.await(ctx, end)
}

func (j *jobSite) write(ctx context.Context, pool *pgxpool.Pool, way *way, first, end int) error {
	var next atomic.Int64
	next.Store(int64(first))
	g, writing := errgroup.WithContext(ctx)
	for range j.options.writers {
		g.Go(func() error {
			conn, err := pool.Acquire(writing)
			if err != nil {
				return err
			}
			defer conn.Release()
			for {
				n := int(next.Add(1)) - 1
				if n >= end {
					return nil
				}
				// A prime step visits all resources, and never one twice in a row.
				r := j.world.Resources[n*389%len(j.world.Resources)]
				if err := way.write(writing, conn.Conn(), r, n); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// verify compares the publications and the rows with the changes.
func (j *jobSite) verify(ctx context.Context, name string, changes int, run *drainRun) error {
	var changed, audited, recorded, pending int64
	err := j.db.Pool.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM changes), (SELECT count(*) FROM audit), (SELECT count(*) FROM fanfare.activities),
		       (SELECT count(*) FROM fanfare.outbox) + (SELECT count(*) FROM fanfare.parked)
		           + (SELECT count(*) FROM fanfare.dead_letters) + (SELECT count(*) FROM centrifugo_outbox)
		           + (SELECT count(*) FROM river.river_job WHERE state <> 'completed'),
		       (SELECT count(*) FROM fanfare.notifications)`,
	).Scan(&changed, &audited, &recorded, &pending, &run.InboxRows)
	if err != nil {
		return err
	}
	recorded -= j.earlier
	n, watchers := int64(changes), int64(len(j.world.Resources[0].Watchers))
	want := map[bool]int64{true: n}
	switch {
	case changed != n, audited != want[name == withAudit],
		recorded != want[name == viaFanfare || name == viaFanfareInbox]:
		err = fmt.Errorf("%d changes, %d audit rows, %d activities of %d changes", changed, audited, recorded, n)
	case pending != 0:
		err = fmt.Errorf("%d activities are pending", pending)
	case run.Publications != n*(watchers+1): // and the resource's channel
		err = fmt.Errorf("%d publications, want %d", run.Publications, n*(watchers+1))
	case run.InboxRows != watchers*want[name == viaFanfareInbox]:
		err = fmt.Errorf("%d notifications, want %d", run.InboxRows, watchers*want[name == viaFanfareInbox])
	}
	return err
}
