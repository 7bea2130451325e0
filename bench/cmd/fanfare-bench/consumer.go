package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/fanout"
)

// consumerFlags are the options of Centrifugo's own PostgreSQL consumer.
type consumerFlags struct {
	partitions  int
	selectLimit int
	poll        time.Duration
}

// The partitions that measure best: more deliver a backlog faster, fewer take less CPU time from
// writers.
const (
	drainPartitions   = 8
	sameJobPartitions = 2
)

func (f *consumerFlags) flags(flags *pflag.FlagSet, partitions int) {
	flags.IntVar(&f.partitions, "consumer-partitions", partitions, "partitions of Centrifugo's own consumer")
	flags.IntVar(&f.selectLimit, "consumer-select-limit", 500,
		"maximum number of rows that a partition of Centrifugo's own consumer selects")
	// Fanfare's default. A shorter interval takes CPU time from the writers that it waits for.
	flags.DurationVar(&f.poll, "consumer-poll-interval", 25*time.Millisecond,
		"interval between polls of an empty partition by Centrifugo's own consumer; its default is 300ms")
}

// String describes the options in a result.
func (f *consumerFlags) String() string {
	return fmt.Sprintf("Centrifugo's consumer: %d partitions, at most %d rows at a time, poll interval %v",
		f.partitions, f.selectLimit, f.poll)
}

func (f *workerFlags) flags(flags *pflag.FlagSet) {
	flags.IntVar(&f.Claimers, "claimers", 0, "maximum number of lanes that are served at a time (0: the default)")
	flags.IntVar(&f.Batch, "batch", 0, "maximum number of activities of a claim (0: the default)")
}

// consumerOptions are the options of the consumer alone; drain --against-consumer measures it in
// turns with the worker.
type consumerOptions struct{ drainOptions }

func newConsumer() *cobra.Command {
	return newBenchmark("consumer",
		"Measure how fast Centrifugo's own PostgreSQL consumer moves the same publications",
		&consumerOptions{drainOptions{variants: []string{consumer}}},
		func(ctx context.Context, o *consumerOptions) (*drainResult, error) {
			return measureDrain(ctx, &o.drainOptions)
		})
}

func (o *consumerOptions) flags(flags *pflag.FlagSet) {
	o.consumerFlags.flags(flags, drainPartitions)
	o.backlogFlags(flags)
	flags.IntVar(&o.rounds, "rounds", 3, "number of measurements")
}

// consumerTable is the table of Centrifugo's documentation, with an index for the consumer's query,
// which selects one partition's rows by id.
const consumerTable = `
CREATE TABLE centrifugo_outbox (
    id         bigserial   PRIMARY KEY,
    method     text        NOT NULL,
    payload    jsonb       NOT NULL,
    partition  integer     NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT current_timestamp
);
CREATE INDEX centrifugo_outbox_partition ON centrifugo_outbox (partition, id);
CREATE TABLE addressed (n int PRIMARY KEY, partition int NOT NULL, payload jsonb NOT NULL)`

// capture keeps publications.
type capture struct {
	mu         sync.Mutex
	broadcasts []centrifugo.Broadcast
}

func (c *capture) Publish(_ context.Context, broadcasts []centrifugo.Broadcast) []centrifugo.Result {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broadcasts = append(c.broadcasts, broadcasts...)
	return make([]centrifugo.Result, len(broadcasts))
}

// prepareCommands captures a worker's publications and stores them as commands for the consumer.
// Activities of one resource share a partition, which keeps their order, as a lane does.
func prepareCommands(ctx context.Context, db *stack.Database, o *drainOptions) error {
	var captured capture
	counted := newDeliveries(o.activities)
	handler, err := newFanout(&captured, fanout.Options{NoInbox: true})
	if err != nil {
		return err
	}
	worker, err := startWorker(ctx, db.URL, handler, workerFlags{}, counted)
	if err != nil {
		return err
	}
	if err := errors.Join(counted.await(ctx, o.timeout), worker.stop()); err != nil {
		return err
	}
	slices.SortFunc(captured.broadcasts, func(a, b centrifugo.Broadcast) int { // the keys are UUIDv7s
		return cmp.Compare(a.IdempotencyKey, b.IdempotencyKey)
	})
	if err := db.Exec(ctx, consumerTable); err != nil {
		return err
	}
	_, err = db.Pool.CopyFrom(ctx, pgx.Identifier{"addressed"}, []string{"n", "partition", "payload"},
		pgx.CopyFromSlice(len(captured.broadcasts), func(i int) ([]any, error) {
			b := captured.broadcasts[i]
			body, err := json.Marshal(
				map[string]any{
					"channels":        b.Channels,
					"data":            json.RawMessage(b.Data),
					"idempotency_key": b.IdempotencyKey,
				},
			)
			return []any{i, int(b.Order[15]) % o.partitions, body}, err
		}))
	return err
}

// consumeOnce moves all publications with a new Centrifugo, as drainOnce does with a worker.
func consumeOnce(ctx context.Context, db *stack.Database, variant string, o *drainOptions) (run drainRun, err error) {
	err = db.Exec(ctx, "TRUNCATE centrifugo_outbox", `
		INSERT INTO centrifugo_outbox (method, payload, partition)
		SELECT 'broadcast', payload, partition FROM addressed ORDER BY n`)
	if err != nil {
		return run, err
	}
	if err := db.Settle(ctx, "centrifugo_outbox"); err != nil {
		return run, err
	}
	open, err := db.Gate(ctx, "centrifugo_outbox")
	if err != nil {
		return run, err
	}
	server, stop, err := stack.StartConsumer(ctx, stack.ConsumerOptions{
		Binary:      o.centrifugo,
		DatabaseURL: db.URL + fmt.Sprintf("&pool_max_conns=%d", o.partitions+1), Table: "centrifugo_outbox",
		Partitions: o.partitions, SelectLimit: o.selectLimit, PollInterval: o.poll,
	})
	if err != nil {
		return run, errors.Join(err, open())
	}
	defer func() { err = errors.Join(err, stop()) }()
	time.Sleep(settleTime)
	before, began := stack.ReadCPU(), time.Now()
	if err := open(); err != nil {
		return run, err
	}
	limited, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	if err := awaitConsumed(limited, db); err != nil {
		return run, err
	}
	run.fill(variant, o.activities, time.Since(began), stack.ReadCPU().Since(before))
	if run.Publications, err = stack.Published(ctx, server.APIURL()); err != nil {
		return run, err
	}
	var want int64
	const channels = "SELECT sum(jsonb_array_length(payload -> 'channels')) FROM addressed"
	if err := db.Pool.QueryRow(ctx, channels).Scan(&want); err != nil {
		return run, err
	}
	if run.Publications != want {
		return run, fmt.Errorf("%d publications reached Centrifugo, want %d", run.Publications, want)
	}
	var personal int64
	err = db.Pool.QueryRow(ctx, `
		SELECT count(*) FROM addressed, jsonb_array_elements_text(payload -> 'channels') AS c
		WHERE c LIKE 'user:%'`).Scan(&personal)
	if err != nil {
		return run, err
	}
	run.Deliveries = float64(personal) / run.Seconds
	return run, nil
}
