package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/fanout"
)

// warmUpActivities is the number of activities that a worker delivers before it is measured: it
// opens connections and plans its statements.
const warmUpActivities = 2000

// At least 1/pendingShare of the pending activities is delivered: the first pass over all of them
// is spread over a part that grows with them.
const pendingShare = 10

// measure delivers activities with a worker that publishes nothing, and writes no notifications.
func (s *growthStep) measure(ctx context.Context) (run drainRun, err error) {
	handler, err := newFanout(nowhere{}, fanout.Options{NoInbox: true})
	if err != nil {
		return run, err
	}
	var counted relay
	worker, err := startWorker(ctx, s.db.URL, handler, s.options.workerFlags, &counted)
	if err != nil {
		return run, err
	}
	stopped := false
	defer func() {
		if !stopped {
			err = errors.Join(err, worker.stop())
		}
	}()
	warmUp := growthDelivery{step: s, counted: &counted, rows: warmUpActivities, target: warmUpActivities}
	if _, err := warmUp.run(ctx); err != nil {
		return run, fmt.Errorf("warm up: %w", err)
	}
	d := growthDelivery{step: s, counted: &counted, rows: s.options.activities, target: s.options.activities}
	if s.dimension == pendingInOutbox {
		d.rows, d.target = s.size, min(s.size, max(s.options.activities, s.size/pendingShare))
	}
	if run, err = d.run(ctx); err != nil {
		return run, err
	}
	stopped = true
	if err := worker.stop(); err != nil {
		return run, err
	}
	return run, d.verify(ctx)
}

// growthDelivery is the delivery of the first activities of those that are pending.
type growthDelivery struct {
	step    *growthStep
	counted *relay // of the worker
	rows    int    // pending activities
	target  int

	deliveries *deliveries
}

// run commits the rows, of the recorded activities, which repeat. The time starts at the commit,
// when the rows are on the disk: writing them there is no cost of their delivery.
func (d *growthDelivery) run(ctx context.Context) (run drainRun, err error) {
	d.deliveries = newDeliveries(d.target)
	d.counted.to.Store(d.deliveries)
	tx, err := d.step.db.Pool.Begin(ctx)
	if err != nil {
		return run, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	_, err = tx.Exec(ctx, fmt.Sprintf(`
		INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at)
		SELECT lane, activity_id, tenant_id, resource_id, recorded_at
		FROM generate_series(1, %d) AS repetition, (SELECT * FROM recorded ORDER BY seq) AS r
		LIMIT %d`, d.rows/d.step.options.activities+1, d.rows))
	if err != nil {
		return run, err
	}
	if err := d.step.db.Exec(ctx, "CHECKPOINT"); err != nil {
		return run, err
	}
	before, began := stack.ReadCPU(), time.Now()
	if err := tx.Commit(ctx); err != nil {
		return run, err
	}
	if err := d.deliveries.await(ctx, d.step.options.timeout); err != nil {
		return run, fmt.Errorf("%d of %d delivered: %w", d.deliveries.delivered.Load(), d.target, err)
	}
	took, used := time.Since(began), stack.ReadCPU().Since(before)
	run.fill(resolveOnly, int(d.deliveries.delivered.Load()), took, used)
	return run, nil
}

// verify compares the pending activities with the deliveries, after the worker has stopped, and
// empties the outbox.
func (d *growthDelivery) verify(ctx context.Context) error {
	var pending int64
	if err := d.step.db.Pool.QueryRow(ctx, "SELECT count(*) FROM fanfare.outbox").Scan(&pending); err != nil {
		return err
	}
	want, failures := int64(d.rows)-d.deliveries.delivered.Load(), d.deliveries.failures.Load()
	if pending != want || failures > 0 {
		return fmt.Errorf("%d activities are pending, want %d; %d claims failed", pending, want, failures)
	}
	return d.step.db.Exec(ctx, "TRUNCATE fanfare.outbox", "CHECKPOINT")
}
