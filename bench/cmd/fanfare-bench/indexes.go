package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/bench/internal/bulk"
	"github.com/fanfarehq/fanfare/bench/internal/loggen"
	"github.com/fanfarehq/fanfare/bench/internal/stack"
)

type indexesOptions struct {
	databaseFlags
	log     loggen.Options
	inserts int
	rounds  int
}

func newIndexes() *cobra.Command {
	return newBenchmark("indexes",
		"Measure what each of the log's indexes costs, and show the queries that use it",
		&indexesOptions{}, measureIndexes)
}

func (o *indexesOptions) flags(flags *pflag.FlagSet) {
	flags.IntVar(&o.log.Activities, "activities", 1_000_000, "number of activities in the log")
	flags.IntVar(&o.log.Tenants, "tenants", 50, "number of tenants")
	flags.IntVar(&o.inserts, "inserts", 200_000,
		"number of the newest activities that are inserted repeatedly; the second half is measured")
	flags.IntVar(&o.rounds, "rounds", 3, "number of times to measure each set of indexes, in turns")
	o.databaseFlags.flags(flags)
}

// insertCost is the cost of inserting an activity, or what an index adds to it.
type insertCost struct {
	Micros float64 `json:"us_per_row"`
	CPU    float64 `json:"postgres_cpu_us_per_row"`
	WAL    float64 `json:"wal_bytes_per_row"`
}

func (c insertCost) less(other insertCost) insertCost {
	return insertCost{c.Micros - other.Micros, c.CPU - other.CPU, c.WAL - other.WAL}
}

// indexCost is what an index adds, and the queries that use it.
type indexCost struct {
	Index     string     `json:"index"`
	Adds      insertCost `json:"adds"`
	Bytes     float64    `json:"bytes_per_activity"` // of a newly created index
	Questions []string   `json:"questions"`
}

type indexesResult struct {
	Machine    machine               `json:"machine"`
	Activities int                   `json:"activities"`
	Inserts    int                   `json:"inserts"`
	Sets       map[string]insertCost `json:"sets"` // medians
	Order      []string              `json:"-"`
	Indexes    []indexCost           `json:"indexes"`
	Record     insertCost            `json:"record_activity"` // of one activity
}

func (r *indexesResult) table(w io.Writer) {
	cells := func(c insertCost) []any {
		return []any{fmt.Sprintf("%.1f", c.Micros), fmt.Sprintf("%.1f", c.CPU), fmt.Sprintf("%.0f", c.WAL)}
	}
	row(w, "an INSERT with", "µs", "CPU µs", "WAL bytes")
	for _, name := range r.Order {
		row(w, append([]any{name}, cells(r.Sets[name])...)...)
	}
	row(w, append([]any{"fanfare.record_activity"}, cells(r.Record)...)...)
	row(w)
	row(w, "an index adds", "µs", "CPU µs", "WAL bytes", "bytes on disk", "queries")
	for _, i := range r.Indexes {
		row(
			w,
			append(append([]any{i.Index}, cells(i.Adds)...), fmt.Sprintf("%.1f", i.Bytes),
				strings.Join(i.Questions, "; "))...)
	}
}

// The sets of indexes that are measured besides all indexes but one.
const (
	allIndexes = "all indexes"
	noIndexes  = "no index"
	keyOnly    = "the primary key"
)

// scratch is a table like the log's partitions.
const scratch = "public.scratch"

func measureIndexes(ctx context.Context, o *indexesOptions) (result *indexesResult, err error) {
	if o.inserts < 2 || o.inserts >= o.log.Activities || o.rounds < 1 {
		return nil, errors.New("--inserts must be at least 2 and below --activities, --rounds at least 1")
	}
	db, err := o.start(ctx, writeSettings(false))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Stop()) }()
	if _, err := loadLog(ctx, db, o.log); err != nil {
		return nil, err
	}
	result = &indexesResult{
		Machine:    thisMachine(),
		Activities: o.log.Activities,
		Inserts:    o.inserts,
		Sets:       map[string]insertCost{},
	}
	if err := stage(ctx, db, o.inserts); err != nil {
		return nil, err
	}
	indexes, err := bulk.Indexes(ctx, db.Pool, "fanfare.activities")
	if err != nil {
		return nil, err
	}
	sets := map[string][]bulk.Index{allIndexes: indexes, noIndexes: nil}
	result.Order = []string{noIndexes, keyOnly, allIndexes}
	for n, i := range indexes {
		if strings.HasSuffix(i.Name, "_pkey") {
			sets[keyOnly] = indexes[n : n+1]
		}
		name := "all but " + i.Name
		sets[name] = slices.Delete(slices.Clone(indexes), n, n+1)
		result.Order = append(result.Order, name)
	}
	measured := map[string][]insertCost{}
	for round, name := range turns(o.rounds, result.Order) {
		cost, err := insertWith(ctx, db, sets[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		progress("round %d: %s: %.1f µs", round, name, cost.Micros)
		measured[name] = append(measured[name], cost)
	}
	for name, costs := range measured {
		result.Sets[name] = medianCost(costs)
	}
	if err := result.addIndexes(ctx, db, indexes); err != nil {
		return nil, err
	}
	result.Record, err = recordStaged(ctx, db)
	return result, err
}

func medianCost(costs []insertCost) insertCost {
	of := func(figure func(insertCost) float64) float64 {
		var list []float64
		for _, c := range costs {
			list = append(list, figure(c))
		}
		return median(list)
	}
	return insertCost{
		of(
			func(c insertCost) float64 { return c.Micros },
		), of(func(c insertCost) float64 { return c.CPU }), of(func(c insertCost) float64 { return c.WAL }),
	}
}

// stage copies the newest activities, in their order and in two halves, to the table staged, and
// the others to the scratch table.
func stage(ctx context.Context, db *stack.Database, inserts int) error {
	return db.Exec(
		ctx,
		fmt.Sprintf(
			`CREATE UNLOGGED TABLE newest AS SELECT * FROM fanfare.activities ORDER BY id DESC LIMIT %d`,
			inserts,
		),
		`CREATE UNLOGGED TABLE staged AS
			SELECT ntile(2) OVER (ORDER BY id) AS half, n AS activity FROM newest AS n ORDER BY id`,
		`CREATE TABLE `+scratch+` (LIKE fanfare.activities INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`,
		`INSERT INTO `+scratch+`
			SELECT * FROM fanfare.activities WHERE id < (SELECT id FROM newest ORDER BY id LIMIT 1)`,
		`VACUUM (ANALYZE) staged`,
		`VACUUM (ANALYZE) `+scratch,
	)
}

// insertWith inserts the staged activities into the scratch table with the indexes, and measures
// the second half, when most pages have been written since the checkpoint.
func insertWith(ctx context.Context, db *stack.Database, indexes []bulk.Index) (cost insertCost, err error) {
	present, err := bulk.Indexes(ctx, db.Pool, scratch)
	if err != nil {
		return cost, err
	}
	var statements []string
	for _, i := range present {
		statements = append(statements, i.Drop)
	}
	statements = append(
		statements,
		`DELETE FROM `+scratch+` WHERE id >= (SELECT id FROM newest ORDER BY id LIMIT 1)`,
		`VACUUM `+scratch,
	)
	for _, i := range indexes {
		statements = append(statements, i.On("fanfare.activities", scratch))
	}
	const insert = `INSERT INTO ` + scratch + ` SELECT (activity).* FROM staged WHERE half = %d`
	statements = append(statements, "CHECKPOINT", fmt.Sprintf(insert, 1))
	if err := db.Exec(ctx, statements...); err != nil {
		return cost, err
	}
	return costOf(ctx, db, fmt.Sprintf(insert, 2))
}

// costOf executes a statement and returns its cost per row.
func costOf(ctx context.Context, db *stack.Database, statement string) (cost insertCost, err error) {
	var before, after int64
	const written = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"
	if err := db.Pool.QueryRow(ctx, written).Scan(&before); err != nil {
		return cost, err
	}
	cpu, began := stack.ReadCPU(), time.Now()
	tag, err := db.Pool.Exec(ctx, statement)
	if err != nil {
		return cost, err
	}
	took, used := time.Since(began), stack.ReadCPU().Since(cpu)
	if err := db.Pool.QueryRow(ctx, written).Scan(&after); err != nil {
		return cost, err
	}
	rows := float64(max(1, tag.RowsAffected()))
	return insertCost{
		float64(took.Microseconds()) / rows,
		float64(used.Postgres.Microseconds()) / rows,
		float64(after-before) / rows,
	}, nil
}

// recordStaged records some of the staged activities with the SQL function and returns the cost.
func recordStaged(ctx context.Context, db *stack.Database) (insertCost, error) {
	const recorded = `SELECT fanfare.record_activity(jsonb_build_object(
		'tenant_id', (activity).tenant_id, 'actor_principal_id', (activity).actor_principal_id,
		'resource_id', (activity).resource_id, 'resource_type', (activity).resource_type,
		'action', (activity).action, 'owner_id', (activity).owner_id, 'request_id', (activity).request_id,
		'payload', (activity).payload)) FROM (SELECT * FROM staged WHERE half = %d LIMIT 20000) AS s`
	if err := db.Exec(ctx, fmt.Sprintf(recorded, 1)); err != nil {
		return insertCost{}, err
	}
	return costOf(ctx, db, fmt.Sprintf(recorded, 2))
}

// addIndexes adds each index with the cost of the set without it as the difference, and the queries
// that use it.
func (r *indexesResult) addIndexes(ctx context.Context, db *stack.Database, indexes []bulk.Index) error {
	tenants, err := countTenants(ctx, db)
	if err != nil {
		return err
	}
	p, err := explainAll(ctx, db, tenants[0].ID, tenants[0].ID, "")
	if err != nil {
		return err
	}
	disk, err := measureSizes(ctx, db, int64(r.Activities))
	if err != nil {
		return err
	}
	for _, i := range indexes {
		cost := indexCost{Index: i.Name, Adds: r.Sets[allIndexes].less(r.Sets["all but "+i.Name])}
		for _, part := range disk.Parts {
			if part.Part == i.Name {
				cost.Bytes = part.Each
			}
		}
		for _, plan := range p.Plans {
			if plan.Mode == modes[0] && slices.Contains(plan.Indexes, i.Name) {
				cost.Questions = append(cost.Questions, plan.Question)
			}
		}
		r.Indexes = append(r.Indexes, cost)
	}
	return nil
}
