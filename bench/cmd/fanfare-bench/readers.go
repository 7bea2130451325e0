package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance"
	"github.com/fanfarehq/fanfare/internal/acceptance/fixture"
	"github.com/fanfarehq/fanfare/internal/acceptance/sse"
	"github.com/fanfarehq/fanfare/internal/identity"
)

type readersOptions struct {
	databaseFlags
	readers    int
	tenants    int
	rate       int
	duration   time.Duration
	cpuProfile string
}

func newReaders() *cobra.Command {
	return newBenchmark("readers",
		"Measure the latency and memory of thousands of readers of activity streams",
		&readersOptions{}, measureReaders)
}

func (o *readersOptions) flags(flags *pflag.FlagSet) {
	o.databaseFlags.flags(flags)
	flags.IntVar(&o.readers, "readers", 2000, "number of readers")
	flags.IntVar(&o.tenants, "tenants", 10, "number of tenants")
	flags.IntVar(&o.rate, "rate", 100, "activities a second")
	flags.DurationVar(&o.duration, "duration", 30*time.Second, "duration of the measurement")
	flags.StringVar(&o.cpuProfile, "cpuprofile", "", "write a CPU profile of the server to this file")
}

type readersResult struct {
	Machine    machine     `json:"machine"`
	Readers    int         `json:"readers"`
	Tenants    int         `json:"tenants"`
	Rate       int         `json:"rate"`
	Activities int         `json:"activities"`
	Expected   int         `json:"expected"`
	Received   int         `json:"received"` // distinct ones
	Lost       int         `json:"lost"`
	Repeated   int         `json:"repeated"`
	Dropped    int         `json:"streams_dropped"` // by the server, with a reason
	Broken     int         `json:"streams_broken"`
	Returned   percentiles `json:"since_commit_returned"`
	Sent       percentiles `json:"since_commit_sent"`
	Memory     memory      `json:"server_memory"`
	ServerCPU  float64     `json:"server_cpu_cores"`
	EventCPU   float64     `json:"server_cpu_us_per_event"`
}

// memory is the server's, in bytes.
type memory struct {
	Without  int64 `json:"without_readers"`
	Idle     int64 `json:"with_idle_readers"`
	Peak     int64 `json:"under_load"`
	EachIdle int64 `json:"per_idle_reader"`
	EachLoad int64 `json:"per_reader_under_load"`
}

func (r *readersResult) table(w io.Writer) {
	kib := func(bytes int64) string { return fmt.Sprintf("%.1f KiB", float64(bytes)/1024) }
	mib := func(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }
	row(w, fmt.Sprintf("%d readers, %d tenants, %d activities at %d/s", r.Readers, r.Tenants, r.Activities, r.Rate),
		"p50", "p99", "max")
	row(w, "from COMMIT's return to the reader", r.Returned.P50, r.Returned.P99, r.Returned.Max)
	row(w, "from COMMIT's sending to the reader", r.Sent.P50, r.Sent.P99, r.Sent.Max)
	row(w, "events expected", r.Expected)
	row(w, "distinct events received", r.Received)
	row(w, "lost", r.Lost)
	row(w, "repeated", r.Repeated)
	row(w, "streams dropped by the server", r.Dropped)
	row(w, "streams broken", r.Broken)
	row(w, "server's memory without readers", mib(r.Memory.Without))
	row(w, "with idle readers", mib(r.Memory.Idle), kib(r.Memory.EachIdle)+" each")
	row(w, "under load", mib(r.Memory.Peak), kib(r.Memory.EachLoad)+" each")
	row(w, "server's CPU", fmt.Sprintf("%.2f cores", r.ServerCPU), fmt.Sprintf("%.1f µs an event", r.EventCPU))
}

// verify returns an error if an event is missing.
func (r *readersResult) verify() error {
	if r.Lost > 0 {
		return fmt.Errorf("%d events were lost", r.Lost)
	}
	return nil
}

func measureReaders(ctx context.Context, o *readersOptions) (result *readersResult, err error) {
	s, err := o.startServers(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	db, centrifugo := s.db, s.centrifugo
	world := fixture.New(fixture.Options{Tenants: o.tenants, Folders: max(20, o.tenants)})
	if err := world.Load(ctx, db.Pool); err != nil {
		return nil, err
	}
	worker, err := acceptance.StartWorker(db.URL, centrifugo)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, worker.Kill()) }()
	server, err := startServer(db, centrifugo, o.cpuProfile)
	if err != nil {
		return nil, err
	}
	defer server.stop()

	result = &readersResult{Machine: thisMachine(), Readers: o.readers, Tenants: o.tenants, Rate: o.rate}
	w := &streamed{pool: db.Pool, world: world}
	if err := w.warmUp(ctx, server); err != nil {
		return nil, err
	}
	if result.Memory.Without, err = resident(server); err != nil {
		return nil, err
	}
	audience, err := gather(ctx, server, world, o.readers)
	if err != nil {
		return nil, err
	}
	defer audience.leave()
	time.Sleep(time.Second)
	if result.Memory.Idle, err = resident(server); err != nil {
		return nil, err
	}
	progress("%d readers are connected; %d activities/s for %v", o.readers, o.rate, o.duration)
	if err := result.load(ctx, w, o, server, audience); err != nil {
		return nil, err
	}
	if err := audience.leave(); err != nil {
		return nil, err
	}
	result.judge(w, audience)
	return result, nil
}

// load commits activities until all are read, and measures the server in the meantime.
func (r *readersResult) load(
	ctx context.Context,
	w *streamed,
	o *readersOptions,
	server *apiServer,
	a *readership,
) error {
	before, err := server.usage()
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	var sampling sync.WaitGroup
	sampling.Go(func() { r.Memory.Peak = peak(server, ended) })
	began := time.Now()
	err = w.run(ctx, acceptance.Rate{PerSecond: o.rate, Duration: o.duration})
	for _, reader := range a.readers {
		r.Expected += w.of[reader.Tenant]
	}
	a.await(ctx, int64(r.Expected), 5*time.Second)
	took := time.Since(began).Seconds()
	close(ended)
	sampling.Wait()
	after, usageErr := server.usage()
	if err := errors.Join(err, usageErr); err != nil {
		return err
	}
	cpu := (after.CPU - before.CPU).Seconds()
	r.ServerCPU, r.EventCPU = cpu/took, cpu*1e6/float64(max(1, a.shared.Received()))
	each := func(now int64) int64 { return (now - r.Memory.Without) / int64(max(1, o.readers)) }
	r.Memory.EachIdle, r.Memory.EachLoad = each(r.Memory.Idle), each(r.Memory.Peak)
	return nil
}

// resident returns the memory of the idle server.
func resident(server *apiServer) (int64, error) {
	time.Sleep(time.Second)
	usage, err := server.usage()
	return usage.Resident, err
}

// peak returns the maximum memory of the server until ended is closed.
func peak(server *apiServer, ended <-chan struct{}) (most int64) {
	for {
		if usage, err := server.usage(); err == nil {
			most = max(most, usage.Resident)
		}
		select {
		case <-ended:
			return most
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (r *readersResult) judge(w *streamed, a *readership) {
	var sinceReturned, sinceSent []time.Duration
	for _, reader := range a.readers {
		seen := make(map[uuid.UUID]bool, len(reader.Receptions))
		for _, got := range reader.Receptions {
			c, known := w.commits[got.Activity]
			if !known {
				continue
			}
			if seen[got.Activity] {
				r.Repeated++
				continue
			}
			seen[got.Activity] = true
			at := a.shared.Started.Add(got.At)
			sinceReturned, sinceSent = append(sinceReturned, at.Sub(c.Returned)), append(sinceSent, at.Sub(c.Sent))
		}
		r.Received += len(seen)
		r.Dropped += reader.Dropped
		r.Broken += reader.Broken
	}
	r.Activities, r.Lost = len(w.commits), r.Expected-r.Received
	r.Returned, r.Sent = acceptance.NewPercentiles(sinceReturned), acceptance.NewPercentiles(sinceSent)
}

// streamed commits activities that are published on their tenants' streams.
type streamed struct {
	pool  *pgxpool.Pool
	world *fixture.World

	mu      sync.Mutex
	commits map[uuid.UUID]acceptance.CommitTimes
	of      map[uuid.UUID]int // number of activities of each tenant
}

// run commits activities at a rate and records those of this run only.
func (w *streamed) run(ctx context.Context, rate acceptance.Rate) error {
	w.commits, w.of = map[uuid.UUID]acceptance.CommitTimes{}, map[uuid.UUID]int{}
	return acceptance.AtRate(ctx, rate, func(n int) func(context.Context) error {
		e := w.world.Resources[n%len(w.world.Resources)].Envelope(n, int64(n))
		e.DeliveryChannels = []string{activity.ToUser, activity.ToResource, activity.ToTenant}
		return func(ctx context.Context) error {
			recorded, times, err := acceptance.CommitActivity(ctx, w.pool, e)
			if err != nil {
				return err
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			w.commits[recorded.ID] = times
			w.of[recorded.TenantID]++
			return nil
		}
	})
}

// warmUp streams some events to a reader of each tenant.
func (w *streamed) warmUp(ctx context.Context, server *apiServer) error {
	a, err := gather(ctx, server, w.world, len(w.world.Tenants))
	if err != nil {
		return err
	}
	if err := w.run(ctx, acceptance.Rate{PerSecond: 100, Duration: 2 * time.Second}); err != nil {
		return errors.Join(err, a.leave())
	}
	a.await(ctx, int64(len(w.commits)), 5*time.Second)
	return a.leave()
}

// readership is a set of connected readers.
type readership struct {
	shared  *sse.Readers
	readers []*sse.Reader
	leave   func() error // disconnects them; their fields may be read afterwards
}

// gather connects n readers, each a different principal, to the streams of the world's tenants in
// turn.
func gather(ctx context.Context, server *apiServer, world *fixture.World, n int) (*readership, error) {
	reading, cancel := context.WithCancel(ctx)
	a := &readership{shared: sse.NewReaders(server.url + "/activities/stream")}
	var in, out sync.WaitGroup
	failed := make(chan error, n)
	a.leave = sync.OnceValue(func() error {
		cancel()
		out.Wait()
		select {
		case err := <-failed:
			return err
		default:
			return nil
		}
	})
	for i := range n {
		r := &sse.Reader{Tenant: world.Tenants[i%len(world.Tenants)].ID}
		token, err := server.token(activity.Principal{TenantID: r.Tenant, PrincipalID: uuid.New()}, identity.ScopeRead)
		if err != nil {
			return nil, errors.Join(err, a.leave())
		}
		a.readers = append(a.readers, r)
		in.Add(1)
		out.Go(func() {
			if err := r.Follow(reading, a.shared, token, in.Done); err != nil {
				failed <- fmt.Errorf("a reader was rejected: %w", err)
			}
		})
	}
	all := make(chan struct{})
	go func() { in.Wait(); close(all) }()
	select {
	case <-all:
		return a, nil
	case err := <-failed:
		return nil, errors.Join(err, a.leave())
	case <-ctx.Done():
	case <-time.After(time.Minute):
	}
	return nil, errors.Join(errors.New("not every reader connected"), a.leave())
}

// await returns when n events have been received, or when none was received for the quiet time.
func (a *readership) await(ctx context.Context, n int64, quiet time.Duration) {
	last, since := a.shared.Received(), time.Now()
	for last < n && time.Since(since) < quiet && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
		if now := a.shared.Received(); now != last {
			last, since = now, time.Now()
		}
	}
}
