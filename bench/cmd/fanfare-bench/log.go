package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/bench/internal/loggen"
	"github.com/fanfarehq/fanfare/bench/internal/stack"
)

// The parts of the command, which --skip leaves out.
const (
	partPages   = "pages"
	partExplain = "explain"
	partSizes   = "sizes"
	partExport  = "export"
)

var logParts = []string{partPages, partExplain, partSizes, partExport}

type logOptions struct {
	databaseFlags
	log        loggen.Options
	url        string
	skip       []string
	runs       int
	explainDir string
	export     exportFlags
}

func newLog() *cobra.Command {
	return newBenchmark("log",
		"Measure how fast a large log answers and is exported, its plans, and its size on disk",
		&logOptions{}, measureLog)
}

func (o *logOptions) flags(flags *pflag.FlagSet) {
	o.export.flags(flags)
	flags.IntVar(&o.log.Activities, "activities", 10_000_000, "number of activities in the log")
	flags.IntVar(&o.log.Tenants, "tenants", 50, "number of tenants; the largest has a fifth of the activities")
	flags.IntVar(&o.log.Months, "months", 6, "number of months that the log covers")
	flags.IntVar(&o.log.Connections, "connections", 3, "number of connections that load it")
	flags.BoolVar(&o.log.IndexesFirst, "indexes-first", false,
		"create the indexes before loading: slower, and the indexes have the size of a log written row by row")
	flags.StringVar(&o.url, "url", "",
		"superuser's URL of a running PostgreSQL with a log; an empty log is loaded first")
	flags.StringSliceVar(&o.skip, "skip", nil, "parts to omit: "+strings.Join(logParts, ", "))
	flags.IntVar(&o.runs, "runs", 200, "number of times to send each query")
	flags.StringVar(&o.explainDir, "explain-dir", "", "write the plans to this directory")
	o.databaseFlags.flags(flags)
}

type logResult struct {
	Machine    machine        `json:"machine"`
	Activities int64          `json:"activities"`
	Tenants    []tenantCount  `json:"tenants"`
	Loading    *loading       `json:"loading,omitempty"` // nil if the log existed
	Pages      []pageResult   `json:"pages,omitempty"`
	Plans      *plans         `json:"plans,omitempty"`
	Sizes      *sizes         `json:"sizes,omitempty"`
	Exports    []exportResult `json:"exports,omitempty"`
}

// tenantCount is a tenant with the number of its activities.
type tenantCount struct {
	ID         uuid.UUID `json:"tenant"`
	Activities int64     `json:"activities"`
}

// loading is the time that loading the log took.
type loading struct {
	IndexesFirst  bool    `json:"indexes_first"`
	Connections   int     `json:"connections"`
	Seconds       float64 `json:"seconds"` // with the indexes
	PerSecond     float64 `json:"rows_per_second"`
	EveryKey      bool    `json:"every_activity_has_an_idempotency_key"`
	KeySeconds    float64 `json:"idempotency_key_seconds"`
	VacuumSeconds float64 `json:"vacuum_seconds"`
}

func (r *logResult) table(w io.Writer) {
	row(w, "log", fmt.Sprintf("%d activities", r.Activities), fmt.Sprintf("%d tenants", len(r.Tenants)))
	if l := r.Loading; l != nil {
		when := "afterwards"
		if l.IndexesFirst {
			when = "before"
		}
		row(w, "loaded in", fmt.Sprintf("%.1f s", l.Seconds), fmt.Sprintf("%.0f rows/s", l.PerSecond),
			fmt.Sprintf("%d connections", l.Connections), "indexes "+when)
		row(w, "and", fmt.Sprintf("%.1f s", l.KeySeconds), "for idempotency keys",
			fmt.Sprintf("%.1f s", l.VacuumSeconds), "for VACUUM ANALYZE")
	}
	showPages(w, r.Pages)
	r.Plans.table(w)
	r.Sizes.table(w)
	showExports(w, r.Exports)
}

// verify returns an error if a plan scans a partition sequentially.
func (r *logResult) verify() error {
	if r.Plans != nil && len(r.Plans.Offenders) > 0 {
		return fmt.Errorf("%d plans scan a partition sequentially", len(r.Plans.Offenders))
	}
	return nil
}

func measureLog(ctx context.Context, o *logOptions) (result *logResult, err error) {
	if err := checkNames("skip", o.skip, logParts); err != nil {
		return nil, err
	}
	db, err := o.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Stop()) }()
	result = &logResult{Machine: thisMachine()}
	var filled bool
	if err := db.Pool.QueryRow(ctx, "SELECT EXISTS (SELECT FROM fanfare.activities)").Scan(&filled); err != nil {
		return nil, err
	}
	if !filled {
		if result.Loading, err = loadLog(ctx, db, o.log); err != nil {
			return nil, err
		}
	}
	progress("counting tenants")
	if result.Tenants, err = countTenants(ctx, db); err != nil {
		return nil, err
	}
	for _, t := range result.Tenants {
		result.Activities += t.Activities
	}
	large, small := result.Tenants[0].ID, result.Tenants[len(result.Tenants)-1].ID
	for _, part := range logParts {
		if slices.Contains(o.skip, part) {
			continue
		}
		progress("%s", part)
		switch part {
		case partPages:
			result.Pages, err = queryAll(ctx, db, large, small, o.runs)
		case partExplain:
			result.Plans, err = explainAll(ctx, db, large, small, o.explainDir)
		case partSizes:
			result.Sizes, err = measureSizes(ctx, db, result.Activities)
		case partExport:
			result.Exports, err = o.export.measure(ctx, db, large, result.Tenants[0].Activities)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part, err)
		}
	}
	return result, nil
}

func (o *logOptions) open(ctx context.Context) (*stack.Database, error) {
	if o.url != "" {
		return stack.OpenDatabase(ctx, o.url)
	}
	return o.start(ctx, loggen.Settings())
}

// loadLog generates and loads a log.
func loadLog(ctx context.Context, db *stack.Database, o loggen.Options) (*loading, error) {
	c := loggen.New(o)
	l := &loading{IndexesFirst: o.IndexesFirst, Connections: o.Connections}
	progress("loading %d activities", c.Activities())
	began := time.Now()
	stop := progressOf("loading", c.Activities(), c.Written)
	err := c.Load(ctx, db.Pool)
	stop()
	if err != nil {
		return nil, err
	}
	l.Seconds = time.Since(began).Seconds()
	l.PerSecond = float64(c.Activities()) / l.Seconds
	progress("loaded %.0f/s; idempotency keys", l.PerSecond)
	began = time.Now()
	if l.EveryKey, err = everyKey(ctx, db); err != nil {
		return nil, err
	}
	if err := c.LoadKeys(ctx, db.Pool, l.EveryKey); err != nil {
		return nil, err
	}
	l.KeySeconds = time.Since(began).Seconds()
	progress("VACUUM ANALYZE")
	began = time.Now()
	err = db.Exec(ctx, "VACUUM (ANALYZE)", "CHECKPOINT")
	l.VacuumSeconds = time.Since(began).Seconds()
	return l, err
}

// everyKey reports whether recording writes an idempotency key for an activity without a
// correlation id.
func everyKey(ctx context.Context, db *stack.Database) (every bool, err error) {
	tx, err := db.Pool.Begin(ctx)
	if err != nil {
		return false, err
	}
	defer func() { err = cmp.Or(err, tx.Rollback(ctx)) }()
	var id uuid.UUID
	err = tx.QueryRow(ctx, `SELECT fanfare.record_activity(jsonb_build_object(
		'tenant_id', $1::uuid, 'actor_principal_id', $1::uuid, 'resource_id', $1::uuid,
		'resource_type', 'signal', 'action', 'signal.created'))`, uuid.New()).Scan(&id)
	if err != nil {
		return false, err
	}
	return every, tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM fanfare.idempotency_keys WHERE activity_id = $1)", id).
		Scan(&every)
}

func countTenants(ctx context.Context, db *stack.Database) ([]tenantCount, error) {
	rows, err := db.Pool.Query(ctx, "SELECT tenant_id, count(*) FROM fanfare.activities GROUP BY 1 ORDER BY 2 DESC, 1")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[tenantCount])
}
