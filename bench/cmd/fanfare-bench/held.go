package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/outbox"
)

type heldOptions struct {
	workerFlags
	databaseFlags
	rows    int
	dead    int
	trials  int
	timeout time.Duration
}

func newHeld() *cobra.Command {
	return newBenchmark("held",
		"Measure the cost of dead rows that cannot be vacuumed while a snapshot is held",
		&heldOptions{}, measureHeld)
}

func (o *heldOptions) flags(flags *pflag.FlagSet) {
	o.workerFlags.flags(flags)
	flags.IntVar(&o.rows, "rows", 20_000, "number of rows to drain")
	flags.IntVar(&o.dead, "dead", 500_000, "number of dead rows before them, drained by the same worker")
	flags.IntVar(&o.trials, "trials", 5, "number of times to drain them; the result is the median")
	flags.DurationVar(&o.timeout, "timeout", 3*time.Minute, "maximum duration of a drain")
	o.databaseFlags.flags(flags)
	o.statementFlags(flags)
}

// heldCase is one state of the database in which rows are drained.
type heldCase struct {
	Name   string         `json:"name"`
	Dead   int64          `json:"dead_rows"` // in the table before the last trial
	Trials []milliseconds `json:"trials_ms"`
	Median milliseconds   `json:"median_ms"`
	Ratio  float64        `json:"ratio_to_clean"`
	CPU    milliseconds   `json:"median_cpu_ms"` // of the worker and of PostgreSQL
	CPUs   float64        `json:"cpu_ratio_to_clean"`

	Statements []statement `json:"statements,omitempty"` // of all trials
}

type heldResult struct {
	Machine machine     `json:"machine"`
	Rows    int         `json:"rows"`
	Worker  workerFlags `json:"worker"`
	Cases   []heldCase  `json:"cases"`
}

func (r *heldResult) table(w io.Writer) {
	row(w, fmt.Sprintf("draining %d rows", r.Rows), "dead rows", "median", "to clean", "CPU", "to clean", "trials")
	for _, c := range r.Cases {
		row(w, c.Name, c.Dead, c.Median, fmt.Sprintf("%.2f", c.Ratio), c.CPU, fmt.Sprintf("%.2f", c.CPUs),
			fmt.Sprint(c.Trials))
	}
	for _, c := range r.Cases {
		showStatements(w, c.Name, c.Statements)
	}
}

// measureHeld drains the same rows in a clean table and after dead rows.
func measureHeld(ctx context.Context, o *heldOptions) (result *heldResult, err error) {
	result = &heldResult{Machine: thisMachine(), Rows: o.rows, Worker: o.workerFlags}
	for _, holder := range []struct {
		name string
		hold func(ctx context.Context, tx pgx.Tx, world *fixture.World) error
	}{
		{"a long reader", holdAsReader},
		{"a long writer", holdAsWriter},
	} {
		cases, err := heldBy(ctx, o, holder.name, holder.hold)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", holder.name, err)
		}
		result.Cases = append(result.Cases, cases...)
	}
	return result, nil
}

// holdAsReader takes a snapshot.
func holdAsReader(ctx context.Context, tx pgx.Tx, _ *fixture.World) error {
	_, err := tx.Exec(ctx, "SELECT count(*) FROM fanfare.outbox")
	return err
}

// holdAsWriter takes a transaction id and inserts an outbox row, which is not visible to others.
func holdAsWriter(ctx context.Context, tx pgx.Tx, world *fixture.World) error {
	_, err := outbox.Record(ctx, tx, world.Resources[0].Envelope(0, 1))
	return err
}

// heldBy measures with a database of its own: without dead rows, after dead rows with the worker
// that created them, and with a new worker.
func heldBy(
	ctx context.Context,
	o *heldOptions,
	name string,
	hold func(context.Context, pgx.Tx, *fixture.World) error,
) (cases []heldCase, err error) {
	progress("%s: starting PostgreSQL and recording %d activities", name, o.rows)
	h, err := newHolding(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	clean, err := h.measure(ctx, "clean, before "+name, measured{vacuumed: true})
	if err != nil {
		return nil, err
	}
	tx, err := h.db.Pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if err := hold(ctx, tx, h.world); err != nil {
		return nil, err
	}
	progress("%s: draining %d rows that cannot be vacuumed", name, o.dead)
	for drained := 0; drained < o.dead; drained += o.rows {
		if _, _, err := h.fillAndDrain(ctx, o.rows, false); err != nil {
			return nil, err
		}
	}
	warm, err := h.measure(ctx, name+", the same worker", measured{})
	if err != nil {
		return nil, err
	}
	cold, err := h.measure(ctx, name+", a new worker", measured{cold: true})
	if err != nil {
		return nil, err
	}
	if err := tx.Commit(ctx); err != nil {
		return nil, err
	}
	ended, err := h.measure(ctx, name+" has ended, the same worker", measured{})
	if err != nil {
		return nil, err
	}
	cases = []heldCase{clean, warm, cold, ended}
	for i := range cases {
		cases[i].Ratio, cases[i].CPUs = float64(cases[i].Median/clean.Median), float64(cases[i].CPU/clean.CPU)
	}
	return cases, nil
}

// holding is a worker with a handler that does nothing, and its outbox, which is filled repeatedly.
type holding struct {
	o       *heldOptions
	db      *stack.Database
	world   *fixture.World
	running *running
	counted relay // forwards the worker's reports to the deliveries of the drain
}

func newHolding(ctx context.Context, o *heldOptions) (*holding, error) {
	db, err := o.start(ctx, nil)
	if err != nil {
		return nil, err
	}
	h := &holding{o: o, db: db, world: fixture.New(fixture.Options{})}
	if err := h.prepare(ctx); err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

func (h *holding) prepare(ctx context.Context) error {
	if err := h.world.Load(ctx, h.db.Pool); err != nil {
		return err
	}
	if _, err := h.world.Record(ctx, h.db.Pool, h.o.rows); err != nil {
		return err
	}
	err := h.db.Exec(ctx, "CREATE TABLE recorded AS SELECT * FROM fanfare.outbox", "TRUNCATE fanfare.outbox")
	if err != nil {
		return err
	}
	if err := h.db.Settle(ctx, "fanfare.activities", "recorded"); err != nil {
		return err
	}
	return h.startWorker(ctx)
}

func (h *holding) startWorker(ctx context.Context) (err error) {
	h.running, err = startWorker(ctx, h.db.URL, idle{}, h.o.workerFlags, &h.counted)
	return err
}

// stopWorker stops the worker and waits until it has ended.
func (h *holding) stopWorker() error {
	if h.running == nil {
		return nil
	}
	err := h.running.stop()
	h.running = nil
	return err
}

func (h *holding) close() error {
	return errors.Join(h.stopWorker(), h.db.Stop())
}

// measured describes the state of a measurement.
type measured struct {
	vacuumed bool // without dead rows
	cold     bool // by a worker that has just started
}

func (h *holding) measure(ctx context.Context, name string, m measured) (heldCase, error) {
	c := heldCase{Name: name}
	// The first drain is not measured: it caches plans and pages.
	if _, _, err := h.fillAndDrain(ctx, h.o.rows, m.cold); err != nil {
		return c, err
	}
	if err := resetStatements(ctx, h.db, h.o.statements); err != nil {
		return c, err
	}
	var used []milliseconds
	for range h.o.trials {
		if m.vacuumed {
			if err := h.db.Exec(ctx, "VACUUM fanfare.outbox"); err != nil {
				return c, err
			}
			// A VACUUM makes every session plan again.
			if _, _, err := h.fillAndDrain(ctx, h.o.rows/20, false); err != nil {
				return c, err
			}
		}
		if err := h.db.Pool.QueryRow(ctx, deadRows).Scan(&c.Dead); err != nil {
			return c, err
		}
		took, cpu, err := h.fillAndDrain(ctx, h.o.rows, m.cold)
		if err != nil {
			return c, err
		}
		c.Trials, used = append(c.Trials, inMilliseconds(took)), append(used, inMilliseconds(cpu.Total()))
	}
	c.Median, c.CPU = median(c.Trials), median(used)
	progress("%s: %v", name, c.Median)
	var err error
	c.Statements, err = readStatements(ctx, h.db, h.o.statements)
	return c, err
}

const deadRows = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relid = 'fanfare.outbox'::regclass"

// fillAndDrain inserts rows of the recorded activities into the outbox in one transaction and
// drains them. The time starts at the commit, or, if cold, at the start of a new worker.
func (h *holding) fillAndDrain(
	ctx context.Context,
	rows int,
	cold bool,
) (took time.Duration, used stack.CPU, err error) {
	if cold {
		if err := h.stopWorker(); err != nil {
			return 0, used, err
		}
	}
	counted := newDeliveries(rows)
	h.counted.to.Store(counted)
	tx, err := h.db.Pool.Begin(ctx)
	if err != nil {
		return 0, used, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if _, err := tx.Exec(ctx, fmt.Sprintf("%s LIMIT %d", refill, rows)); err != nil {
		return 0, used, err
	}
	before, began := stack.ReadCPU(), time.Now()
	if err := tx.Commit(ctx); err != nil {
		return 0, used, err
	}
	if cold {
		began = time.Now()
		if err := h.startWorker(ctx); err != nil {
			return 0, used, err
		}
	}
	if err := counted.await(ctx, h.o.timeout); err != nil {
		return 0, used, fmt.Errorf("%d of %d drained: %w", counted.delivered.Load(), rows, err)
	}
	took, used = time.Since(began), stack.ReadCPU().Since(before)
	if n := counted.failures.Load(); n > 0 {
		return 0, used, fmt.Errorf("%d claims were rolled back", n)
	}
	return took, used, nil
}
