package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fanfarehq/fanfare/bench/internal/archive"
	"github.com/fanfarehq/fanfare/bench/internal/stack"
	"github.com/fanfarehq/fanfare/internal/acceptance"
)

type inboxOptions struct {
	databaseFlags
	notifications int
	requests      int
	states        []string
	filters       []string
	cpuProfile    string
}

func newInbox() *cobra.Command {
	return newBenchmark("inbox",
		"Measure lists, groups, counts and marks of a large inbox, and compare them with naive queries",
		&inboxOptions{}, measureInbox)
}

func (o *inboxOptions) flags(flags *pflag.FlagSet) {
	flags.IntVar(&o.notifications, "notifications", 200_000, "number of notifications of the person")
	flags.IntVar(&o.requests, "requests", 100, "number of requests for each first page")
	flags.StringSliceVar(&o.states, "states", nil, "only these states")
	flags.StringSliceVar(&o.filters, "filters", nil, "only these filters, by name: ',q' is none, and q")
	flags.StringVar(&o.cpuProfile, "cpuprofile", "", "write a CPU profile of the server to this file")
	o.databaseFlags.flags(flags)
	o.statementFlags(flags)
}

type inboxResult struct {
	Machine       machine     `json:"machine"`
	Notifications int         `json:"notifications"`
	Lists         []inboxLine `json:"lists"`
	Groups        []inboxLine `json:"groups"`
	Others        []inboxLine `json:"others"`
	Statements    []statement `json:"statements,omitempty"`
}

// inboxLine is a list: what is in it, and how long its pages take.
type inboxLine struct {
	State  string      `json:"state"`
	Filter string      `json:"filter"`
	Naive  string      `json:"naive"` // what the naive query counts
	Got    string      `json:"got"`   // what all pages contain
	Pages  int         `json:"pages"` // of 200
	First  percentiles `json:"first_page"`
	CPU    float64     `json:"first_page_cpu_ms"` // of the server and of PostgreSQL together
	Walk   percentiles `json:"walk"`
	Fault  string      `json:"fault,omitempty"`
}

func (l *inboxLine) progress() {
	progress("%s %s: naive %s, got %s; first page %v, %v, CPU %.1f ms; %d pages, %v, %v %s",
		l.State, l.Filter, l.Naive, l.Got, l.First.P50, l.First.P99, l.CPU, l.Pages, l.Walk.P50, l.Walk.P99, l.Fault)
}

func (r *inboxResult) table(w io.Writer) {
	for _, part := range []struct {
		name  string
		lines []inboxLine
	}{{"list", r.Lists}, {"groups", r.Groups}, {"other", r.Others}} {
		row(w, part.name, "", "naive", "got", "pages", "first page: p50", "p99", "CPU ms",
			"all pages: p50", "p99", "")
		for _, l := range part.lines {
			row(w, l.State, l.Filter, l.Naive, l.Got, l.Pages, l.First.P50, l.First.P99,
				fmt.Sprintf("%.1f", l.CPU), l.Walk.P50, l.Walk.P99, l.Fault)
		}
		row(w)
	}
	showStatements(w, "statements", r.Statements)
}

// verify returns an error for each line that differs from the naive query.
func (r *inboxResult) verify() error {
	var errs []error
	for _, lines := range [][]inboxLine{r.Lists, r.Groups, r.Others} {
		for _, l := range lines {
			if l.Fault != "" || l.Naive != l.Got {
				errs = append(errs,
					fmt.Errorf("%s %s: got %s, want %s; %s", l.State, l.Filter, l.Got, l.Naive, l.Fault))
			}
		}
	}
	return errors.Join(errs...)
}

// inboxReader reads an inbox through the API.
type inboxReader struct {
	db     *stack.Database
	client *http.Client
	server *apiServer
	token  string
	o      *inboxOptions
}

func measureInbox(ctx context.Context, o *inboxOptions) (result *inboxResult, err error) {
	s, err := o.startServers(ctx, archive.Settings())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	progress("loading %d notifications", o.notifications)
	if err := loadInbox(ctx, s.db, o.notifications); err != nil {
		return nil, err
	}
	server, err := startServer(s.db, s.centrifugo, o.cpuProfile)
	if err != nil {
		return nil, err
	}
	defer server.stop()
	token, err := server.token(inboxPerson())
	if err != nil {
		return nil, err
	}
	if err := resetStatements(ctx, s.db, o.statements); err != nil {
		return nil, err
	}
	r := &inboxReader{s.db, &http.Client{Timeout: time.Minute}, server, token, o}
	result = &inboxResult{Machine: thisMachine(), Notifications: o.notifications}
	if err := r.measure(ctx, result); err != nil {
		return nil, err
	}
	result.Statements, err = readStatements(ctx, s.db, o.statements)
	return result, err
}

func (r *inboxReader) measure(ctx context.Context, result *inboxResult) error {
	for _, s := range inboxStates {
		if r.o.states != nil && !slices.Contains(r.o.states, s.state) {
			continue
		}
		filters := inboxFilters()
		if r.o.filters != nil {
			isOmitted := func(f inboxFilter) bool { return !slices.Contains(r.o.filters, f.name) }
			filters = slices.DeleteFunc(filters, isOmitted)
		}
		for _, f := range filters {
			line, err := r.list(ctx, s.state, s.condition, f)
			if err != nil {
				return err
			}
			line.progress()
			result.Lists = append(result.Lists, line)
		}
		for _, by := range []string{"resource", "correlation", "burst"} {
			for _, f := range filters {
				if f.name != "" && f.name != "action" && f.name != "q" {
					continue
				}
				line, err := r.groups(ctx, s.state, s.condition, by, f)
				if err != nil {
					return err
				}
				line.progress()
				result.Groups = append(result.Groups, line)
			}
		}
	}
	others, err := r.others(ctx)
	result.Others = others
	return err
}

// inboxAnswer is a response of the API, as far as it is checked.
type inboxAnswer struct {
	Items []struct {
		ID uuid.UUID `json:"id"`
	} `json:"items"`
	Groups []struct {
		Total  int `json:"total"`
		Unread int `json:"unread"`
		Items  []struct {
			ID uuid.UUID `json:"id"`
		} `json:"items"`
	} `json:"groups"`
	NextCursor *string `json:"next_cursor"`
}

// send sends a request, and returns the body and the time that it took.
func (r *inboxReader) send(ctx context.Context, method, path, body string) ([]byte, time.Duration, error) {
	request, err := http.NewRequestWithContext(ctx, method, r.server.url+path, strings.NewReader(body))
	if err != nil {
		return nil, 0, err
	}
	request.Header.Set("Authorization", "Bearer "+r.token)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	began := time.Now()
	response, err := r.client.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	took := time.Since(began)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %.300s", method, path, response.Status, text)
	}
	return text, took, err
}

// first sends the request of a first page many times.
func (r *inboxReader) first(ctx context.Context, line *inboxLine, path string) error {
	var took []time.Duration
	var before stack.Usage
	cpu := stack.ReadCPU()
	for i := range r.o.requests + 5 {
		if i == 5 {
			var err error
			if before, err = r.server.usage(); err != nil {
				return err
			}
			cpu = stack.ReadCPU()
		}
		_, d, err := r.send(ctx, http.MethodGet, path, "")
		if err != nil {
			return err
		}
		if i >= 5 {
			took = append(took, d)
		}
	}
	after, err := r.server.usage()
	if err != nil {
		return err
	}
	line.First = acceptance.NewPercentiles(took)
	spent := (after.CPU - before.CPU) + stack.ReadCPU().Since(cpu).Postgres
	line.CPU = spent.Seconds() * 1000 / float64(r.o.requests)
	return nil
}

// walk reads all pages of 200.
func (r *inboxReader) walk(
	ctx context.Context, query string, visit func(a *inboxAnswer),
) (pages int, p percentiles, err error) {
	var took []time.Duration
	cursor := ""
	for {
		text, d, err := r.send(ctx, http.MethodGet, "/notifications?limit=200&"+query+cursor, "")
		if err != nil {
			return 0, p, err
		}
		var a inboxAnswer
		if err := json.Unmarshal(text, &a); err != nil {
			return 0, p, err
		}
		visit(&a)
		pages, took = pages+1, append(took, d)
		if a.NextCursor == nil {
			return pages, acceptance.NewPercentiles(took), nil
		}
		cursor = "&cursor=" + *a.NextCursor
	}
}

// order checks that ids descend, and so that none repeats.
type order struct {
	last  uuid.UUID
	fault string
}

func (o *order) check(id uuid.UUID) {
	if o.last != uuid.Nil && bytes.Compare(id[:], o.last[:]) >= 0 {
		o.fault = "not in order, or repeated"
	}
	o.last = id
}

func (r *inboxReader) list(ctx context.Context, state, condition string, f inboxFilter) (line inboxLine, err error) {
	line = inboxLine{State: state, Filter: f.name}
	query := "state=" + state + "&" + f.query
	if err = r.first(ctx, &line, "/notifications?"+query); err != nil {
		return line, err
	}
	got, sequence := 0, order{}
	line.Pages, line.Walk, err = r.walk(ctx, query, func(a *inboxAnswer) {
		got += len(a.Items)
		for _, item := range a.Items {
			sequence.check(item.ID)
		}
	})
	if err != nil {
		return line, err
	}
	line.Got, line.Fault = fmt.Sprint(got), sequence.fault
	line.Naive, err = r.naive(ctx, `SELECT count(*)::text FROM (`+naiveRows(condition, f)+`) AS x WHERE passes`)
	return line, err
}

// naiveRows selects the rows in a state, and whether the person may see them and they pass a
// filter.
func naiveRows(condition string, f inboxFilter) string {
	return fmt.Sprintf(`
		SELECT n.activity_id, a.resource_id, a.correlation_id, a.actor_principal_id, a.recorded_at,
		       n.read_at IS NULL OR coalesce(n.archived_at IS NULL AND n.snoozed_until <= now()
		                                     AND n.read_at < n.snoozed_until, false) AS unread,
		       (row_number() OVER (ORDER BY n.activity_id DESC) - 1) / 5000 AS part,
		       coalesce(%s AND %s, false) AS passes
		FROM fanfare.notifications AS n
		JOIN fanfare.activities AS a ON a.id = n.activity_id AND a.tenant_id = n.tenant_id
		WHERE n.tenant_id = bench_id('tenant', 1) AND n.principal_id = bench_id('person', 0) AND %s`,
		inboxVisible, f.condition, condition)
}

func (r *inboxReader) naive(ctx context.Context, query string) (text string, err error) {
	err = r.db.Pool.QueryRow(ctx, query).Scan(&text)
	return text, err
}

// groups compares the number of groups, of their notifications, of the unread ones, and the sum of
// the squares of the groups' sizes.
func (r *inboxReader) groups(
	ctx context.Context, state, condition, by string, f inboxFilter,
) (line inboxLine, err error) {
	line = inboxLine{State: state, Filter: strings.TrimSuffix("by "+by+", "+f.name, ", ")}
	query := "state=" + state + "&group_by=" + by + "&" + f.query
	if err = r.first(ctx, &line, "/notifications?"+query); err != nil {
		return line, err
	}
	groups, total, unread, squares, sequence := 0, 0, 0, 0, order{}
	line.Pages, line.Walk, err = r.walk(ctx, query, func(a *inboxAnswer) {
		for _, g := range a.Groups {
			groups, total, unread, squares = groups+1, total+g.Total, unread+g.Unread, squares+g.Total*g.Total
			sequence.check(g.Items[0].ID)
		}
	})
	if err != nil {
		return line, err
	}
	line.Got, line.Fault = fmt.Sprint(groups, total, unread, squares), sequence.fault
	keys := map[string]string{
		"resource": "resource_id", "correlation": "correlation_id", "burst": "resource_id, actor_principal_id, burst",
	}
	line.Naive, err = r.naive(ctx, `
		SELECT concat_ws(' ', count(*), coalesce(sum(total), 0), coalesce(sum(unread), 0),
		                 coalesce(sum(total * total), 0))
		FROM (
			SELECT count(*) AS total, count(*) FILTER (WHERE unread) AS unread
			FROM (
				SELECT *, count(*) FILTER (WHERE pause) OVER (
					PARTITION BY part, resource_id, actor_principal_id ORDER BY recorded_at, activity_id) AS burst
				FROM (
					SELECT *, recorded_at - lag(recorded_at) OVER (PARTITION BY part, resource_id, actor_principal_id
						ORDER BY recorded_at, activity_id) > interval '10 minutes' AS pause
					FROM (`+naiveRows(condition, f)+`) AS x WHERE passes
				) AS y
			) AS z
			GROUP BY part, `+keys[by]+`
		) AS g`)
	return line, err
}
