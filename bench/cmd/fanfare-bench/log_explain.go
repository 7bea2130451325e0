package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/bench/internal/stack"
)

// plans are the plans of the queries.
type plans struct {
	Plans     []plan   `json:"plans"`
	Offenders []string `json:"sequential_scans"` // plans with the partitions that they scan sequentially
}

// plan is the plan of a query with its values (custom) or without (generic); a connection that
// repeats a query uses either.
type plan struct {
	Tenant     string   `json:"tenant"`
	Question   string   `json:"question"`
	Mode       string   `json:"mode"`
	Indexes    []string `json:"indexes"` // that were read, by the names of the partitioned table's indexes
	Blocks     int64    `json:"blocks"`  // read
	Millis     float64  `json:"ms"`
	Sequential []string `json:"sequential_scans,omitempty"`
}

// modes are settings of plan_cache_mode.
var modes = []string{"custom", "generic"}

func (p *plans) table(w io.Writer) {
	if p == nil {
		return
	}
	row(w)
	row(w, "plans", "tenant", "indexes", "blocks", "blocks, generic", "ms", "ms, generic")
	for i := 0; i+1 < len(p.Plans); i += len(modes) {
		custom, generic := p.Plans[i], p.Plans[i+1]
		row(w, custom.Question, custom.Tenant, strings.Join(custom.Indexes, " "), custom.Blocks, generic.Blocks,
			fmt.Sprintf("%.2f", custom.Millis), fmt.Sprintf("%.2f", generic.Millis))
	}
	row(w, fmt.Sprintf("%d plans", len(p.Plans)), fmt.Sprintf("%d scan a partition sequentially", len(p.Offenders)))
	for _, o := range p.Offenders {
		_, _ = fmt.Fprintln(w, "  "+o)
	}
}

// explainAll sends every query once, captures the statements, and explains them with the same
// settings.
func explainAll(ctx context.Context, db *stack.Database, large, small uuid.UUID, dir string) (*plans, error) {
	caught := &catcher{}
	config, err := pgxpool.ParseConfig(db.URL)
	if err != nil {
		return nil, err
	}
	config.MaxConns, config.ConnConfig.Tracer = 1, caught
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	parents, err := indexNames(ctx, db)
	if err != nil {
		return nil, err
	}
	e := &explainer{db: db, dir: dir, parents: parents}
	if dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	log, result := pglog.New(pool), &plans{Offenders: []string{}}
	for _, tenant := range sized(large, small) {
		samples, err := sample(ctx, db, tenant.id)
		if err != nil {
			return nil, err
		}
		for _, q := range logQueries {
			about := q.fitting(samples)
			if len(about) == 0 {
				continue
			}
			caught.statements = nil
			if _, err := q.run(ctx, log, about[0]); err != nil {
				return nil, fmt.Errorf("%s: %w", q.name, err)
			}
			for _, mode := range modes {
				p := plan{Tenant: tenant.name, Question: q.name, Mode: mode}
				if err := e.explain(ctx, &p, caught.statements); err != nil {
					return nil, fmt.Errorf("explain %s: %w", q.name, err)
				}
				if len(p.Sequential) > 0 {
					result.Offenders = append(result.Offenders, fmt.Sprintf("%s, %s tenant, %s plan: %s",
						q.name, tenant.name, mode, strings.Join(p.Sequential, " ")))
				}
				result.Plans = append(result.Plans, p)
			}
		}
	}
	return result, nil
}

// catcher records the statements of batches. It is a pgx.QueryTracer and a pgx.BatchTracer.
type catcher struct{ statements []caughtStatement }

type caughtStatement struct {
	sql  string
	args []any
}

func (c *catcher) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}
func (c *catcher) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (c *catcher) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	for _, q := range data.Batch.QueuedQueries {
		c.statements = append(c.statements, caughtStatement{q.SQL, slices.Clone(q.Arguments)})
	}
	return ctx
}
func (c *catcher) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (c *catcher) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

type explainer struct {
	db      *stack.Database
	dir     string            // "": plans are not written
	parents map[string]string // by a partition's index, the index of the partitioned table
}

// explain explains the statements with parameters, and executes the statements without, which
// change settings.
func (e *explainer) explain(ctx context.Context, p *plan, statements []caughtStatement) (err error) {
	tx, err := e.db.Pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tx.Rollback(ctx)) }()
	if _, err := tx.Exec(ctx, "SET LOCAL plan_cache_mode = force_"+p.Mode+"_plan"); err != nil {
		return err
	}
	for _, s := range statements {
		if len(s.args) == 0 {
			if _, err := tx.Exec(ctx, s.sql); err != nil {
				return err
			}
			continue
		}
		if err := e.explainOne(ctx, tx, p, s); err != nil {
			return err
		}
	}
	return nil
}

func (e *explainer) explainOne(ctx context.Context, tx pgx.Tx, p *plan, s caughtStatement) error {
	var literals []string
	for _, a := range s.args {
		text, err := literal(a)
		if err != nil {
			return err
		}
		literals = append(literals, text)
	}
	execute := " EXECUTE explained (" + strings.Join(literals, ", ") + ")"
	if _, err := tx.Exec(ctx, "PREPARE explained AS "+s.sql); err != nil {
		return err
	}
	var text []byte
	explain := "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)" + execute
	if err := tx.QueryRow(ctx, explain, pgx.QueryExecModeExec).Scan(&text); err != nil {
		return err
	}
	var found []struct {
		Plan   planNode `json:"Plan"`
		Millis float64  `json:"Execution Time"`
	}
	if err := json.Unmarshal(text, &found); err != nil {
		return err
	}
	read := map[string]bool{}
	for _, f := range found {
		p.Millis += f.Millis
		p.Blocks += f.Plan.Hit + f.Plan.Read
		f.Plan.walk(func(n *planNode) {
			if n.Type == "Seq Scan" && strings.HasPrefix(n.Relation, "activities") {
				p.Sequential = append(p.Sequential, n.Relation)
			}
			if n.Index != "" && n.Loops > 0 {
				read[cmp.Or(e.parents[n.Index], n.Index)] = true
			}
		})
	}
	p.Indexes = slices.AppendSeq(p.Indexes, maps.Keys(read))
	slices.Sort(p.Indexes)
	p.Indexes = slices.Compact(p.Indexes)
	if e.dir != "" {
		if err := e.write(ctx, tx, p, s.sql, execute); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, "DEALLOCATE explained")
	return err
}

// write writes a plan in text format to a file.
func (e *explainer) write(ctx context.Context, tx pgx.Tx, p *plan, statement, execute string) error {
	rows, err := tx.Query(ctx, "EXPLAIN (ANALYZE, BUFFERS)"+execute, pgx.QueryExecModeExec)
	if err != nil {
		return err
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	name := strings.Map(func(r rune) rune {
		switch r {
		case ' ', '*', ',':
			return '-'
		}
		return r
	}, p.Question)
	text := strings.TrimSpace(statement) + "\n\n" + strings.Join(lines, "\n") + "\n"
	return os.WriteFile(filepath.Join(e.dir, name+"."+p.Tenant+"."+p.Mode+".txt"), []byte(text), 0o644)
}

// planNode is a node of EXPLAIN's JSON.
type planNode struct {
	Type     string     `json:"Node Type"`
	Relation string     `json:"Relation Name"`
	Index    string     `json:"Index Name"`
	Loops    float64    `json:"Actual Loops"`
	Hit      int64      `json:"Shared Hit Blocks"`
	Read     int64      `json:"Shared Read Blocks"`
	Plans    []planNode `json:"Plans"`
}

func (n *planNode) walk(visit func(n *planNode)) {
	visit(n)
	for i := range n.Plans {
		n.Plans[i].walk(visit)
	}
}

// literal returns a value as a literal for EXECUTE.
func literal(value any) (string, error) {
	switch v := value.(type) {
	case uuid.UUID:
		return "'" + v.String() + "'", nil
	case []pgtype.UUID:
		ids := make([]string, len(v))
		for i, id := range v {
			ids[i] = uuid.UUID(id.Bytes).String()
		}
		return "'{" + strings.Join(ids, ",") + "}'", nil
	case time.Time:
		return "'" + v.UTC().Format(time.RFC3339Nano) + "'", nil
	case string:
		return "'" + strings.ReplaceAll(v, "'", "''") + "'", nil
	case int, bool:
		return fmt.Sprint(v), nil
	}
	return "", fmt.Errorf("a parameter has the unknown type %T", value)
}

// indexNames maps the partitions' indexes to those of the partitioned table.
func indexNames(ctx context.Context, db *stack.Database) (map[string]string, error) {
	rows, err := db.Pool.Query(ctx, `
		SELECT part.relname, whole.relname
		FROM pg_index AS i
		JOIN pg_class AS whole ON whole.oid = i.indexrelid
		JOIN pg_inherits AS h ON h.inhparent = i.indexrelid
		JOIN pg_class AS part ON part.oid = h.inhrelid
		WHERE i.indrelid = 'fanfare.activities'::regclass`)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	var part, whole string
	_, err = pgx.ForEachRow(rows, []any{&part, &whole}, func() error { names[part] = whole; return nil })
	return names, err
}
