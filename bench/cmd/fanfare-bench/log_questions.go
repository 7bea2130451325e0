package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/bench/internal/loggen"
	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance"
	"github.com/fanfarehq/fanfare/internal/uuidv7"
)

// logQuery is a kind of query, with the values of one of a tenant's activities.
type logQuery struct {
	name string
	run  querying
	fits func(a *activity.Activity) bool // nil fits any activity
}

type querying func(ctx context.Context, log *pglog.Log, a *activity.Activity) (queryResult, error)

// queryResult describes the result of a query.
type queryResult struct {
	rows int
	full bool // a page of the maximum size
	cut  bool // a page that the scan budget ended early
}

// filtering returns a filter with values of the activity.
type filtering func(a *activity.Activity) activity.Filter

// pageSize is the default page size of the API.
const pageSize = activity.DefaultPage

// newestOf queries the page of the newest activities.
func newestOf(filter filtering) querying {
	return func(ctx context.Context, log *pglog.Log, a *activity.Activity) (queryResult, error) {
		return list(ctx, log, a.TenantID, filter(a), uuid.Nil)
	}
}

// deepIn queries the page of activities before the activity.
func deepIn(filter filtering) querying {
	return func(ctx context.Context, log *pglog.Log, a *activity.Activity) (queryResult, error) {
		return list(ctx, log, a.TenantID, filter(a), a.ID)
	}
}

func list(
	ctx context.Context,
	log *pglog.Log,
	tenant uuid.UUID,
	f activity.Filter,
	before uuid.UUID,
) (queryResult, error) {
	found, next, err := log.List(ctx, tenant, f, activity.Page{Limit: pageSize, Before: before})
	return pageOf(len(found), next), err
}

// pageOf describes a page of n activities; next is where the following page starts.
func pageOf(n int, next uuid.UUID) queryResult {
	return queryResult{rows: n, full: n == pageSize, cut: n < pageSize && next != uuid.Nil}
}

// countOf counts activities up to the log's budget.
func countOf(filter filtering) querying {
	return func(ctx context.Context, log *pglog.Log, a *activity.Activity) (queryResult, error) {
		n, exact, err := log.Count(ctx, a.TenantID, filter(a), activity.CountBudget)
		return queryResult{rows: n, cut: !exact}, err
	}
}

func get(ctx context.Context, log *pglog.Log, a *activity.Activity) (queryResult, error) {
	_, err := log.Get(ctx, a.TenantID, a.ID)
	return queryResult{rows: 1}, err
}

// since queries the page after the activity, as a tenant's stream does.
func since(ctx context.Context, log *pglog.Log, a *activity.Activity) (queryResult, error) {
	page, err := log.Since(ctx, pglog.SinceRequest{Tenant: a.TenantID, After: a.ID, Limit: pageSize})
	return queryResult{rows: len(page.Found), full: page.More}, err
}

// headersThenIDs queries the headers of a page and then its activities by id, as the API does.
func headersThenIDs(ctx context.Context, log *pglog.Log, a *activity.Activity) (queryResult, error) {
	headers, err := log.ScanHeaders(ctx, pglog.Scan{Tenant: a.TenantID, Before: a.ID, Limit: pageSize})
	if err != nil || len(headers) == 0 {
		return queryResult{}, err
	}
	ids := make([]uuid.UUID, len(headers))
	for i := range headers {
		ids[i] = headers[i].ID
	}
	found, err := log.Read(ctx, a.TenantID, ids, activity.Filter{}, len(ids))
	return pageOf(len(found), ids[len(ids)-1]), err
}

var logQueries = []logQuery{
	{name: "newest", run: newestOf(anything)},
	{name: "deep", run: deepIn(anything)},
	{name: "deep, headers and ids", run: headersThenIDs},
	{name: "actor", run: newestOf(byActor)},
	{name: "actor, deep", run: deepIn(byActor)},
	{name: "resource", run: newestOf(byResource)},
	{name: "resource, deep", run: deepIn(byResource)},
	{name: "owner", run: newestOf(byOwner), fits: func(a *activity.Activity) bool { return a.OwnerID != uuid.Nil }},
	{
		name: "correlation",
		run:  newestOf(byCorrelation),
		fits: func(a *activity.Activity) bool { return a.CorrelationID != a.ID },
	},
	{
		name: "action " + loggen.FrequentActions,
		run: newestOf(
			func(*activity.Activity) activity.Filter { return activity.Filter{Action: loggen.FrequentActions} },
		),
	},
	{
		name: "action " + loggen.RareActions,
		run: newestOf(
			func(*activity.Activity) activity.Filter { return activity.Filter{Action: loggen.RareActions} },
		),
	},
	{name: "action of an actor", run: newestOf(func(a *activity.Activity) activity.Filter {
		return activity.Filter{Actor: a.ActorPrincipalID, Action: a.Action}
	})},
	{
		name: "status failure",
		run:  newestOf(func(*activity.Activity) activity.Filter { return activity.Filter{Status: "failure"} }),
	},
	{
		name: "severity critical",
		run:  newestOf(func(*activity.Activity) activity.Filter { return activity.Filter{Severity: "critical"} }),
	},
	{
		name: "category",
		run:  newestOf(func(a *activity.Activity) activity.Filter { return activity.Filter{Category: a.Category} }),
	},
	{
		name: "resource type",
		run: newestOf(
			func(a *activity.Activity) activity.Filter { return activity.Filter{ResourceType: a.ResourceType} },
		),
	},
	{name: "target", run: newestOf(func(a *activity.Activity) activity.Filter {
		return activity.Filter{Target: a.TargetPrincipalIDs[0]}
	}), fits: func(a *activity.Activity) bool { return len(a.TargetPrincipalIDs) > 0 }},
	{
		name: "request",
		run:  newestOf(func(a *activity.Activity) activity.Filter { return activity.Filter{RequestID: a.RequestID} }),
	},
	{
		name: "text, frequent",
		run:  newestOf(func(*activity.Activity) activity.Filter { return activity.Filter{Q: "weekly"} }),
	},
	{
		name: "text, absent",
		run:  newestOf(func(*activity.Activity) activity.Filter { return activity.Filter{Q: "no such words"} }),
	},
	{name: "window of a day", run: newestOf(dayBefore)},
	{name: "failures of a day", run: newestOf(func(a *activity.Activity) activity.Filter {
		f := dayBefore(a)
		f.Status = "failure"
		return f
	})},
	{name: "get", run: get},
	{name: "since", run: since},
	{name: "count of all", run: countOf(anything)},
	{name: "count of a resource", run: countOf(byResource)},
	{name: "count of a day", run: countOf(dayBefore)},
}

func anything(*activity.Activity) activity.Filter { return activity.Filter{} }

func byActor(a *activity.Activity) activity.Filter {
	return activity.Filter{Actor: a.ActorPrincipalID}
}

func byResource(a *activity.Activity) activity.Filter { return activity.Filter{Resource: a.ResourceID} }
func byOwner(a *activity.Activity) activity.Filter    { return activity.Filter{Owner: a.OwnerID} }
func byCorrelation(a *activity.Activity) activity.Filter {
	return activity.Filter{CorrelationID: a.CorrelationID}
}

func dayBefore(a *activity.Activity) activity.Filter {
	return activity.Filter{Since: a.RecordedAt.Add(-24 * time.Hour), Until: a.RecordedAt}
}

// pageResult is the measurement of one kind of query.
type pageResult struct {
	Tenant   string      `json:"tenant"` // large or small
	Question string      `json:"question"`
	Runs     int         `json:"runs"`
	Took     percentiles `json:"took"`
	Rows     float64     `json:"rows"` // on average
	Full     float64     `json:"full"` // share of full pages
	Cut      float64     `json:"cut"`  // share of pages that the scan budget ended
}

func showPages(w io.Writer, pages []pageResult) {
	if len(pages) == 0 {
		return
	}
	row(w)
	row(w, "milliseconds", "tenant", "p50", "p99", "max", "rows", "full", "cut", "runs")
	in := func(m milliseconds) string { return fmt.Sprintf("%.2f", float64(m)) }
	for _, p := range pages {
		row(w, p.Question, p.Tenant, in(p.Took.P50), in(p.Took.P99), in(p.Took.Max), fmt.Sprintf("%.1f", p.Rows),
			fmt.Sprintf("%.0f%%", 100*p.Full), fmt.Sprintf("%.0f%%", 100*p.Cut), p.Runs)
	}
}

// warmUps is the number of queries of a kind that are not measured.
const warmUps = 20

// queryAll sends all queries for a large and a small tenant, one after the other.
func queryAll(
	ctx context.Context,
	db *stack.Database,
	large, small uuid.UUID,
	runs int,
) (results []pageResult, err error) {
	pool, err := db.NewPool(ctx, 1)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	log := pglog.New(pool)
	for _, tenant := range sized(large, small) {
		samples, err := sample(ctx, db, tenant.id)
		if err != nil {
			return nil, err
		}
		for _, q := range logQueries {
			about := q.fitting(samples)
			if len(about) == 0 {
				progress("%s: the %s tenant has no fitting activity", q.name, tenant.name)
				continue
			}
			result, err := q.measure(ctx, log, about, runs)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", q.name, err)
			}
			result.Tenant = tenant.name
			results = append(results, result)
		}
	}
	return results, nil
}

type sizedTenant struct {
	name string
	id   uuid.UUID
}

func sized(large, small uuid.UUID) []sizedTenant {
	if large == small {
		return []sizedTenant{{"large", large}}
	}
	return []sizedTenant{{"large", large}, {"small", small}}
}

func (q *logQuery) fitting(samples []activity.Activity) (list []*activity.Activity) {
	for i := range samples {
		if q.fits == nil || q.fits(&samples[i]) {
			list = append(list, &samples[i])
		}
	}
	return list
}

func (q *logQuery) measure(
	ctx context.Context,
	log *pglog.Log,
	about []*activity.Activity,
	runs int,
) (pageResult, error) {
	result := pageResult{Question: q.name, Runs: runs}
	var took []time.Duration
	for i := range warmUps + runs {
		began := time.Now()
		got, err := q.run(ctx, log, about[i%len(about)])
		if err != nil {
			return result, err
		}
		if i < warmUps {
			continue
		}
		took = append(took, time.Since(began))
		result.Rows += float64(got.rows) / float64(runs)
		if got.full {
			result.Full += 1 / float64(runs)
		}
		if got.cut {
			result.Cut += 1 / float64(runs)
		}
	}
	result.Took = acceptance.NewPercentiles(took)
	return result, nil
}

// sample returns a thousand of a tenant's activities at random times of the log.
func sample(ctx context.Context, db *stack.Database, tenant uuid.UUID) (samples []activity.Activity, err error) {
	var oldest, newest uuid.UUID
	err = db.Pool.QueryRow(ctx, `
		SELECT (SELECT id FROM fanfare.activities WHERE tenant_id = $1 ORDER BY id LIMIT 1),
		       (SELECT id FROM fanfare.activities WHERE tenant_id = $1 ORDER BY id DESC LIMIT 1)`, tenant).
		Scan(&oldest, &newest)
	if err != nil {
		return nil, err
	}
	from, span := uuidv7.Time(oldest), uuidv7.Time(newest).Sub(uuidv7.Time(oldest))
	random := rand.New(rand.NewPCG(3, 3))
	times := make([]time.Time, 1000)
	for i := range times {
		times[i] = from.Add(time.Duration(random.Int64N(int64(span) + 1)))
	}
	rows, err := db.Pool.Query(ctx, `
		SELECT `+pglog.Columns+`
		FROM unnest($2::timestamptz[]) AS t(at)
		CROSS JOIN LATERAL (
		    SELECT * FROM fanfare.activities AS a
		    WHERE a.tenant_id = $1 AND a.id >= fanfare.uuidv7_floor(t.at) ORDER BY a.id LIMIT 1
		) AS a`, tenant, times)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (activity.Activity, error) {
		var a activity.Activity
		return a, row.Scan(pglog.ScanTargets(&a)...)
	})
}
