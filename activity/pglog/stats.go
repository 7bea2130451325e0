package pglog

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
)

// Stats counts activities by their actions, actors, severities, statuses and days.
type Stats struct {
	Activities int64       `json:"activities"`
	Complete   bool        `json:"complete"`       // false if older activities were left out
	Since      time.Time   `json:"since,omitzero"` // when the oldest one counted was recorded, unless complete
	Actions    []Frequency `json:"actions"`        // the most frequent first, as are actors
	Actors     []Frequency `json:"actors"`
	Severities []Frequency `json:"severities"`
	Statuses   []Frequency `json:"statuses"`
	Days       []Frequency `json:"days"` // in UTC, the earliest first
}

// Frequency is the number of activities that have a value.
type Frequency struct {
	Value      string `json:"of"`
	Activities int64  `json:"activities"`
}

// StatsBudget is the number of activities that Stats reads unless its options set another.
const StatsBudget = 1_000_000

// maxOtherValues bounds the severities, statuses and days of Stats, each.
const maxOtherValues = 3660

// StatsOptions bound the work and the size of Stats.
type StatsOptions struct {
	Budget int // the number of the newest activities to read; StatsBudget if not positive
	Top    int // the maximum number of actions and of actors
}

// GROUPING(action, actor, severity, status, day) has the bit of every column that a row is not
// grouped by; the last column has the lowest bit
// (https://www.postgresql.org/docs/current/functions-aggregate.html#FUNCTIONS-GROUPING-TABLE).
const (
	byAction   = 0b01111
	byActor    = 0b10111
	bySeverity = 0b11011
	byStatus   = 0b11101
	byDay      = 0b11110
	total      = 0b11111
)

// Stats counts the tenant's activities that pass the filter. The error is an *invalid.Error if the
// filter is invalid.
func (l *Log) Stats(ctx context.Context, tenant uuid.UUID, f activity.Filter, o StatsOptions) (Stats, error) {
	if err := f.Validate(); err != nil {
		return Stats{}, err
	}
	if o.Budget <= 0 {
		o.Budget = StatsBudget
	}
	s := Stats{
		Complete:   true,
		Actions:    []Frequency{},
		Actors:     []Frequency{},
		Severities: []Frequency{},
		Statuses:   []Frequency{},
		Days:       []Frequency{},
	}
	batch := &pgx.Batch{}
	batch.Queue(PinOrder)
	s.queueSince(batch, tenant, f, o.Budget)
	s.queueCounts(batch, newQuery(tenant, f, idRange{}), o)
	if err := l.db.SendBatch(ctx, batch).Close(); err != nil {
		return Stats{}, fmt.Errorf("count the log by values: %w", err)
	}
	return s, nil
}

// queueSince reads when the oldest activity within the budget was recorded, if there is one beyond
// the budget.
func (s *Stats) queueSince(batch *pgx.Batch, tenant uuid.UUID, f activity.Filter, budget int) {
	q := newIndexQuery(tenant, f, idRange{})
	batch.Queue(fmt.Sprintf(`
		SELECT max(a.recorded_at)
		FROM (
			SELECT a.recorded_at FROM fanfare.activities AS a WHERE %s ORDER BY %s OFFSET %s - 1 LIMIT 2
		) AS a
		HAVING count(*) = 2`, q.indexRange, q.order, q.arg(budget)+"::bigint"), q.args...).
		Query(func(rows pgx.Rows) error {
			_, err := pgx.ForEachRow(rows, []any{&s.Since}, func() error {
				s.Complete = false
				return nil
			})
			return err
		})
}

func (s *Stats) queueCounts(batch *pgx.Batch, q *query, o StatsOptions) {
	statement := fmt.Sprintf(`
		WITH counted AS (
			SELECT GROUPING(a.action, a.actor_principal_id, a.severity, a.status, a.day) AS grouped_by,
				coalesce(a.action, a.actor_principal_id::text, a.severity, a.status,
					to_char(a.day, 'YYYY-MM-DD'), '') AS value,
				count(*) AS activities
			FROM (
				SELECT a.action, a.actor_principal_id, a.severity, a.status,
					(a.recorded_at AT TIME ZONE 'UTC')::date AS day
				FROM (SELECT * FROM fanfare.activities AS a WHERE %[1]s ORDER BY %[2]s LIMIT %[4]s) AS a
				WHERE %[3]s
			) AS a
			GROUP BY GROUPING SETS ((a.action), (a.actor_principal_id), (a.severity), (a.status), (a.day), ())
		), ranked AS (
			SELECT c.*,
				row_number() OVER (PARTITION BY c.grouped_by ORDER BY c.activities DESC, c.value) AS rank
			FROM counted AS c
		)
		SELECT r.grouped_by, r.value, r.activities
		FROM ranked AS r
		WHERE r.rank <= CASE WHEN r.grouped_by IN (%[7]d, %[8]d) THEN %[5]s ELSE %[6]d END
		ORDER BY r.grouped_by, CASE WHEN r.grouped_by = %[9]d THEN r.value END, r.rank`,
		q.indexRange, q.order, q.tests, q.arg(o.Budget)+"::bigint", q.arg(o.Top)+"::bigint", maxOtherValues,
		byAction, byActor, byDay)
	batch.Queue(statement, q.args...).Query(func(rows pgx.Rows) error {
		var (
			groupedBy int
			f         Frequency
		)
		_, err := pgx.ForEachRow(rows, []any{&groupedBy, &f.Value, &f.Activities}, func() error {
			switch groupedBy {
			case byAction:
				s.Actions = append(s.Actions, f)
			case byActor:
				s.Actors = append(s.Actors, f)
			case bySeverity:
				s.Severities = append(s.Severities, f)
			case byStatus:
				s.Statuses = append(s.Statuses, f)
			case byDay:
				s.Days = append(s.Days, f)
			case total:
				s.Activities = f.Activities
			}
			return nil
		})
		return err
	})
}
