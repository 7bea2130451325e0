package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/wait"
)

// riverSchema is the schema of River's tables.
const riverSchema = "river"

// riverConnections is the number of connections of a River client to PostgreSQL.
const riverConnections = 16

// riverFlags are the options of River. The defaults are those that measure best.
type riverFlags struct {
	workers, noOps int
	cooldown, poll time.Duration
}

func (f *riverFlags) flags(flags *pflag.FlagSet) {
	flags.IntVar(&f.workers, "river-workers", 200, "maximum number of River jobs that publish at a time")
	flags.DurationVar(&f.cooldown, "river-fetch-cooldown", 2*time.Millisecond,
		"minimum interval between River's fetches of jobs; River's default is "+
			river.FetchCooldownDefault.String()+", its minimum "+river.FetchCooldownMin.String())
	flags.DurationVar(&f.poll, "river-poll-interval", 20*time.Millisecond,
		"interval between River's fetches without a notification; River's default is "+
			river.FetchPollIntervalDefault.String())
}

// String describes the options in a result.
func (f *riverFlags) String() string {
	return fmt.Sprintf("River: %d jobs at a time, fetch cooldown %v, poll interval %v", f.workers, f.cooldown, f.poll)
}

func migrateRiver(ctx context.Context, db *stack.Database) error {
	if err := db.Exec(ctx, "CREATE SCHEMA "+riverSchema); err != nil {
		return err
	}
	migrator, err := rivermigrate.New(riverpgxv5.New(db.Pool), &rivermigrate.Config{Schema: riverSchema})
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

// The jobs.
type (
	publishJob struct{ message } // publishes a prepared message
	noOpJob    struct {
		N int `json:"n"`
	}
	changeJob struct { // resolves the watchers of a change and publishes
		Envelope activity.Envelope `json:"envelope"`
	}
)

// Kind implements river.JobArgs.
func (publishJob) Kind() string { return "publish" }

// Kind implements river.JobArgs.
func (noOpJob) Kind() string { return "no_op" }

// Kind implements river.JobArgs.
func (changeJob) Kind() string { return "change" }

// riverClient is a River client that works, with a pool of its own.
type riverClient struct {
	*river.Client[pgx.Tx]
	db     *stack.Database
	pool   *pgxpool.Pool
	worked atomic.Int64
	failed atomic.Pointer[error] // the last error of a job

	publisher *plainPublisher // nil if no job publishes
	resolver  *ownResolver    // nil if no job resolves
}

// newRiver prepares a client that works a number of jobs at a time, and is not started.
func newRiver(ctx context.Context, db *stack.Database, jobs int, o *riverFlags, c *riverClient) (err error) {
	c.db = db
	if c.pool, err = db.NewPool(ctx, riverConnections); err != nil {
		return err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(context.Context, *river.Job[noOpJob]) error { return c.work(nil) }))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[publishJob]) error {
		return c.work(c.publisher.broadcast(ctx, job.Args.message))
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[changeJob]) error {
		return c.work(c.publishChange(ctx, &job.Args.Envelope))
	}))
	c.Client, err = river.NewClient(riverpgxv5.New(c.pool), &river.Config{
		Schema: riverSchema, Workers: workers,
		Queues:        map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: jobs}},
		FetchCooldown: o.cooldown, FetchPollInterval: o.poll,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		c.pool.Close()
	}
	return err
}

// work counts a job.
func (c *riverClient) work(err error) error {
	if err != nil {
		c.failed.Store(&err)
		return err
	}
	c.worked.Add(1)
	return nil
}

func (c *riverClient) publishChange(ctx context.Context, e *activity.Envelope) error {
	channels, err := c.resolver.channelsOf(ctx, c.pool, e)
	if err != nil {
		return err
	}
	id, event, err := c.resolver.event(e)
	if err != nil {
		return err
	}
	return c.publisher.broadcast(ctx, message{Channels: channels, Data: event, IdempotencyKey: id.String()})
}

// unfinished selects the state of a job that River has not finished, with the index by which River
// fetches jobs. A query that reads the finished ones would add CPU time that River does not take.
const unfinished = `
SELECT j.state::text FROM river.river_job AS j
WHERE j.state IN ('available', 'pending', 'retryable', 'running', 'scheduled')
ORDER BY j.state LIMIT 1`

// await returns when a number of jobs have been worked and River has stored that they are finished.
func (c *riverClient) await(ctx context.Context, jobs int) error {
	var state string
	for {
		if failed := c.failed.Load(); failed != nil {
			return fmt.Errorf("a River job failed: %w", *failed)
		}
		if c.worked.Load() >= int64(jobs) {
			err := c.db.Pool.QueryRow(ctx, unfinished).Scan(&state)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			if err != nil {
				return err
			}
		}
		if err := wait.Sleep(ctx, 10*time.Millisecond); err != nil {
			return fmt.Errorf("%d of %d River jobs worked, one is %q: %w", c.worked.Load(), jobs, state, err)
		}
	}
}

// verify counts the jobs that are not completed.
func (c *riverClient) verify(ctx context.Context) error {
	var incomplete int
	const query = "SELECT count(*) FROM river.river_job WHERE state <> 'completed'"
	err := c.db.Pool.QueryRow(ctx, query).Scan(&incomplete)
	if err == nil && incomplete != 0 {
		err = fmt.Errorf("%d River jobs are not completed", incomplete)
	}
	return err
}

// stop stops the client and closes its pool.
func (c *riverClient) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err := c.Stop(ctx)
	c.pool.Close()
	return err
}

// riverOnce works jobs with prepared publications, or jobs that do nothing.
func riverOnce(ctx context.Context, db *stack.Database, publish bool, o *peersOptions) (run drainRun, err error) {
	c, atATime := &riverClient{}, o.river.noOps
	apiURL := ""
	if publish {
		atATime = o.river.workers
		server, stop, err := stack.StartCentrifugo(ctx, o.binaries.v6)
		if err != nil {
			return run, err
		}
		defer func() { err = errors.Join(err, stop()) }()
		c.publisher, apiURL = newPlainPublisher(server, o.river.workers), server.APIURL()
		defer c.publisher.close()
		if err := c.publisher.connect(ctx); err != nil {
			return run, err
		}
	}
	if err := newRiver(ctx, db, atATime, &o.river, c); err != nil {
		return run, err
	}
	jobs, want, err := insertJobs(ctx, db, c, publish, o.drain.activities)
	if err != nil {
		return run, errors.Join(err, c.stop())
	}
	open, err := db.Gate(ctx, "river.river_job")
	if err != nil {
		return run, errors.Join(err, c.stop())
	}
	if err := c.Start(ctx); err != nil {
		return run, errors.Join(err, open())
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	limited, cancel := context.WithTimeout(ctx, o.drain.timeout)
	defer cancel()
	time.Sleep(settleTime)
	before, began := stack.ReadCPU(), time.Now()
	if err := errors.Join(open(), c.await(limited, jobs)); err != nil {
		return run, err
	}
	run.fill(riverNoOp, jobs, time.Since(began), stack.ReadCPU().Since(before))
	if err := c.verify(ctx); err != nil || !publish {
		return run, err
	}
	if run.Publications, err = stack.Published(ctx, apiURL); err == nil && run.Publications != want {
		err = fmt.Errorf("%d publications reached Centrifugo, want %d", run.Publications, want)
	}
	return run, err
}

// insertJobs replaces all jobs. publications is the number of channels that they publish to.
func insertJobs(
	ctx context.Context, db *stack.Database, c *riverClient, publish bool, n int,
) (jobs int, publications int64, err error) {
	if err := db.Exec(ctx, "TRUNCATE river.river_job"); err != nil {
		return 0, 0, err
	}
	rows, err := db.Pool.Query(ctx, "SELECT payload FROM addressed ORDER BY n LIMIT $1", n)
	if err != nil {
		return 0, 0, err
	}
	payloads, err := pgx.CollectRows(rows, pgx.RowTo[json.RawMessage])
	if err != nil {
		return 0, 0, err
	}
	all := make([]river.InsertManyParams, len(payloads))
	for i, payload := range payloads {
		if !publish {
			all[i].Args = noOpJob{N: i}
			continue
		}
		var job publishJob
		if err := json.Unmarshal(payload, &job); err != nil {
			return 0, 0, err
		}
		all[i].Args = job
		publications += int64(len(job.Channels))
	}
	const size = 5000
	for start := 0; start < len(all); start += size {
		if _, err := c.InsertManyFast(ctx, all[start:min(start+size, len(all))]); err != nil {
			return 0, 0, err
		}
	}
	return len(all), publications, db.Settle(ctx, "river.river_job")
}
