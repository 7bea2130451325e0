package pglog

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/uuidv7"
)

// PinOrder precedes a reading in the same round trip and the same implicit transaction. Without a
// sort, the planner reads the one index that has the requested order, whatever the statistics say.
// JIT is disabled because the high cost of a disabled sort would trigger it.
//
// The plan is generic: the values of an execution would not change the choice of the index, and
// planning a statement over all partitions takes longer than reading a page.
const PinOrder = `
	SELECT set_config('enable_sort', 'off', true),
		set_config('enable_incremental_sort', 'off', true),
		set_config('plan_cache_mode', 'force_generic_plan', true),
		set_config('jit', 'off', true)`

// pinIndex keeps a reading by ids from scanning a whole partition. The planner chooses that for an
// empty partition, and a cached plan keeps the choice once the partition has filled.
const pinIndex = `
	SELECT set_config('enable_seqscan', 'off', true),
		set_config('plan_cache_mode', 'force_generic_plan', true),
		set_config('jit', 'off', true)`

// commitLag is the longest time from an activity's id to its time of recording with which a bound
// on that time finds the activity.
const commitLag = time.Minute

// idRange bounds the ids of a reading. uuid.Nil sets no bound.
type idRange struct {
	from  uuid.UUID // inclusive
	below uuid.UUID // exclusive
}

// query is a filter as SQL. The tenant and one more column select an index, and the ids a range of
// it. That range is scanned in the index's order; the other conditions are tested on its rows.
type query struct {
	args       []any
	key        string // the columns of the index
	order      string // the order of the index, newest first
	indexRange string // the condition that bounds the scan
	tests      string // the other conditions
}

// newQuery returns the query for a tenant's activities that pass the filter.
func newQuery(tenant uuid.UUID, f activity.Filter, ids idRange) *query {
	q := newIndexQuery(tenant, f, ids)
	q.addTests(f)
	return q
}

// addTests sets the conditions that every activity of the filter satisfies.
func (q *query) addTests(f activity.Filter) {
	var tests []string
	test := func(condition string, value any) {
		tests = append(tests, fmt.Sprintf(condition, q.arg(value)))
	}
	for _, c := range []struct{ column, value string }{
		{"resource_type", f.ResourceType},
		{"request_id", f.RequestID},
		{"status", f.Status},
		{"severity", f.Severity},
		{"category", f.Category},
	} {
		if c.value != "" {
			test("a."+c.column+" = %s", c.value)
		}
	}
	for _, c := range []struct {
		column string
		value  uuid.UUID
	}{
		{"resource_id", f.Resource},
		{"actor_principal_id", f.Actor},
		{"owner_id", f.Owner},
		{"correlation_id", f.CorrelationID},
	} {
		if c.value != uuid.Nil {
			test("a."+c.column+" = %s", c.value)
		}
	}
	if f.Target != uuid.Nil {
		test("%s = ANY (a.target_principal_ids)", f.Target)
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
		test("(a.message ILIKE %[1]s OR a.resource_name ILIKE %[1]s OR a.action ILIKE %[1]s)",
			"%"+escapeLike.Replace(f.Q)+"%")
	}
	q.tests = "true"
	if len(tests) > 0 {
		q.tests = strings.Join(tests, " AND ")
	}
}

var escapeLike = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// arg adds an argument and returns its placeholder.
func (q *query) arg(value any) string {
	q.args = append(q.args, value)
	return fmt.Sprintf("$%d", len(q.args))
}

// IDRange returns a range of ids, with from and without below, that has the activities of a
// filter's times. It also has activities that were recorded up to a minute earlier.
func IDRange(f activity.Filter) (from, below uuid.UUID) {
	from, below = uuid.Nil, uuid.Max
	if !f.Since.IsZero() {
		from = uuidv7.Floor(f.Since.Add(-commitLag))
	}
	if !f.Until.IsZero() {
		below = uuidv7.Floor(f.Until.Add(time.Millisecond))
	}
	return from, below
}

// newIndexQuery returns the query without the conditions that do not bound the scan.
//
// It selects the index of the column that is likely to be the most selective. That column is
// bounded from both sides to one value: an equality would remove it from the requested order, so
// that another index could serve the query. A comparison of rows would prevent that too, but would
// not end a scan at the end of the tenant.
//
// args are the arguments that a larger statement has before those of the query.
func newIndexQuery(tenant uuid.UUID, f activity.Filter, ids idRange, args ...any) *query {
	q := &query{args: args}
	columns, values := []string{"a.tenant_id"}, []string{q.arg(tenant)}
	for _, c := range []struct {
		column string
		value  uuid.UUID
	}{
		{"a.correlation_id", f.CorrelationID},
		{"a.resource_id", f.Resource},
		{"a.actor_principal_id", f.Actor},
		{"a.owner_id", f.Owner},
	} {
		if c.value != uuid.Nil {
			columns, values = append(columns, c.column), append(values, q.arg(c.value))
			break
		}
	}
	from, below := IDRange(f)
	if bytes.Compare(ids.from[:], from[:]) > 0 {
		from = ids.from
	}
	if ids.below != uuid.Nil && bytes.Compare(ids.below[:], below[:]) < 0 {
		below = ids.below
	}
	columns = append(columns, "a.id")
	q.key = strings.Join(columns, ", ")
	q.order = strings.Join(columns, " DESC, ") + " DESC"
	q.indexRange = fmt.Sprintf("a.tenant_id = %s AND a.id >= %s AND a.id < %s", values[0], q.arg(from), q.arg(below))
	if len(values) > 1 {
		q.indexRange += fmt.Sprintf(" AND %[1]s >= %[2]s AND %[1]s <= %[2]s", columns[1], values[1])
	}
	if columns[1] == "a.owner_id" {
		q.indexRange += " AND a.owner_id IS NOT NULL" // the index is partial
	}
	return q
}

// newIDQuery returns the query for the activities that have one of the ids. Its rows are those of
// from, of which each is found by the primary key; see ByID.
func newIDQuery(tenant uuid.UUID, ids []uuid.UUID) (q *query, from string) {
	q = &query{}
	return q, fmt.Sprintf(`
		unnest((SELECT %s::uuid[])) AS u(id)
		CROSS JOIN %s`, q.arg(pg.UUIDs(ids)), ByID("u.id", q.arg(tenant)))
}

// page returns the statement for a page. In every row, the last column is uuid.Nil, unless the scan
// ended at the budget before the page was full: then it is the lowest id of the scan.
//
// PostgreSQL evaluates a CTE only as far as it is read, so that the scan ends with the page. It
// stores what it has read of a CTE: headers are read without the other columns unless tests need
// them.
func (q *query) page(columns string, limit, budget int) (statement string, args []any) {
	scanned := "*"
	if columns == HeaderColumns && q.tests == "true" {
		scanned = HeaderColumns
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
		LEFT JOIN (
			SELECT id FROM scanned
			WHERE (SELECT count(*) FROM page) < %[4]s
			OFFSET %[5]s - 1
			LIMIT 1
		) AS stop ON true
		ORDER BY a.id DESC`,
		q.indexRange, q.order, q.tests, q.arg(limit)+"::bigint", q.arg(budget)+"::bigint", columns, scanned), q.args
}

// count returns the statement that counts up to limit and reports whether the count is exact.
func (q *query) count(limit, budget int) (statement string, args []any) {
	return fmt.Sprintf(`
		WITH scanned AS MATERIALIZED (
			SELECT * FROM fanfare.activities AS a
			WHERE %[1]s
			ORDER BY %[2]s
			LIMIT %[5]s + 1
		), counted AS MATERIALIZED (
			SELECT count(*) AS n
			FROM (SELECT FROM (SELECT * FROM scanned LIMIT %[5]s) AS a WHERE %[3]s LIMIT %[4]s + 1) AS c
		)
		SELECT least(n, %[4]s), n <= %[4]s AND NOT EXISTS (SELECT FROM scanned OFFSET %[5]s)
		FROM counted`,
		q.indexRange, q.order, q.tests, q.arg(limit)+"::bigint", q.arg(budget)+"::bigint"), q.args
}
