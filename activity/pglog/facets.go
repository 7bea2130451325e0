package pglog

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
)

// Facet is a field of activities whose values are counted. Each is a field of activity.Filter, too.
type Facet string

// The facets.
const (
	ByAction       Facet = "action"
	ByActor        Facet = "actor"
	ByOwner        Facet = "owner"
	ByResource     Facet = "resource"
	ByResourceType Facet = "resource_type"
	BySeverity     Facet = "severity"
	ByStatus       Facet = "status"
	ByCategory     Facet = "category"
)

// AllFacets returns the facets.
func AllFacets() []Facet {
	return []Facet{ByAction, ByActor, ByOwner, ByResource, ByResourceType, BySeverity, ByStatus, ByCategory}
}

// column returns the column of a facet.
func (f Facet) column() string {
	switch f {
	case ByActor:
		return "actor_principal_id"
	case ByOwner:
		return "owner_id"
	case ByResource:
		return "resource_id"
	case ByAction, ByResourceType, BySeverity, ByStatus, ByCategory:
	}
	return string(f)
}

// Facets are the most frequent values of some fields.
type Facets struct {
	Activities int64 // the number of activities that are counted
	Exact      bool  // false if older activities were left out
	Values     map[Facet][]Frequency
}

// Facets counts the values of some fields among the tenant's activities that pass the filter, the
// most frequent first, at most top of each. It reads the newest activity.CountBudget activities at
// most. There must be at least one facet. The error is an *invalid.Error if the filter is invalid.
func (l *Log) Facets(ctx context.Context, tenant uuid.UUID, f activity.Filter, of []Facet, top int) (Facets, error) {
	if err := f.Validate(); err != nil {
		return Facets{}, err
	}
	found := Facets{Values: make(map[Facet][]Frequency, len(of))}
	for _, facet := range of {
		found.Values[facet] = []Frequency{}
	}
	statement, args := newQuery(tenant, f, idRange{}).facets(of, top, l.countBudget)
	batch := &pgx.Batch{}
	batch.Queue(PinOrder)
	batch.Queue(statement, args...).Query(func(rows pgx.Rows) error {
		var facet Facet
		var value Frequency
		_, err := pgx.ForEachRow(rows, []any{&facet, &value.Value, &value.Activities, &found.Exact}, func() error {
			if facet == "" {
				found.Activities = value.Activities
			} else {
				found.Values[facet] = append(found.Values[facet], value)
			}
			return nil
		})
		return err
	})
	if err := l.db.SendBatch(ctx, batch).Close(); err != nil {
		return Facets{}, fmt.Errorf("count the log by fields: %w", err)
	}
	return found, nil
}

// facets returns the statement that counts values. Its rows are the facet, the value, the number of
// activities, and whether the counts are exact; a row with the facet "" has the total.
func (q *query) facets(of []Facet, top, budget int) (statement string, args []any) {
	columns := make([]string, 0, len(of)+1)
	var counts strings.Builder
	limit, read := q.arg(top)+"::bigint", q.arg(budget)+"::bigint"
	for _, facet := range of {
		column := facet.column()
		columns = append(columns, "a."+column)
		fmt.Fprintf(&counts, `
		UNION ALL
		(
			SELECT '%s', c.%[2]s::text, count(*) FROM counted AS c
			WHERE c.%[2]s IS NOT NULL GROUP BY c.%[2]s ORDER BY 3 DESC, c.%[2]s LIMIT %[3]s
		)`, facet, column, limit)
	}
	return fmt.Sprintf(`
		WITH counted AS MATERIALIZED (
			SELECT %[4]s
			FROM (SELECT * FROM fanfare.activities AS a WHERE %[1]s ORDER BY %[2]s LIMIT %[3]s) AS a
			WHERE %[5]s
		)
		SELECT f.facet, f.value, f.activities, NOT EXISTS (
			SELECT FROM fanfare.activities AS a WHERE %[1]s ORDER BY %[2]s OFFSET %[3]s LIMIT 1
		)
		FROM (
			SELECT '' AS facet, '' AS value, count(*) AS activities FROM counted%[6]s
		) AS f`,
		q.indexRange, q.order, read, strings.Join(columns, ", "), q.tests, &counts), q.args
}
