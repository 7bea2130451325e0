package activity

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/fanfarehq/fanfare/internal/uuidv7"
)

// pinOrder travels ahead of a reading, in the same round trip and the same implicit transaction.
// Without a sort at hand, the planner reads the one index whose order is asked for, whatever the
// statistics say. JIT would be drawn in by the cost that a disabled sort is given.
const pinOrder = `SELECT set_config('enable_sort', 'off', true), set_config('enable_incremental_sort', 'off', true), set_config('jit', 'off', true)`

// pinIndex keeps a reading by ids from scanning a month's partition whole, as is planned while that
// is empty and may be done still when it has filled.
const pinIndex = `SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)`

// latecomer is how long a recording may take, from its id on, that Since still finds exactly.
const latecomer = time.Minute

// logQuery is a filter as SQL. The tenant and one more column choose an index, and the ids a part
// of it: that part is what is scanned, newest first. All else is tested on what is scanned.
type logQuery struct {
	args  []any
	key   string // the columns of the index
	order string // of the index, newest first
	part  string // the condition for the part of it
	tests string // the other conditions
}

// newLogQuery asks for what is older than before; uuid.Nil is everything.
func newLogQuery(tenant uuid.UUID, f Filter, before uuid.UUID) *logQuery {
	return newRangeQuery(tenant, f, uuid.Nil, before)
}

// newRangeQuery asks for ids from low on and below high; uuid.Nil is no bound.
func newRangeQuery(tenant uuid.UUID, f Filter, low, high uuid.UUID) *logQuery {
	q := &logQuery{}
	q.bound(tenant, f, low, high)
	var tests []string
	test := func(condition string, value any) { tests = append(tests, fmt.Sprintf(condition, q.arg(value))) }
	for _, c := range []struct {
		column string
		value  string
	}{
		{"resource_type", f.ResourceType}, {"request_id", f.RequestID}, {"status", f.Status}, {"severity", f.Severity}, {"category", f.Category},
	} {
		if c.value != "" {
			test("a."+c.column+" = %s", c.value)
		}
	}
	for _, c := range []struct {
		column string
		value  uuid.UUID
	}{
		{"resource_id", f.Resource}, {"actor_principal_id", f.Actor}, {"owner_id", f.Owner}, {"correlation_id", f.CorrelationID}, {"target_principal_id", f.Target},
	} {
		if c.value != uuid.Nil {
			test("a."+c.column+" = %s", c.value)
		}
	}
	if f.Action != "" {
		test(`a.action COLLATE "C" ~ %s`, f.ActionRegexp())
	}
	if !f.Since.IsZero() {
		test("a.recorded_at >= %s", f.Since)
	}
	if !f.Until.IsZero() {
		test("a.recorded_at < %s", f.Until)
	}
	if f.Q != "" {
		test(
			"(a.message ILIKE %[1]s OR a.resource_name ILIKE %[1]s OR a.action ILIKE %[1]s)",
			"%"+escapeLike.Replace(f.Q)+"%",
		)
	}
	q.tests = "true"
	if len(tests) > 0 {
		q.tests = strings.Join(tests, " AND ")
	}
	return q
}

var escapeLike = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func (q *logQuery) arg(value any) string {
	q.args = append(q.args, value)
	return fmt.Sprintf("$%d", len(q.args))
}

// bound chooses the index by the column that is likely to be the narrowest. That column is bounded
// from both sides to one value: an equality would take it out of the order that is asked for, and
// so let another index serve. A comparison of whole rows would do that too, but does not end a scan
// before the tenant does.
func (q *logQuery) bound(tenant uuid.UUID, f Filter, from, before uuid.UUID) {
	columns, values := []string{"a.tenant_id"}, []string{q.arg(tenant)}
	for _, c := range []struct {
		column string
		value  uuid.UUID
	}{
		{"a.correlation_id", f.CorrelationID}, {"a.resource_id", f.Resource}, {"a.actor_principal_id", f.Actor}, {"a.owner_id", f.Owner},
	} {
		if c.value != uuid.Nil {
			columns, values = append(columns, c.column), append(values, q.arg(c.value))
			break
		}
	}
	low, high := uuid.Nil, uuid.Max
	if !f.Since.IsZero() {
		low = uuidv7.Floor(f.Since.Add(-latecomer))
	}
	if !f.Until.IsZero() {
		high = uuidv7.Floor(f.Until.Add(time.Millisecond))
	}
	if bytes.Compare(from[:], low[:]) > 0 {
		low = from
	}
	if before != uuid.Nil && bytes.Compare(before[:], high[:]) < 0 {
		high = before
	}
	lowest, end := q.arg(low), q.arg(high)
	columns = append(columns, "a.id")
	q.key = strings.Join(columns, ", ")
	q.order = strings.Join(columns, " DESC, ") + " DESC"
	q.part = fmt.Sprintf("a.tenant_id = %s AND a.id >= %s AND a.id < %s", values[0], lowest, end)
	if len(values) > 1 {
		q.part += fmt.Sprintf(" AND %[1]s >= %[2]s AND %[1]s <= %[2]s", columns[1], values[1])
	}
	if columns[1] == "a.owner_id" {
		q.part += " AND a.owner_id IS NOT NULL" // the index is partial
	}
}

// deciding are the columns that decide who may see an activity, in the order of decidingFields.
const deciding = `a.id, a.tenant_id, a.actor_principal_id, a.resource_id, a.target_principal_id, a.owner_id, a.parent_id, a.visibility`

func (a *Activity) decidingFields() []any {
	return []any{
		(*zeronull.UUID)(
			&a.ID,
		), (*zeronull.UUID)(&a.TenantID), (*zeronull.UUID)(&a.ActorPrincipalID), (*zeronull.UUID)(&a.ResourceID),
		(*zeronull.UUID)(
			&a.TargetPrincipalID,
		), (*zeronull.UUID)(&a.OwnerID), (*zeronull.UUID)(&a.ParentID), (*zeronull.Text)(&a.Visibility),
	}
}

// page returns the statement for a page and for where it ends early: in every row, the lowest id
// unless the scan stopped at the budget with the page not full. It scans no further than it must,
// because a CTE is read only as far as it is asked for. columns are what is read of each; those
// that only tests need are carried along only then, since a CTE keeps all that it is given.
func (q *logQuery) page(columns string, limit, budget int) (statement string, args []any) {
	carried := "*"
	if columns == deciding && q.tests == "true" {
		carried = deciding
	}
	return fmt.Sprintf(`
WITH scanned AS MATERIALIZED (
    SELECT %[7]s FROM fanfare.activities AS a
    WHERE %[1]s
    ORDER BY %[2]s
    LIMIT %[5]s
), page AS MATERIALIZED (
    SELECT * FROM scanned AS a
    WHERE %[3]s
    LIMIT %[4]s
)
SELECT %[6]s, coalesce(stop.id, '00000000-0000-0000-0000-000000000000')
FROM (SELECT) AS always
LEFT JOIN page AS a ON true
LEFT JOIN (SELECT id FROM scanned WHERE (SELECT count(*) FROM page) < %[4]s OFFSET %[5]s - 1 LIMIT 1) AS stop ON true
ORDER BY a.id DESC`, q.part, q.order, q.tests, q.arg(limit)+"::bigint", q.arg(budget)+"::bigint", columns, carried), q.args
}

// list is page with all columns.
func (q *logQuery) list(limit, budget int) (statement string, args []any) {
	return q.page(Columns, limit, budget)
}

// count returns the statement that counts up to limit, and says whether that is all.
func (q *logQuery) count(limit, budget int) (statement string, args []any) {
	return fmt.Sprintf(`
WITH scanned AS MATERIALIZED (
    SELECT * FROM fanfare.activities AS a
    WHERE %[1]s
    ORDER BY %[2]s
    LIMIT %[5]s + 1
), counted AS MATERIALIZED (
    SELECT count(*) AS n FROM (SELECT FROM (SELECT * FROM scanned LIMIT %[5]s) AS a WHERE %[3]s LIMIT %[4]s + 1) AS c
)
SELECT least(n, %[4]s), n <= %[4]s AND NOT EXISTS (SELECT FROM scanned OFFSET %[5]s)
FROM counted`, q.part, q.order, q.tests, q.arg(limit)+"::bigint", q.arg(budget)+"::bigint"), q.args
}
