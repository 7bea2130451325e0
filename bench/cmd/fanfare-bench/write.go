package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance"
	"github.com/fanfarehq/fanfare/internal/wait"
)

type writeOptions struct {
	databaseFlags
	output  output
	rounds  int
	seconds int
	warmUp  time.Duration
	clients []int
	kinds   []string
	noFsync bool
}

func newWrite() *cobra.Command {
	var o writeOptions
	cmd := newBenchmark(
		"write",
		"Measure what recording an activity costs the transaction that makes the change",
		&o.output,
		func(ctx context.Context) (*writeResult, error) {
			if err := o.validate(); err != nil {
				return nil, err
			}
			return measureWrites(ctx, &o)
		},
	)
	flags := cmd.Flags()
	flags.IntVar(&o.rounds, "rounds", 5, "number of times to measure each kind of transaction, in turns")
	flags.IntVar(&o.seconds, "seconds", 5, "seconds of each measurement")
	flags.DurationVar(&o.warmUp, "warm-up", time.Second, "duration of the load before each measurement")
	flags.IntSliceVar(
		&o.clients,
		"clients",
		[]int{8},
		"number of clients with one transaction at a time each; several numbers are measured in turns",
	)
	flags.StringSliceVar(&o.kinds, "kinds", transactionNames(), "kinds of transactions to measure")
	flags.BoolVar(&o.noFsync, "no-fsync", false, "do not wait for the disk")
	o.databaseFlags.flags(flags)
	return cmd
}

func (o *writeOptions) validate() error {
	known := transactionNames()
	for _, k := range o.kinds {
		if !slices.Contains(known, k) {
			return fmt.Errorf("--kinds: got %q, want one of %v", k, known)
		}
	}
	if o.rounds < 1 || o.seconds < 1 || len(o.clients) == 0 || slices.Min(o.clients) < 1 {
		return errors.New("--rounds, --seconds and --clients must be at least 1")
	}
	return nil
}

// writeRun is one measurement of a kind of transaction.
type writeRun struct {
	Kind        string      `json:"kind"`
	Clients     int         `json:"clients"`
	Round       int         `json:"round"`
	Commits     int64       `json:"transactions"`
	PerSecond   float64     `json:"transactions_per_second"`
	Took        percentiles `json:"took"`
	ClientCPU   float64     `json:"client_cpu_us_per_transaction"`
	PostgresCPU float64     `json:"postgres_cpu_us_per_transaction"`
}

// spread is the distribution of a figure over the rounds.
type spread struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

func newSpread(values []float64) spread {
	return spread{median(values), slices.Min(values), slices.Max(values)}
}

func (s spread) String() string { return fmt.Sprintf("%.2f (%.2f–%.2f)", s.Median, s.Low, s.High) }

// writeSummary summarizes the rounds of a kind with a number of clients. Ratios are within a round.
type writeSummary struct {
	Kind        string       `json:"kind"`
	Clients     int          `json:"clients"`
	PerSecond   spread       `json:"transactions_per_second"`
	P50         milliseconds `json:"p50_ms"`
	P99         milliseconds `json:"p99_ms"`
	ClientCPU   float64      `json:"client_cpu_us_per_transaction"`
	PostgresCPU float64      `json:"postgres_cpu_us_per_transaction"`
	ToChange    *spread      `json:"ratio_to_change,omitempty"`
	ToAudit     *spread      `json:"ratio_to_audit,omitempty"`
	ToBatched   *spread      `json:"ratio_to_audit_batched,omitempty"`
}

type writeResult struct {
	Machine machine        `json:"machine"`
	Fsync   bool           `json:"fsync"`
	Checks  string         `json:"checks"` // of the recording
	Runs    []writeRun     `json:"runs"`
	Summary []writeSummary `json:"summary"`
}

func (r *writeResult) table(w io.Writer) {
	durable := "fsync"
	if !r.Fsync {
		durable = "no fsync"
	}
	row(
		w,
		durable,
		"clients",
		"transactions/s",
		"from",
		"to",
		"p50",
		"p99",
		"CPU µs each:",
		"client",
		"postgres",
		"of change",
		"of audit",
		"of audit-batched",
	)
	optional := func(s *spread) string {
		if s == nil {
			return ""
		}
		return s.String()
	}
	for _, s := range r.Summary {
		row(
			w,
			s.Kind,
			s.Clients,
			fmt.Sprintf("%.0f", s.PerSecond.Median),
			fmt.Sprintf("%.0f", s.PerSecond.Low),
			fmt.Sprintf("%.0f", s.PerSecond.High),
			s.P50,
			s.P99,
			"",
			fmt.Sprintf("%.0f", s.ClientCPU),
			fmt.Sprintf("%.0f", s.PostgresCPU),
			optional(s.ToChange),
			optional(s.ToAudit),
			optional(s.ToBatched),
		)
	}
	row(w)
	row(w, "checked", r.Checks)
}

func measureWrites(ctx context.Context, o *writeOptions) (result *writeResult, err error) {
	db, err := o.start(ctx, writeSettings(o.noFsync))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Stop()) }()
	site, err := newSite(ctx, db)
	if err != nil {
		return nil, err
	}
	if err := site.enforce(ctx); err != nil {
		return nil, err
	}
	result = &writeResult{Machine: thisMachine(), Fsync: !o.noFsync, Checks: site.checks}
	for round := range o.rounds {
		for _, clients := range o.clients {
			for i := range o.kinds { // each round starts with another kind
				kind := o.kinds[(i+round)%len(o.kinds)]
				run, err := site.measure(ctx, kind, clients, o.warmUp, time.Duration(o.seconds)*time.Second)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", kind, err)
				}
				run.Round = round + 1
				progress("round %d, %d clients: %s: %.0f transactions/s", run.Round, clients, kind, run.PerSecond)
				result.Runs = append(result.Runs, run)
			}
		}
	}
	result.summarize(o)
	return result, nil
}

// writeSettings returns settings without a checkpoint during a measurement.
func writeSettings(noFsync bool) map[string]string {
	settings := map[string]string{"shared_buffers": "1GB", "max_wal_size": "16GB", "checkpoint_timeout": "1h"}
	if noFsync {
		settings["fsync"] = "off"
		settings["full_page_writes"] = "off"
	}
	return settings
}

// measure commits transactions of a kind with concurrent clients, and measures those after the
// warm-up.
func (s *site) measure(
	ctx context.Context,
	kind string,
	clients int,
	warmUp, duration time.Duration,
) (run writeRun, err error) {
	if err := s.reset(ctx); err != nil {
		return run, err
	}
	pool, err := s.db.NewPool(ctx, clients)
	if err != nil {
		return run, err
	}
	defer pool.Close()
	var (
		over    atomic.Bool
		commits atomic.Int64
		mu      sync.Mutex
		took    []time.Duration
	)
	counting := time.Now().Add(warmUp)
	g, working := errgroup.WithContext(ctx)
	for range clients {
		g.Go(func() error {
			mine, err := s.commitUntil(working, pool, kind, counting, &over, &commits)
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
			return err
		})
	}
	_ = wait.Sleep(working, time.Until(counting))
	cpu, before, began := stack.ReadCPU(), commits.Load(), time.Now()
	_ = wait.Sleep(working, duration)
	used, after, seconds := stack.ReadCPU().Since(cpu), commits.Load(), time.Since(began).Seconds()
	over.Store(true)
	if err := g.Wait(); err != nil {
		return run, err
	}
	n := after - before
	if n == 0 {
		return run, errors.New("no transaction was committed")
	}
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(n) }
	run = writeRun{
		Kind: kind, Clients: clients, Commits: n, PerSecond: float64(n) / seconds,
		Took:      acceptance.NewPercentiles(took),
		ClientCPU: each(used.Self), PostgresCPU: each(used.Postgres),
	}
	return run, s.verify(ctx, kind, commits.Load())
}

// commitUntil commits one transaction after the other until over is set, and returns the durations
// of those that started after counting.
func (s *site) commitUntil(
	ctx context.Context,
	pool *pgxpool.Pool,
	kind string,
	counting time.Time,
	over *atomic.Bool,
	commits *atomic.Int64,
) (took []time.Duration, err error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	do := transactions[kind]
	for !over.Load() {
		began := time.Now()
		if err := do(s, ctx, conn.Conn()); err != nil {
			return nil, err
		}
		commits.Add(1)
		if began.After(counting) {
			took = append(took, time.Since(began))
		}
	}
	return took, nil
}

func (r *writeResult) summarize(o *writeOptions) {
	rates := func(kind string, clients int) (list []float64) {
		for _, run := range r.Runs {
			if run.Kind == kind && run.Clients == clients {
				list = append(list, run.PerSecond)
			}
		}
		return list
	}
	ratio := func(kind, base string, clients int) *spread {
		bases := rates(base, clients)
		if kind == base || len(bases) == 0 {
			return nil
		}
		list := rates(kind, clients)
		for i := range list {
			list[i] /= bases[i]
		}
		s := newSpread(list)
		return &s
	}
	of := func(kind string, clients int, figure func(writeRun) float64) float64 {
		var list []float64
		for _, run := range r.Runs {
			if run.Kind == kind && run.Clients == clients {
				list = append(list, figure(run))
			}
		}
		return median(list)
	}
	for _, clients := range o.clients {
		for _, kind := range o.kinds {
			r.Summary = append(r.Summary, writeSummary{
				Kind: kind, Clients: clients, PerSecond: newSpread(rates(kind, clients)),
				P50: milliseconds(
					of(kind, clients, func(run writeRun) float64 { return float64(run.Took.P50) }),
				),
				P99: milliseconds(
					of(kind, clients, func(run writeRun) float64 { return float64(run.Took.P99) }),
				),
				ClientCPU:   of(kind, clients, func(run writeRun) float64 { return run.ClientCPU }),
				PostgresCPU: of(kind, clients, func(run writeRun) float64 { return run.PostgresCPU }),
				ToChange:    ratio(kind, changeAlone, clients),
				ToAudit:     ratio(kind, auditRow, clients), ToBatched: ratio(kind, auditBatched, clients),
			})
		}
	}
}
