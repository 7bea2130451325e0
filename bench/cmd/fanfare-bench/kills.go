package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/bench/internal/sockets"
	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/outbox"
)

type killsOptions struct {
	databaseFlags
	output output
	kills  int
	rate   int
	people int
	seed   uint64
}

func newKills() *cobra.Command {
	var o killsOptions
	cmd := measuring(
		"kills",
		"What is lost, doubled or out of order when workers are killed under load",
		&o.output,
		func(ctx context.Context) (*killsResult, error) { return kills(ctx, &o) },
	)
	flags := cmd.Flags()
	o.databaseFlags.flags(flags)
	flags.IntVar(&o.kills, "kills", 20, "how many workers to kill")
	flags.IntVar(&o.rate, "rate", 500, "transactions a second meanwhile")
	flags.IntVar(&o.people, "people", 100, "connected watchers")
	flags.Uint64Var(&o.seed, "seed", 1, "of the moments of the kills and the choice of resources")
	return cmd
}

type killsResult struct {
	Machine     machine `json:"machine"`
	Kills       int     `json:"kills"`
	MidBatch    int     `json:"kills_mid_batch"` // of them, how many found the worker inside a transaction with a lane locked
	Recorded    int     `json:"recorded"`
	RolledBack  int     `json:"rolled_back"`
	Expected    int     `json:"expected_deliveries"`
	Received    int     `json:"received_distinct"`
	Again       int     `json:"received_again"`
	Lost        int     `json:"lost"`
	Phantoms    int     `json:"received_of_rolled_back"`
	InboxAbsent int     `json:"inbox_rows_missing"`
	InboxExtra  int     `json:"inbox_rows_doubled_or_unasked"`
	OutOfOrder  int     `json:"out_of_order"`
	Dead        int     `json:"dead_letters"`
	Seconds     float64 `json:"seconds"`
}

func (r *killsResult) table(w io.Writer) {
	row(w, "workers killed", r.Kills)
	row(w, "of them inside a batch", r.MidBatch)
	row(w, "activities recorded", r.Recorded)
	row(w, "transactions rolled back", r.RolledBack)
	row(w, "deliveries expected", r.Expected)
	row(w, "distinct ones received", r.Received)
	row(w, "received again", r.Again)
	row(w, "lost", r.Lost)
	row(w, "received of what was rolled back", r.Phantoms)
	row(w, "inbox rows missing", r.InboxAbsent)
	row(w, "inbox rows doubled or unasked", r.InboxExtra)
	row(w, "out of order for their resource", r.OutOfOrder)
	row(w, "dead letters", r.Dead)
}

// verdict is an error if anything went wrong that never may.
func (r *killsResult) verdict() error {
	if r.Lost+r.Phantoms+r.InboxAbsent+r.InboxExtra+r.OutOfOrder+r.Dead > 0 {
		return errors.New("something was lost, doubled or out of order")
	}
	return nil
}

// ledger is what the writers know: which activity is on which resource.
type ledger struct {
	mu         sync.Mutex
	committed  map[uuid.UUID]*fixture.Resource
	rolledBack map[uuid.UUID]bool
}

func kills(ctx context.Context, o *killsOptions) (result *killsResult, err error) {
	s, err := o.startServers(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	db, server := s.db, s.centrifugo
	world := fixture.New(fixture.Options{People: o.people})
	if err := errors.Join(world.Load(ctx, db.Pool), world.AddThings(ctx, db.Pool)); err != nil {
		return nil, err
	}
	audience, err := sockets.Connect(ctx, world, server.WebSocketURL(), server.TokenSecret())
	if err != nil {
		return nil, err
	}
	defer audience.Close()
	progress("%d people are connected; %d kills under %d transactions/s", o.people, o.kills, o.rate)

	began := time.Now()
	l := &ledger{committed: map[uuid.UUID]*fixture.Resource{}, rolledBack: map[uuid.UUID]bool{}}
	result = &killsResult{Machine: thisMachine(), Kills: o.kills}
	over := make(chan struct{})
	g, working := errgroup.WithContext(ctx)
	g.Go(func() error { return l.write(working, db, world, o, over) })
	g.Go(func() error {
		defer close(over)
		return killThem(working, db, server, o, result)
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	progress("draining with a worker that lives")
	last, err := newVictim(db, server)
	if err != nil {
		return nil, err
	}
	defer last.Kill()
	if err := awaitEmpty(ctx, db, time.Minute); err != nil {
		return nil, err
	}
	result.Expected = len(l.committed) * len(world.Resources[0].Watchers)
	audience.Await(ctx, result.Expected, 5*time.Second)
	result.Seconds = time.Since(began).Seconds()
	result.judge(l, audience.Receptions())
	if err := result.judgeInbox(ctx, db, l); err != nil {
		return nil, err
	}
	for _, failure := range audience.Failures() {
		progress("a connection: %v", failure)
	}
	return result, nil
}

// write commits changes until over is closed; one in ten is rolled back, one in ten dawdles before
// its end.
func (l *ledger) write(
	ctx context.Context,
	db *stack.Database,
	world *fixture.World,
	o *killsOptions,
	over <-chan struct{},
) error {
	random := rand.New(rand.NewPCG(o.seed, 1))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	began := time.Now()
	for n := 0; ; n++ {
		select {
		case <-over:
			return g.Wait()
		case <-ctx.Done():
			return g.Wait()
		case <-time.After(time.Until(began.Add(time.Duration(n) * time.Second / time.Duration(o.rate)))):
		}
		// A few resources get most of the changes, so that order is put to the test.
		resource := world.Resources[int(random.ExpFloat64()*60)%len(world.Resources)]
		undo, dawdle := random.IntN(10) == 0, random.IntN(10) == 0
		g.Go(func() error { return l.change(ctx, db, resource, n, undo, dawdle) })
	}
}

func (l *ledger) change(
	ctx context.Context,
	db *stack.Database,
	resource *fixture.Resource,
	n int,
	undo, dawdle bool,
) error {
	id, _, err := resource.Change(ctx, db.Pool, n, func(tx pgx.Tx) error {
		if dawdle {
			time.Sleep(time.Duration(n%20) * time.Millisecond)
		}
		if undo {
			return tx.Rollback(ctx)
		}
		return tx.Commit(ctx)
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if undo {
		l.rolledBack[id] = true
	} else {
		l.committed[id] = resource
	}
	return nil
}

// killThem keeps one worker alive, at times two, and kills one after the other at moments that
// nobody chose.
func killThem(
	ctx context.Context,
	db *stack.Database,
	server *devstack.Centrifugo,
	o *killsOptions,
	result *killsResult,
) error {
	random := rand.New(rand.NewPCG(o.seed, 2))
	var alive []*stack.Process
	defer func() {
		for _, p := range alive {
			p.Kill()
		}
	}()
	for n := range o.kills {
		for len(alive) < 1+n%2 {
			p, err := newVictim(db, server)
			if err != nil {
				return err
			}
			alive = append(alive, p)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(300*time.Millisecond + time.Duration(random.IntN(900_000))*time.Microsecond):
		}
		victim := random.IntN(len(alive))
		busy, err := insideBatch(ctx, db)
		if err != nil {
			return err
		}
		alive[victim].Kill()
		alive = append(alive[:victim], alive[victim+1:]...)
		if busy {
			result.MidBatch++
		}
		progress("kill %d of %d", n+1, o.kills)
	}
	return nil
}

// insideBatch reports whether any worker holds a lane just now.
func insideBatch(ctx context.Context, db *stack.Database) (busy bool, err error) {
	err = db.Pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted)").
		Scan(&busy)
	return busy, err
}

// newVictim starts a worker process and returns once it runs.
func newVictim(db *stack.Database, server *devstack.Centrifugo) (*stack.Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "worker")
	cmd.Env = append(
		os.Environ(),
		databaseVariable+"="+db.URL,
		apiVariable+"="+server.APIURL(),
		keyVariable+"="+server.APIKey(),
	)
	cmd.Stderr = os.Stderr
	said, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if _, err := cmd.StdinPipe(); err != nil { // open as long as this process is
		return nil, err
	}
	p, err := stack.StartProcess(cmd)
	if err != nil {
		return nil, err
	}
	if _, err := said.Read(make([]byte, 16)); err != nil {
		p.Kill()
		return nil, fmt.Errorf("the worker process did not start: %w", err)
	}
	return p, nil
}

// awaitEmpty waits until nothing is pending.
func awaitEmpty(ctx context.Context, db *stack.Database, limit time.Duration) error {
	backlog := outbox.NewBacklog(db.Pool)
	deadline := time.Now().Add(limit)
	for {
		status, err := backlog.Status(ctx, uuid.Nil)
		if err != nil {
			return err
		}
		if status.Pending+status.Parked+status.Broadcasts == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("still pending after %v: %+v", limit, status)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// judge compares what the writers know with what the sockets got.
func (r *killsResult) judge(l *ledger, receptions []sockets.Reception) {
	type delivery struct{ person, activity uuid.UUID }
	type thread struct{ person, resource uuid.UUID }
	seen := map[delivery]bool{}
	newest := map[thread]int64{}
	for _, got := range receptions {
		key := delivery{got.Person, got.Activity}
		switch {
		case l.committed[got.Activity] == nil:
			r.Phantoms++
			continue
		case seen[key]:
			r.Again++
			continue
		}
		seen[key] = true
		t := thread{got.Person, got.Resource}
		if got.Version < newest[t] {
			r.OutOfOrder++
		}
		newest[t] = max(newest[t], got.Version)
	}
	r.Recorded, r.RolledBack, r.Received = len(l.committed), len(l.rolledBack), len(seen)
	for id, resource := range l.committed {
		for _, person := range resource.Watchers {
			if !seen[delivery{person, id}] {
				r.Lost++
			}
		}
	}
}

// judgeInbox compares it with the inbox.
func (r *killsResult) judgeInbox(ctx context.Context, db *stack.Database, l *ledger) error {
	type entry struct{ person, activity uuid.UUID }
	rows, err := db.Pool.Query(ctx, "SELECT principal_id, activity_id FROM fanfare.notifications")
	if err != nil {
		return err
	}
	found := map[entry]int{}
	var e entry
	if _, err := pgx.ForEachRow(rows, []any{&e.person, &e.activity}, func() error { found[e]++; return nil }); err != nil {
		return err
	}
	wanted := 0
	for id, resource := range l.committed {
		for _, person := range resource.Watchers {
			wanted++
			switch n := found[entry{person, id}]; {
			case n == 0:
				r.InboxAbsent++
			case n > 1:
				r.InboxExtra += n - 1
			}
		}
	}
	r.InboxExtra += max(0, len(found)-(wanted-r.InboxAbsent))
	return db.Pool.QueryRow(ctx, "SELECT count(*) FROM fanfare.dead_letters").Scan(&r.Dead)
}
