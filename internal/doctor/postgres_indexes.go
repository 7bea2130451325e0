package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// lookup is a way in which the worker finds rows of the directory. An index serves it when it leads
// to the rows of one id.
type lookup struct {
	relation, by string
	more         string // of the condition
	index        string // one that serves it
}

func lookups() []lookup {
	const active = " AND revoked_at IS NULL"
	return []lookup{
		{"principals", "id", "", "(tenant_id, id)"},
		{"resources", "id", "", "(tenant_id, id)"},
		{
			"role_bindings",
			"scope_resource_id",
			" AND role_name IN ('owner', 'delegator')" + active,
			"(tenant_id, scope_resource_id, role_name, principal_id)",
		},
		{"role_bindings", "principal_id", active, "(tenant_id, principal_id, scope_resource_id)"},
	}
}

// indexes asks the planner which columns of which tables a lookup compares, whatever views stand
// before them, and looks for an index on those. Which plan it would choose says little while a
// table is small.
func indexes(ctx context.Context, x *examination) verdict {
	tx, err := x.Pool.Begin(ctx)
	if err != nil {
		return databaseTrouble(err, x.role)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if _, err := tx.Exec(ctx, `SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off`); err != nil {
		return databaseTrouble(err, x.role)
	}
	var found []verdict
	for _, l := range lookups() {
		served, err := l.served(ctx, tx)
		switch {
		case err != nil:
			return databaseTrouble(err, x.role)
		case !served:
			found = append(found, warn(fmt.Sprintf("no index leads from fanfare.%s by %s", l.relation, l.by),
				fmt.Sprintf("index the table behind fanfare.%s on %s", l.relation, l.index)))
		}
	}
	if len(found) > 0 {
		return worst(found)
	}
	return fine("principals, resources and role_bindings are found by index")
}

// served tells whether an index leads to the rows, wherever they are looked for; on another server
// it is not asked.
func (l lookup) served(ctx context.Context, tx pgx.Tx) (bool, error) {
	tenant, id := uuid.New(), uuid.New()
	var plan []byte
	err := tx.QueryRow(ctx, fmt.Sprintf(`EXPLAIN (VERBOSE, FORMAT JSON) SELECT FROM fanfare.%s WHERE tenant_id = '%s' AND %s = '%s'%s`,
		l.relation, tenant, l.by, id, l.more), pgx.QueryExecModeSimpleProtocol).
		Scan(&plan)
	if err != nil {
		return false, err
	}
	scans, err := readPlan(plan)
	if err != nil {
		return false, err
	}
	for _, s := range scans {
		if !strings.Contains(s.filter, id.String()) {
			continue // another table, joined to it
		}
		found, err := indexesOf(ctx, tx, s)
		if err != nil || !slices.ContainsFunc(found, func(i index) bool { return s.servedBy(i, id.String()) }) {
			return false, err
		}
	}
	return true, nil
}

// indexesOf returns the indexes of the table that is scanned.
func indexesOf(ctx context.Context, tx pgx.Tx, s scan) ([]index, error) {
	rows, err := tx.Query(ctx, `
		SELECT ARRAY(SELECT pg_get_indexdef(i.indexrelid, n, true) FROM generate_series(1, i.indnkeyatts) AS n ORDER BY n),
		       coalesce(pg_get_expr(i.indpred, i.indrelid), '')
		FROM pg_index AS i
		JOIN pg_class AS c ON c.oid = i.indrelid
		JOIN pg_namespace AS s ON s.oid = c.relnamespace
		WHERE s.nspname = $1 AND c.relname = $2 AND i.indisvalid`, s.schema, s.table)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(
		rows,
		func(row pgx.CollectableRow) (i index, err error) { return i, row.Scan(&i.columns, &i.predicate) },
	)
}
