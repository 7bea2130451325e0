package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/outbox"
)

// refill inserts every recorded activity into the outbox again, in its order.
const refill = `INSERT INTO fanfare.outbox (lane, activity_id, tenant_id, resource_id, recorded_at)
	SELECT lane, activity_id, tenant_id, resource_id, recorded_at FROM recorded ORDER BY seq`

// prepareDrain loads a world, records activities and keeps their outbox rows for refill. With
// commands it also prepares the same publications for Centrifugo's own consumer.
func prepareDrain(ctx context.Context, db *stack.Database, o *drainOptions, commands bool) (*fixture.World, error) {
	world := fixture.New(fixture.Options{Watchers: o.watchers})
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

// settleTime is the time in which a worker or consumer reaches the gate.
const settleTime = 300 * time.Millisecond

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
	work, err := openWork(ctx, variant, o.centrifugo, counted)
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, work.close()) }()
	took, used, err := drainBy(ctx, db, work.handler, counted, o)
	if err != nil {
		return run, err
	}
	if run.Statements, err = readStatements(ctx, db, o.statements); err != nil {
		return run, err
	}
	run.fill(variant, o.activities, took, used)
	run.Publications, run.Deliveries = counted.publications.Load(), float64(counted.recipients.Load())/took.Seconds()
	return run, run.verify(ctx, db, counted, work.apiURL)
}

// drainBy drains the outbox with a new worker that calls a handler.
func drainBy(
	ctx context.Context, db *stack.Database, handler outbox.Handler, counted *deliveries, o *drainOptions,
) (took time.Duration, used stack.CPU, err error) {
	open, err := db.Gate(ctx, "fanfare.outbox")
	if err != nil {
		return 0, used, err
	}
	worker, err := startWorker(ctx, db.URL, handler, o.workerFlags, counted)
	if err != nil {
		return 0, used, errors.Join(err, open())
	}
	defer func() { err = errors.Join(err, worker.stop()) }()
	time.Sleep(settleTime)
	if err := resetStatements(ctx, db, o.statements); err != nil {
		return 0, used, err
	}
	before, began := stack.ReadCPU(), time.Now()
	if err := open(); err != nil {
		return 0, used, err
	}
	if err := counted.await(ctx, o.timeout); err != nil {
		return 0, used, fmt.Errorf("%d of %d delivered after %v, %d claims failed: %w",
			counted.delivered.Load(), o.activities, o.timeout, counted.failures.Load(), err)
	}
	return time.Since(began), stack.ReadCPU().Since(before), nil
}

// work is what a worker does with its claims.
type work struct {
	handler outbox.Handler
	apiURL  string // of the Centrifugo that it publishes to; "" if it does not publish
	close   func() error
}

// openWork starts what a variant needs.
func openWork(ctx context.Context, variant, binary string, counted *deliveries) (*work, error) {
	name, http := strings.CutSuffix(variant, byHTTP)
	w := &work{handler: idle{}, close: func() error { return nil }}
	if name == claimOnly {
		return w, nil
	}
	var publisher fanout.Publisher = nowhere{}
	if name == publishOnly || name == everything {
		server, stop, err := stack.StartCentrifugo(ctx, binary)
		if err != nil {
			return nil, err
		}
		w.apiURL = server.APIURL()
		urls := server.APIURLs()
		if http {
			urls = w.apiURL
		}
		client, err := centrifugo.New(centrifugo.Options{APIURL: urls, APIKey: server.APIKey()})
		if err != nil {
			return nil, errors.Join(err, stop())
		}
		w.close = func() error { client.Close(); return stop() }
		if err := connect(ctx, client, http); err != nil {
			return nil, errors.Join(err, w.close())
		}
		publisher = client
	}
	opts := fanout.Options{NoInbox: name == resolveOnly || name == publishOnly, Observer: sent{counted}}
	handler, err := newFanout(publisher, opts)
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	w.handler = handler
	return w, nil
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
