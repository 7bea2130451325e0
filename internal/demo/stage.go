package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/acceptance"
	"github.com/fanfarehq/fanfare/outbox"
)

// sceneTimeout limits a scene with its deliveries.
const sceneTimeout = 30 * time.Second

// stage plays scenes and keeps their results.
type stage struct {
	*stack
	tenants []tenant
	actors  actors
	results []Result
}

func newStage(s *stack, tenants []tenant) *stage {
	st := &stage{stack: s, tenants: tenants}
	st.actors = actors{
		service: &service{s.app}, ledger: &ledgerSync{s.ledger},
		requests: &requests{api: s.api, issuer: s.issuer}, received: st.received,
	}
	return st
}

// play plays the next scene and returns its result.
func (s *stage) play(ctx context.Context, sc scene) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, sceneTimeout)
	defer cancel()
	result, err := s.perform(ctx, sc)
	if err != nil {
		return Result{}, fmt.Errorf("scene %q: %w", sc.title, err)
	}
	s.results = append(s.results, result)
	return result, nil
}

func (s *stage) perform(ctx context.Context, sc scene) (Result, error) {
	out, err := sc.do(ctx, s.actors, sc.recording)
	if err != nil {
		return Result{}, err
	}
	out.requests, out.mismatches = s.actors.requests.take()
	if err := acceptance.AwaitDelivered(ctx, s.admin); err != nil {
		return Result{}, err
	}
	var counted []activity.Principal
	for name := range sc.unread {
		counted = append(counted, principalOf(sc.recording.tenant, name))
	}
	if err := s.receiver.awaitCounts(ctx, counted); err != nil {
		return Result{}, err
	}
	if err := s.clients.Barrier(ctx); err != nil {
		return Result{}, err
	}
	observed, err := observe(ctx, s.admin, out.activityID)
	if err != nil {
		return Result{}, err
	}
	t := &trial{
		scene: sc, tenants: s.tenants, filter: s.filter, outcome: out, observed: observed,
		histories: s.clients.Drain(), messages: s.receiver.take(),
	}
	return t.judge(len(s.results) + 1), nil
}

// received returns the activities that a person received in earlier scenes, as a push or in the
// inbox; newest first.
func (s *stage) received(tenant, name string) []uuid.UUID {
	var ids []uuid.UUID
	for _, r := range slices.Backward(s.results) {
		is := func(x Recipient) bool { return r.Tenant == tenant && x.Who == name }
		if slices.ContainsFunc(r.Recipients, is) || slices.ContainsFunc(r.InboxOnly, is) {
			ids = append(ids, r.ActivityID)
		}
	}
	return ids
}

// summary summarizes the results and compares them with the database.
func (s *stage) summary(ctx context.Context) (Summary, error) {
	sum := Summary{Scenes: len(s.results)}
	var latencies, responses []float64
	committed, inbox := 0, 0
	for _, r := range s.results {
		switch {
		case r.Committed:
			committed++
		case r.Action != "":
			sum.RolledBack++
		}
		sum.Deliveries += len(r.Recipients)
		sum.Shared += len(r.Shared)
		inbox += len(r.Recipients) + len(r.InboxOnly)
		sum.Mismatches += len(r.Mismatches)
		for _, x := range slices.Concat(r.Recipients, r.Shared) {
			latencies = append(latencies, x.Milliseconds)
		}
		for _, request := range r.Requests {
			responses = append(responses, request.Milliseconds)
		}
	}
	sum.P50, sum.P99 = percentile(latencies, 0.50), percentile(latencies, 0.99)
	sum.Requests, sum.RequestP99 = len(responses), percentile(responses, 0.99)

	err := s.admin.QueryRow(ctx, `
		SELECT (SELECT count(*) FROM fanfare.activities), (SELECT count(*) FROM fanfare.notifications)`).
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
			difference := fmt.Sprintf("%s: got %d, want %d", count.what, count.got, count.want)
			sum.Discrepancies = append(sum.Discrepancies, difference)
		}
	}
	sum.Mismatches += len(sum.Discrepancies)
	return sum, nil
}

// percentile returns a percentile of the values by the nearest rank; of none, 0. It sorts them.
func percentile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[int(q*float64(len(values)-1))]
}
