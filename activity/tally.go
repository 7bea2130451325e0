package activity

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Tally counts activities by what they have in common.
type Tally struct {
	Activities int64     `json:"activities"`
	Complete   bool      `json:"complete"`       // false: only the newest were looked at
	Since      time.Time `json:"since,omitzero"` // how far back they go, where it is not complete
	Actions    []Count   `json:"actions"`        // the most frequent first, as are actors
	Actors     []Count   `json:"actors"`
	Severities []Count   `json:"severities"`
	Statuses   []Count   `json:"statuses"`
	Days       []Count   `json:"days"` // in UTC, the first first
}

// Count is how often something is there.
type Count struct {
	Of         string `json:"of"`
	Activities int64  `json:"activities"`
}

// The bounds of a Tally.
const (
	TallyBudget = 1_000_000 // activities that it looks at, unless it is told otherwise
	tallyDays   = 3660
)

// Tally counts the tenant's activities that pass the filter. It looks at the newest ones only, so
// many (TallyBudget if that is not positive), and names the most frequent actions and actors, so
// many of each. The error is an *invalid.Error if the filter is one.
func (l *PostgresLog) Tally(ctx context.Context, tenant uuid.UUID, f Filter, budget, most int) (Tally, error) {
	if err := f.Validate(); err != nil {
		return Tally{}, err
	}
	if budget <= 0 {
		budget = TallyBudget
	}
	t := Tally{
		Complete:   true,
		Actions:    []Count{},
		Actors:     []Count{},
		Severities: []Count{},
		Statuses:   []Count{},
		Days:       []Count{},
	}
	lists := []*[]Count{&t.Actions, &t.Actors, &t.Severities, &t.Statuses, &t.Days}
	batch := &pgx.Batch{}
	batch.Queue(pinOrder)
	cut := &logQuery{}
	cut.bound(tenant, f, uuid.Nil, uuid.Nil)
	// Of the last one that is looked at and the one beyond it, if there are both.
	batch.Queue(fmt.Sprintf(`
		SELECT max(a.recorded_at)
		FROM (SELECT a.recorded_at FROM fanfare.activities AS a WHERE %s ORDER BY %s OFFSET %s - 1 LIMIT 2) AS a
		HAVING count(*) = 2`, cut.part, cut.order, cut.arg(budget)+"::bigint"), cut.args...).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&t.Since}, func() error {
			t.Complete = false
			return nil
		})
		return err
	})
	q := newLogQuery(tenant, f, uuid.Nil)
	batch.Queue(fmt.Sprintf(
		`
		WITH counted AS (
			SELECT CASE GROUPING(a.action, a.actor_principal_id, a.severity, a.status, a.day) WHEN 15 THEN 0 WHEN 23 THEN 1 WHEN 27 THEN 2 WHEN 29 THEN 3 WHEN 30 THEN 4 ELSE 5 END AS list,
				coalesce(a.action, a.actor_principal_id::text, a.severity, a.status, a.day::text, '') AS of, count(*) AS many
			FROM (
				SELECT a.action, a.actor_principal_id, a.severity, a.status, (a.recorded_at AT TIME ZONE 'UTC')::date AS day
				FROM (SELECT * FROM fanfare.activities AS a WHERE %[1]s ORDER BY %[2]s LIMIT %[4]s) AS a
				WHERE %[3]s
			) AS a
			GROUP BY GROUPING SETS ((a.action), (a.actor_principal_id), (a.severity), (a.status), (a.day), ())
		), placed AS (
			SELECT c.*, row_number() OVER (PARTITION BY c.list ORDER BY c.many DESC, c.of) AS place FROM counted AS c
		)
		SELECT p.list, p.of, p.many
		FROM placed AS p
		WHERE p.place <= CASE WHEN p.list < 2 THEN %[5]s ELSE %[6]d END
		ORDER BY p.list, CASE WHEN p.list = 4 THEN p.of END, p.place`,
		q.part,
		q.order,
		q.tests,
		q.arg(budget)+"::bigint",
		q.arg(most)+"::bigint",
		tallyDays,
	), q.args...).Query(func(rows pgx.Rows) error {
		var (
			list int
			c    Count
		)
		_, err := pgx.ForEachRow(rows, []any{&list, &c.Of, &c.Activities}, func() error {
			if list == len(lists) {
				t.Activities = c.Activities
			} else {
				*lists[list] = append(*lists[list], c)
			}
			return nil
		})
		return err
	})
	if err := l.db.SendBatch(ctx, batch).Close(); err != nil {
		return Tally{}, fmt.Errorf("tally the log: %w", err)
	}
	return t, nil
}
