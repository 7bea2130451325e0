package acceptance

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/wait"
)

// drainTimeout limits the delivery of what is pending at the end of a run.
const drainTimeout = time.Minute

// KillsOptions describe a run of Kills.
type KillsOptions struct {
	Kills  int    // number of workers to kill
	Rate   int    // transactions a second
	People int    // connected watchers
	Seed   uint64 // selects the moments of the kills and the resources

	// Every selects the moments of the kills: after this number of commits, as soon as a lane is
	// locked. 0 selects random moments.
	Every int
}

// KillsResult is the result of Kills.
type KillsResult struct {
	Kills           int     `json:"kills"`
	InsideBatch     int     `json:"kills_mid_batch"` // kills while a lane was locked
	Recorded        int     `json:"recorded"`
	RolledBack      int     `json:"rolled_back"`
	Expected        int     `json:"expected_deliveries"`
	Received        int     `json:"received_distinct"`
	Repeats         int     `json:"received_again"`
	Lost            int     `json:"lost"`
	Unexpected      int     `json:"received_unexpected"`
	Phantoms        int     `json:"received_of_rolled_back"`
	InboxMissing    int     `json:"inbox_rows_missing"`
	InboxUnexpected int     `json:"inbox_rows_doubled_or_unasked"`
	OutOfOrder      int     `json:"out_of_order"`
	DeadLetters     int     `json:"dead_letters"`
	Seconds         float64 `json:"seconds"`

	violations []error
}

// Err returns the violations, joined, or nil if there are none.
func (r *KillsResult) Err() error { return errors.Join(r.violations...) }

// killsRun is one run of Kills.
type killsRun struct {
	*Environment
	KillsOptions
	world    *fixture.World
	recorder *Recorder
	result   *KillsResult
}

// Kills kills worker processes by SIGKILL while writers commit transactions, and verifies that each
// watcher receives every committed activity, in the order of its resource, with one row in each
// inbox, and nothing that was rolled back.
func Kills(ctx context.Context, e *Environment, o KillsOptions) (*KillsResult, error) {
	k := &killsRun{
		Environment: e, KillsOptions: o, world: fixture.New(fixture.Options{People: o.People}),
		recorder: NewRecorder(), result: &KillsResult{Kills: o.Kills},
	}
	if err := errors.Join(k.world.Load(ctx, e.Pool), k.world.AddThings(ctx, e.Pool)); err != nil {
		return nil, err
	}
	principals := k.world.Principals()
	set, closeAll, err := Connect(ctx, e.Centrifugo, principals, ConnectOptions{Timeout: e.ClientTimeout})
	if err != nil {
		return nil, err
	}
	defer closeAll()
	e.progress("%d clients are connected; %d kills at %d transactions/s", len(principals), o.Kills, o.Rate)
	started := time.Now()
	if err := k.load(ctx); err != nil {
		return nil, err
	}
	e.progress("delivering the remaining activities")
	if err := k.drain(ctx); err != nil {
		return nil, err
	}
	if err := set.Barrier(ctx); err != nil {
		return nil, errors.Join(append(set.Failures(), err)...)
	}
	k.result.Seconds = time.Since(started).Seconds()
	evidence := &Evidence{Expected: everyWatcher(k.world, k.recorder), Clients: set.Drain(), Versioned: true}
	if err := evidence.readInbox(ctx, e.Pool); err != nil {
		return nil, err
	}
	k.result.fill(Judge(evidence), len(evidence.Expected), k.recorder.rolledBack)
	return k.result, nil
}

// load commits transactions until all kills are done.
func (k *killsRun) load(ctx context.Context) error {
	killed := make(chan struct{})
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return k.write(ctx, killed) })
	g.Go(func() error {
		defer close(killed)
		return k.kill(ctx)
	})
	return g.Wait()
}

// write commits changes until killed is closed. One in ten is rolled back; one in ten holds its
// transaction open for up to 20 ms.
func (k *killsRun) write(ctx context.Context, killed <-chan struct{}) error {
	random := rand.New(rand.NewPCG(k.Seed, 1))
	rate := Rate{PerSecond: k.Rate, Until: killed, Concurrency: 8}
	return AtRate(ctx, rate, func(n int) func(context.Context) error {
		// A few resources get most of the changes, so that order matters.
		resource := k.world.Resources[int(random.ExpFloat64()*60)%len(k.world.Resources)]
		rollBack, slow := random.IntN(10) == 0, random.IntN(10) == 0
		return func(ctx context.Context) error {
			var hold time.Duration
			if slow {
				hold = time.Duration(n%20) * time.Millisecond
			}
			return k.change(ctx, resource, n, rollBack, hold)
		}
	})
}

func (k *killsRun) change(
	ctx context.Context, resource *fixture.Resource, n int, rollBack bool, hold time.Duration,
) error {
	var times CommitTimes
	recorded, err := resource.Change(ctx, k.Pool, n, func(tx pgx.Tx) error {
		if err := wait.Sleep(ctx, hold); err != nil {
			return err
		}
		if rollBack {
			return tx.Rollback(ctx)
		}
		times.Sent = time.Now()
		err := tx.Commit(ctx)
		times.Returned = time.Now()
		return err
	})
	switch {
	case err != nil:
		return err
	case rollBack:
		k.recorder.RolledBack()
	default:
		k.recorder.Committed(recorded, times)
	}
	return nil
}

// kill keeps one worker running, every second time two, and kills one after the other.
func (k *killsRun) kill(ctx context.Context) (err error) {
	random := rand.New(rand.NewPCG(k.Seed, 2))
	var workers []*devstack.Process
	defer func() {
		for _, p := range workers {
			err = errors.Join(err, p.Kill())
		}
	}()
	for n := range k.Kills {
		for len(workers) < 1+n%2 {
			p, err := StartWorker(k.DatabaseURL, k.Centrifugo)
			if err != nil {
				return err
			}
			workers = append(workers, p)
		}
		inside, err := k.awaitMoment(ctx, random, (n+1)*k.Every)
		if err != nil {
			return err
		}
		victim := random.IntN(len(workers))
		if err := workers[victim].Kill(); err != nil {
			return err
		}
		workers = append(workers[:victim], workers[victim+1:]...)
		if inside {
			k.result.InsideBatch++
		}
		k.progress("kill %d of %d", n+1, k.Kills)
	}
	return nil
}

// awaitMoment returns when the next worker must be killed, and reports whether a lane is locked.
func (k *killsRun) awaitMoment(ctx context.Context, random *rand.Rand, commits int) (insideBatch bool, err error) {
	if k.Every == 0 {
		err := wait.Sleep(ctx, 300*time.Millisecond+time.Duration(random.IntN(900_000))*time.Microsecond)
		if err != nil {
			return false, err
		}
		return k.laneLocked(ctx)
	}
	for {
		insideBatch, err = k.laneLocked(ctx)
		if err != nil || insideBatch && len(k.recorder.Commits()) >= commits {
			return insideBatch, err
		}
		if err := wait.Sleep(ctx, time.Millisecond); err != nil {
			return false, err
		}
	}
}

// laneLocked reports whether a worker holds the lock of a lane.
func (k *killsRun) laneLocked(ctx context.Context) (locked bool, err error) {
	err = k.Pool.QueryRow(ctx, `
		SELECT EXISTS (
		    SELECT FROM pg_locks
		    WHERE locktype = 'advisory' AND granted
		        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
		)`).Scan(&locked)
	return locked, err
}

// drain delivers what is pending with a worker that is not killed before.
func (k *killsRun) drain(ctx context.Context) (err error) {
	worker, err := StartWorker(k.DatabaseURL, k.Centrifugo)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, worker.Kill()) }()
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	return AwaitDelivered(ctx, k.Pool)
}

func (r *KillsResult) fill(found *Result, recorded, rolledBack int) {
	r.Recorded, r.RolledBack, r.Expected, r.Received = recorded, rolledBack, found.Must, found.Received
	r.Repeats, r.OutOfOrder, r.DeadLetters = len(found.Repeated), len(found.OutOfOrder), found.DeadLetters
	r.Lost = len(found.MissedConnected) + len(found.MissedReconnected) + found.MissedBeyondGaps
	r.Unexpected, r.Phantoms = len(found.Unexpected)+len(found.Foreign), len(found.Phantom)
	r.InboxMissing = len(found.InboxMissing)
	r.InboxUnexpected = len(found.InboxUnexpected) + len(found.InboxDuplicates)
	r.violations = found.Violations()
	if found.MissedBeyondGaps > 0 {
		err := fmt.Errorf("%d deliveries missed by clients with a gap", found.MissedBeyondGaps)
		r.violations = append(r.violations, err)
	}
}
