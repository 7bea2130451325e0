package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
)

// patience bounds how long a scene may take until everything is delivered.
const patience = 30 * time.Second

// stage plays scenes and keeps count.
type stage struct {
	company   company
	tenants   []tenant
	admin     *pgxpool.Pool
	listeners *listeners
	filter    *preferences.Filter

	results []Result
}

func newStage(s *stack, tenants []tenant) *stage {
	set := &stage{tenants: tenants, admin: s.admin, listeners: s.listeners, filter: s.filter}
	set.company = company{
		service: &service{
			s.app,
		}, ledger: &ledgerSync{s.ledger}, api: &calls{client: s.api, login: s.login}, told: set.told,
	}
	return set
}

// play plays the next scene and returns what came of it.
func (s *stage) play(ctx context.Context, sc scene) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	result, err := s.perform(ctx, sc)
	if err != nil {
		return Result{}, fmt.Errorf("scene %q: %w", sc.title, err)
	}
	s.results = append(s.results, result)
	return result, nil
}

func (s *stage) perform(ctx context.Context, sc scene) (Result, error) {
	made, err := sc.do(ctx, s.company, sc.deed)
	if err != nil {
		return Result{}, err
	}
	made.requests, made.wrong = s.company.api.take()
	if err := s.settled(ctx); err != nil {
		return Result{}, err
	}
	if err := s.listeners.fence(ctx); err != nil {
		return Result{}, err
	}
	observed, err := observe(ctx, s.admin, made.activityID)
	if err != nil {
		return Result{}, err
	}
	return judge(len(s.results)+1, sc, s.tenants, s.filter, made, observed, s.listeners.take()), nil
}

// told returns the activities that somebody was told of in the scenes so far, the newest first.
func (s *stage) told(tenant, who string) []uuid.UUID {
	var ids []uuid.UUID
	for _, r := range slices.Backward(s.results) {
		is := func(h Heard) bool { return r.Tenant == tenant && h.Who == who }
		if slices.ContainsFunc(r.Heard, is) || slices.ContainsFunc(r.InboxOnly, is) {
			ids = append(ids, r.ActivityID)
		}
	}
	return ids
}

// settled returns when the outbox is empty: what was committed before has been published, or is a
// dead letter.
func (s *stage) settled(ctx context.Context) error {
	backlog := outbox.NewBacklog(s.admin)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		status, err := backlog.Status(ctx, uuid.Nil)
		if err != nil {
			return err
		}
		if status.Pending+status.Parked+status.FanOutJobs == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf(
				"wait for deliveries: %d pending, %d parked: %w",
				status.Pending,
				status.Parked,
				ctx.Err(),
			)
		case <-tick.C:
		}
	}
}

// summary counts, partly from the results and partly from the database, and compares the two.
func (s *stage) summary(ctx context.Context) (Summary, error) {
	sum := Summary{Scenes: len(s.results)}
	var latencies, answers []float64
	committed, inbox := 0, 0
	for _, r := range s.results {
		switch {
		case r.Committed:
			committed++
		case r.Action != "":
			sum.RolledBack++
		}
		sum.Deliveries += len(r.Heard)
		sum.Shared += len(r.Shared)
		inbox += len(r.Heard) + len(r.InboxOnly)
		sum.Mismatches += len(r.Mismatches)
		for _, h := range slices.Concat(r.Heard, r.Shared) {
			latencies = append(latencies, h.Milliseconds)
		}
		for _, asked := range r.Requests {
			answers = append(answers, asked.Milliseconds)
		}
	}
	slices.Sort(latencies)
	slices.Sort(answers)
	sum.P50, sum.P99 = percentile(latencies, 0.50), percentile(latencies, 0.99)
	sum.Requests, sum.RequestP99 = len(answers), percentile(answers, 0.99)

	err := s.admin.QueryRow(ctx, `SELECT (SELECT count(*) FROM fanfare.activities), (SELECT count(*) FROM fanfare.notifications)`).
		Scan(&sum.Committed, &sum.InboxRows)
	if err != nil {
		return Summary{}, fmt.Errorf("count: %w", err)
	}
	status, err := outbox.NewBacklog(s.admin).Status(ctx, uuid.Nil)
	if err != nil {
		return Summary{}, err
	}
	sum.DeadLetters, sum.Pending = int(status.DeadLetters), int(status.Pending+status.Parked+status.FanOutJobs)
	for _, count := range []struct {
		what      string
		got, want int
	}{
		{"activities in the log", sum.Committed, committed},
		{"inbox rows", sum.InboxRows, inbox},
		{"dead letters", sum.DeadLetters, 0},
		{"activities not delivered", sum.Pending, 0},
	} {
		if count.got != count.want {
			sum.Discrepancies = append(
				sum.Discrepancies,
				fmt.Sprintf("%s: got %d, want %d", count.what, count.got, count.want),
			)
		}
	}
	sum.Mismatches += len(sum.Discrepancies)
	return sum, nil
}
