package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// lookup is a way in which the worker finds rows of the directory. An index serves it when it leads to the rows of one id.
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
		{"role_bindings", "scope_resource_id", " AND role_name IN ('owner', 'delegator')" + active, "(tenant_id, scope_resource_id, role_name, principal_id)"},
		{"role_bindings", "principal_id", active, "(tenant_id, principal_id, scope_resource_id)"},
	}
}

// indexes asks the planner how it would look rows up if reading a whole table were out of the question: so views are looked
// through, and a small table does not hide that it has no index.
func indexes(ctx context.Context, x *examination) verdict {
	tx, err := x.Pool.Begin(ctx)
	if err != nil {
		return databaseTrouble(err, x.role)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if _, err := tx.Exec(ctx, `SET LOCAL enable_seqscan = off; SET LOCAL jit = off`); err != nil {
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

// served tells whether an index leads to the rows.
func (l lookup) served(ctx context.Context, tx pgx.Tx) (bool, error) {
	tenant, id := uuid.New(), uuid.New()
	var plan []byte
	err := tx.QueryRow(ctx, fmt.Sprintf(`EXPLAIN (FORMAT JSON) SELECT FROM fanfare.%s WHERE tenant_id = '%s' AND %s = '%s'%s`,
		l.relation, tenant, l.by, id, l.more), pgx.QueryExecModeSimpleProtocol).Scan(&plan)
	if err != nil {
		return false, err
	}
	return planSeeks(plan, id.String())
}

// planSeeks tells whether every scan in a plan, as EXPLAIN (FORMAT JSON) gives it, goes through an index by the value. What is
// on another server is not judged.
func planSeeks(plan []byte, value string) (bool, error) {
	var plans []struct{ Plan planNode }
	if err := json.Unmarshal(plan, &plans); err != nil {
		return false, fmt.Errorf("read the plan: %w", err)
	}
	if len(plans) != 1 {
		return false, errors.New("read the plan: there is none")
	}
	return plans[0].Plan.seeks(value), nil
}

// planNode is a step of a plan.
type planNode struct {
	Type      string     `json:"Node Type"`
	IndexCond string     `json:"Index Cond"`
	Plans     []planNode `json:"Plans"`
}

func (n planNode) seeks(value string) bool {
	switch n.Type {
	case "Seq Scan":
		return false
	case "Index Scan", "Index Only Scan", "Bitmap Index Scan":
		return strings.Contains(n.IndexCond, value)
	}
	for _, below := range n.Plans {
		if !below.seeks(value) {
			return false
		}
	}
	return true
}
