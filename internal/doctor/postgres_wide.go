package doctor

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// listing is a query by which the worker reads the principals of one resource or group, in the
// order of their ids.
type listing struct {
	relation, by string
	condition    string // further conditions of the query
}

var listings = []listing{
	{"subscriptions", "resource_id", " AND revoked_at IS NULL"},
	{"role_bindings", "scope_resource_id", " AND role_name::text = 'owner' AND revoked_at IS NULL"},
	{"memberships", "group_id", ""},
}

// wideTable is the number of rows from which the plan of a listing matters. A smaller table may be
// read as a whole.
const wideTable = 10_000

// misread is a large table that a listing does not read by the resource or group. column is the
// table's column that is compared, "" if it is an expression.
type misread struct {
	listing
	table, column string
}

// checkPlans checks that the planner reads the principals of a resource by the resource. If one
// resource has most of a table's rows, the statistics say that every resource has many, and the
// planner prefers an index in the order of the principals: each activity then reads all rows of its
// tenant.
func checkPlans(ctx context.Context, x *examination) finding {
	tx, err := x.Pool.Begin(ctx)
	if err != nil {
		return databaseFailure(err, x.role)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if _, err := tx.Exec(ctx, `SET LOCAL quote_all_identifiers = off; SET LOCAL jit = off`); err != nil {
		return databaseFailure(err, x.role)
	}
	var found []misread
	for _, l := range listings {
		misreads, err := l.misreads(ctx, tx)
		if err != nil {
			return unchecked(err, x.role)
		}
		found = append(found, misreads...)
	}
	return evaluatePlans(found)
}

func evaluatePlans(found []misread) finding {
	if len(found) == 0 {
		return passed("the planner reads subscriptions, role bindings and memberships by resource and by group")
	}
	findings := make([]finding, len(found))
	for i, m := range found {
		remedy := fmt.Sprintf("index %s in the order of fanfare.%s's columns (tenant_id, %s, principal_id), "+
			"and set n_distinct of the column behind %[3]s to -1", m.table, m.relation, m.by)
		if m.column != "" {
			remedy = fmt.Sprintf("ALTER TABLE %s ALTER COLUMN %s SET (n_distinct = -1); ANALYZE %[1]s;",
				m.table, m.column)
		}
		findings[i] = warning(
			fmt.Sprintf("PostgreSQL does not read fanfare.%s by %s, since it expects many rows of each in %s: "+
				"a wide one slows its whole tenant", m.relation, m.by, m.table),
			remedy,
		)
	}
	return combine(findings)
}

// misreads explains the listing for values that the planner does not know, as in the statements of
// the worker.
func (l listing) misreads(ctx context.Context, tx pgx.Tx) ([]misread, error) {
	var plan []byte
	err := tx.QueryRow(ctx, fmt.Sprintf(`
		EXPLAIN (VERBOSE, FORMAT JSON)
		SELECT listed.id
		FROM unnest(ARRAY['%[1]s']::uuid[], ARRAY['%[1]s']::uuid[]) AS given(tenant_id, wanted_id)
		CROSS JOIN LATERAL (
		    SELECT DISTINCT b.principal_id::uuid AS id FROM fanfare.%[2]s AS b
		    WHERE b.tenant_id = given.tenant_id AND b.%[3]s = given.wanted_id%[4]s AND b.principal_id > '%[1]s'
		    ORDER BY 1 LIMIT 5001
		) AS listed`, uuid.Nil, l.relation, l.by, l.condition), pgx.QueryExecModeSimpleProtocol).Scan(&plan)
	if err != nil {
		return nil, err
	}
	roots, err := parsePlan(plan)
	if err != nil {
		return nil, err
	}
	var found []misread
	for _, s := range wantedScans(roots, "", "", nil) {
		wide, err := isWide(ctx, tx, s.schema, s.table)
		if err != nil {
			return nil, err
		}
		columns, err := columnsOfIndex(ctx, tx, s.schema, s.index)
		if err != nil {
			return nil, err
		}
		if wide && !s.leads(columns) {
			found = append(found, misread{l, quoted(s.schema, s.table), s.column()})
		}
	}
	return found, nil
}

// wantedScan is a scan of a table that looks for the wanted id, with an index or without.
type wantedScan struct {
	schema, table, index string
	indexed, filtered    string // conditions without the table's alias
}

// wanted matches the comparison of a column with the wanted id.
var wanted = regexp.MustCompile(`\(([a-z_][a-z0-9_$]*|"[^"]+") = given\.wanted_id\)`)

const wantedID = "given.wanted_id"

// wantedScans appends the scans of the nodes and their descendants. The scan of an index for a
// bitmap does not name its table, which is that of the node above.
func wantedScans(nodes []planNode, schema, table string, found []wantedScan) []wantedScan {
	for _, n := range nodes {
		s := wantedScan{
			schema: n.Schema, table: n.Table, index: n.Index,
			indexed:  strings.ReplaceAll(n.IndexCond, n.Alias+".", ""),
			filtered: strings.ReplaceAll(n.Filter, n.Alias+".", ""),
		}
		if s.table == "" {
			s.schema, s.table = schema, table
		}
		if s.table != "" && strings.Contains(s.indexed+s.filtered, wantedID) {
			found = append(found, s)
		}
		found = wantedScans(n.Plans, s.schema, s.table, found)
	}
	return found
}

// leads reports whether the scan finds the wanted id by an index with these columns: all columns
// before it are compared with a value, too.
func (s wantedScan) leads(columns []string) bool {
	for _, column := range columns {
		if inner, ok := strings.CutPrefix(column, "("); ok {
			column = strings.TrimSuffix(inner, ")")
		}
		_, value, compared := strings.Cut(s.indexed, "("+column+" = ")
		if !compared {
			return false
		}
		if strings.HasPrefix(value, wantedID) {
			return true
		}
	}
	return false
}

// column returns the column that is compared with the wanted id, or "" for an expression.
func (s wantedScan) column() string {
	if match := wanted.FindStringSubmatch("(" + s.indexed + ") (" + s.filtered + ")"); match != nil {
		return match[1]
	}
	return ""
}

// isWide reports whether a table has many rows, according to its statistics.
func isWide(ctx context.Context, tx pgx.Tx, schema, table string) (wide bool, err error) {
	err = tx.QueryRow(ctx, `
		SELECT coalesce(bool_or(c.reltuples >= $3), false)
		FROM pg_class AS c JOIN pg_namespace AS s ON s.oid = c.relnamespace
		WHERE s.nspname = $1 AND c.relname = $2`, schema, table, float64(wideTable)).Scan(&wide)
	return wide, err
}

// columnsOfIndex returns the columns of an index in their order; none if there is no such index.
func columnsOfIndex(ctx context.Context, tx pgx.Tx, schema, name string) ([]string, error) {
	if name == "" {
		return nil, nil
	}
	rows, err := tx.Query(ctx, `
		SELECT pg_get_indexdef(i.indexrelid, n, true)
		FROM pg_index AS i
		JOIN pg_class AS c ON c.oid = i.indexrelid
		JOIN pg_namespace AS s ON s.oid = c.relnamespace,
		LATERAL generate_series(1, i.indnkeyatts) AS n
		WHERE s.nspname = $1 AND c.relname = $2 ORDER BY n`, schema, name)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// quoted returns a table's name for SQL.
func quoted(schema, table string) string { return pgx.Identifier{schema, table}.Sanitize() }
