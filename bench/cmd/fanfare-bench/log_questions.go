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

// question is something that a log is asked about one of a tenant's activities.
type question struct {
	name string
	ask  asking
	fits func(a *activity.Activity) bool // nil: any will do
}

type asking func(ctx context.Context, log *pglog.Log, a *activity.Activity) (answer, error)

// answer is what came back.
type answer struct {
	rows int
	full bool // as many as were asked for
	cut  bool // fewer, though there may be more: the scan budget ended it
}

// filtering makes a filter that the activity passes, or another.
type filtering func(a *activity.Activity) activity.Filter

// pageSize is an API's page.
const pageSize = activity.DefaultPage

// newestOf asks for a page, from the newest on.
func newestOf(filter filtering) asking {
	return func(ctx context.Context, log *pglog.Log, a *activity.Activity) (answer, error) {
		return list(ctx, log, a.TenantID, filter(a), uuid.Nil)
	}
}

// deepIn asks for a page of what is older than the activity.
func deepIn(filter filtering) asking {
	return func(ctx context.Context, log *pglog.Log, a *activity.Activity) (answer, error) {
		return list(ctx, log, a.TenantID, filter(a), a.ID)
	}
}

func list(
	ctx context.Context,
	log *pglog.Log,
	tenant uuid.UUID,
	f activity.Filter,
	before uuid.UUID,
) (answer, error) {
	found, next, err := log.List(ctx, tenant, f, activity.Page{Limit: pageSize, Before: before})
	return answer{rows: len(found), full: len(found) == pageSize, cut: len(found) < pageSize && next != uuid.Nil}, err
}

// countOf asks for a number, as far as the log counts.
func countOf(filter filtering) asking {
	return func(ctx context.Context, log *pglog.Log, a *activity.Activity) (answer, error) {
		n, exact, err := log.Count(ctx, a.TenantID, filter(a), activity.CountBudget)
		return answer{rows: n, cut: !exact}, err
	}
}

func get(ctx context.Context, log *pglog.Log, a *activity.Activity) (answer, error) {
	_, err := log.Get(ctx, a.TenantID, a.ID)
	return answer{rows: 1}, err
}

// since asks for what the tenant's stream goes on with after the activity.
func since(ctx context.Context, log *pglog.Log, a *activity.Activity) (answer, error) {
	page, err := log.Since(ctx, pglog.SinceRequest{Tenant: a.TenantID, After: a.ID, Limit: pageSize})
	return answer{rows: len(page.Found), full: page.More}, err
}

// outlined asks for what decides about a page, and then for the page by its ids, as the API does
// for those who may not see everything.
func outlined(ctx context.Context, log *pglog.Log, a *activity.Activity) (answer, error) {
	outlines, next, err := log.ListHeaders(
		ctx,
		a.TenantID,
		activity.Filter{},
		activity.Page{Limit: pageSize, Before: a.ID},
	)
	if err != nil {
		return answer{}, err
	}
	ids := make([]uuid.UUID, len(outlines))
	for i := range outlines {
		ids[i] = outlines[i].ID
	}
	found, err := log.Read(ctx, a.TenantID, ids)
	return answer{rows: len(found), full: len(found) == pageSize, cut: len(found) < pageSize && next != uuid.Nil}, err
}

var questions = []question{
	{name: "newest", ask: newestOf(anything)},
	{name: "deep", ask: deepIn(anything)},
	{name: "deep, outlines and ids", ask: outlined},
	{name: "actor", ask: newestOf(byActor)},
	{name: "actor, deep", ask: deepIn(byActor)},
	{name: "resource", ask: newestOf(byResource)},
	{name: "resource, deep", ask: deepIn(byResource)},
	{name: "owner", ask: newestOf(byOwner), fits: func(a *activity.Activity) bool { return a.OwnerID != uuid.Nil }},
	{
		name: "correlation",
		ask:  newestOf(byCorrelation),
		fits: func(a *activity.Activity) bool { return a.CorrelationID != a.ID },
	},
	{
		name: "action " + loggen.FrequentActions,
		ask: newestOf(
			func(*activity.Activity) activity.Filter { return activity.Filter{Action: loggen.FrequentActions} },
		),
	},
	{
		name: "action " + loggen.RareActions,
		ask: newestOf(
			func(*activity.Activity) activity.Filter { return activity.Filter{Action: loggen.RareActions} },
		),
	},
	{name: "action of an actor", ask: newestOf(func(a *activity.Activity) activity.Filter {
		return activity.Filter{Actor: a.ActorPrincipalID, Action: a.Action}
	})},
	{
		name: "status failure",
		ask:  newestOf(func(*activity.Activity) activity.Filter { return activity.Filter{Status: "failure"} }),
	},
	{
		name: "severity critical",
		ask:  newestOf(func(*activity.Activity) activity.Filter { return activity.Filter{Severity: "critical"} }),
	},
	{
		name: "category",
		ask:  newestOf(func(a *activity.Activity) activity.Filter { return activity.Filter{Category: a.Category} }),
	},
	{
		name: "resource type",
		ask: newestOf(
			func(a *activity.Activity) activity.Filter { return activity.Filter{ResourceType: a.ResourceType} },
		),
	},
	{name: "target", ask: newestOf(func(a *activity.Activity) activity.Filter {
		return activity.Filter{Target: a.TargetPrincipalID}
	}), fits: func(a *activity.Activity) bool { return a.TargetPrincipalID != uuid.Nil }},
	{
		name: "request",
		ask:  newestOf(func(a *activity.Activity) activity.Filter { return activity.Filter{RequestID: a.RequestID} }),
	},
	{
		name: "text, found often",
		ask:  newestOf(func(*activity.Activity) activity.Filter { return activity.Filter{Q: "weekly"} }),
	},
	{
		name: "text, found nowhere",
		ask:  newestOf(func(*activity.Activity) activity.Filter { return activity.Filter{Q: "no such words"} }),
	},
	{name: "window of a day", ask: newestOf(dayBefore)},
	{name: "failures of a day", ask: newestOf(func(a *activity.Activity) activity.Filter {
		f := dayBefore(a)
		f.Status = "failure"
		return f
	})},
	{name: "get", ask: get},
	{name: "since", ask: since},
	{name: "count of all", ask: countOf(anything)},
	{name: "count of a resource", ask: countOf(byResource)},
	{name: "count of a day", ask: countOf(dayBefore)},
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

// pageResult is what came of a question to a tenant's log.
type pageResult struct {
	Tenant   string      `json:"tenant"` // large or small
	Question string      `json:"question"`
	Runs     int         `json:"runs"`
	Took     percentiles `json:"took"`
	Rows     float64     `json:"rows"` // on average
	Full     float64     `json:"full"` // the share of pages that were
	Cut      float64     `json:"cut"`  // the share that the scan budget ended
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

// warmUps is how many questions of a kind are not counted.
const warmUps = 20

// askAll asks everything of a large and of a small tenant, one question after the other.
func askAll(
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
		for _, q := range questions {
			about := q.fitting(samples)
			if len(about) == 0 {
				progress("%s: the %s tenant has nothing to ask it about", q.name, tenant.name)
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

func (q *question) fitting(samples []activity.Activity) (list []*activity.Activity) {
	for i := range samples {
		if q.fits == nil || q.fits(&samples[i]) {
			list = append(list, &samples[i])
		}
	}
	return list
}

func (q *question) measure(
	ctx context.Context,
	log *pglog.Log,
	about []*activity.Activity,
	runs int,
) (pageResult, error) {
	result := pageResult{Question: q.name, Runs: runs}
	var took []time.Duration
	for i := range warmUps + runs {
		began := time.Now()
		got, err := q.ask(ctx, log, about[i%len(about)])
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

// sample picks a thousand of a tenant's activities, at moments that are spread evenly over the
// log's time.
func sample(ctx context.Context, db *stack.Database, tenant uuid.UUID) (samples []activity.Activity, err error) {
	var oldest, newest uuid.UUID
	err = db.Pool.QueryRow(ctx, `
		SELECT (SELECT id FROM fanfare.activities WHERE tenant_id = $1 ORDER BY id LIMIT 1),
		       (SELECT id FROM fanfare.activities WHERE tenant_id = $1 ORDER BY id DESC LIMIT 1)`, tenant).Scan(&oldest, &newest)
	if err != nil {
		return nil, err
	}
	from, span := uuidv7.Time(oldest), uuidv7.Time(newest).Sub(uuidv7.Time(oldest))
	random := rand.New(rand.NewPCG(3, 3))
	moments := make([]time.Time, 1000)
	for i := range moments {
		moments[i] = from.Add(time.Duration(random.Int64N(int64(span) + 1)))
	}
	rows, err := db.Pool.Query(ctx, `
		SELECT `+pglog.Columns+`
		FROM unnest($2::timestamptz[]) AS t(at)
		CROSS JOIN LATERAL (
		    SELECT * FROM fanfare.activities AS a WHERE a.tenant_id = $1 AND a.id >= fanfare.uuidv7_floor(t.at) ORDER BY a.id LIMIT 1
		) AS a`, tenant, moments)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (activity.Activity, error) {
		var a activity.Activity
		return a, row.Scan(pglog.ScanTargets(&a)...)
	})
}
