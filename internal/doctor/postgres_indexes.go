package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// lookup is a query by which Fanfare reads the directory: the rows of a tenant with one id.
type lookup struct {
	relation, by string
	condition    string // further conditions of the query
	index        string // the columns of an index that serves it
}

func lookups() []lookup {
	const active = " AND revoked_at IS NULL"
	return []lookup{
		{"principals", "id", "", "(tenant_id, id)"},
		{"resources", "id", "", "(tenant_id, id)"},
		{
			"role_bindings",
			"scope_resource_id",
			" AND role_name::text IN ('owner', 'delegator')" + active,
			"(tenant_id, scope_resource_id, role_name, principal_id)",
		},
		{"role_bindings", "principal_id", active, "(tenant_id, principal_id, scope_resource_id)"},
		{"memberships", "group_id", "", "(tenant_id, group_id, principal_id)"},
		{"memberships", "principal_id", "", "(tenant_id, principal_id, group_id)"},
	}
}

// checkIndexes checks that an index serves each lookup. It takes the compared columns from the
// planner, which resolves views. The plan itself is not evidence: PostgreSQL scans small tables
// sequentially even if they have an index.
func checkIndexes(ctx context.Context, x *examination) finding {
	tx, err := x.Pool.Begin(ctx)
	if err != nil {
		return databaseFailure(err, x.role)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if _, err := tx.Exec(ctx, `
		SET LOCAL quote_all_identifiers = off;
		SET LOCAL enable_indexscan = off;
		SET LOCAL enable_indexonlyscan = off;
		SET LOCAL enable_bitmapscan = off`); err != nil {
		return databaseFailure(err, x.role)
	}
	var found []finding
	for _, l := range lookups() {
		served, err := l.served(ctx, tx)
		switch {
		case err != nil:
			return unchecked(err, x.role)
		case !served:
			found = append(found, warning(
				fmt.Sprintf("no index serves lookups in fanfare.%s by %s", l.relation, l.by),
				fmt.Sprintf("index the table behind fanfare.%s on %s", l.relation, l.index),
			))
		}
	}
	if len(found) > 0 {
		return combine(found)
	}
	return passed("indexes serve all lookups in principals, resources, role_bindings and memberships")
}

// served reports whether an index serves the lookup in each table that the planner scans for it. It
// cannot examine foreign tables and does not report them.
func (l lookup) served(ctx context.Context, tx pgx.Tx) (bool, error) {
	tenant, id := uuid.New(), uuid.New()
	var plan []byte
	err := tx.QueryRow(ctx, fmt.Sprintf(`
		EXPLAIN (VERBOSE, FORMAT JSON)
		SELECT FROM fanfare.%s
		WHERE tenant_id = '%s' AND %s = '%s'%s`,
		l.relation, tenant, l.by, id, l.condition), pgx.QueryExecModeSimpleProtocol).Scan(&plan)
	if err != nil {
		return false, err
	}
	scans, err := readPlan(plan)
	if err != nil {
		return false, err
	}
	for _, s := range scans {
		if !strings.Contains(s.filter, id.String()) {
			continue // a joined table
		}
		found, err := indexesOf(ctx, tx, s)
		if err != nil || !slices.ContainsFunc(found, func(i index) bool { return s.servedBy(i, id.String()) }) {
			return false, err
		}
	}
	return true, nil
}

// indexesOf returns the valid indexes of the scanned table. Like a plan, it does not print their
// expressions pretty.
func indexesOf(ctx context.Context, tx pgx.Tx, s scan) ([]index, error) {
	rows, err := tx.Query(ctx, `
		SELECT ARRAY(
		           SELECT pg_get_indexdef(i.indexrelid, n, false)
		           FROM generate_series(1, i.indnkeyatts) AS n ORDER BY n
		       ),
		       coalesce(pg_get_expr(i.indpred, i.indrelid), '')
		FROM pg_index AS i
		JOIN pg_class AS c ON c.oid = i.indrelid
		JOIN pg_namespace AS s ON s.oid = c.relnamespace
		WHERE s.nspname = $1 AND c.relname = $2 AND i.indisvalid`, s.schema, s.table)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (i index, err error) {
		return i, row.Scan(&i.columns, &i.predicate)
	})
}
