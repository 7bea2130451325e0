package pglog

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pg"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestTail polls while activities are recorded: some commit late, some do not pass the filter, some
// are of another tenant.
func TestTail(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	log := New(pool)
	tenant := uuid.New()
	now := time.Now()
	n := uint16(0)
	put := func(db pg.Batcher, after time.Duration, action string) uuid.UUID {
		t.Helper()
		n++
		id := idAt(now.Add(after), n)
		batch := &pgx.Batch{}
		batch.Queue(`
			INSERT INTO fanfare.activities (id, tenant_id, actor_principal_id, resource_id, correlation_id,
				occurred_at, recorded_at, resource_type, action, visibility, status, severity, category,
				delivery_channels, payload)
			VALUES ($1, $2, $1, $1, $1, now(), now(), 'doc', $3, 'private', 'success', 'info', 'doc', '{}', '{}')`,
			id, tenant, action)
		if err := db.SendBatch(t.Context(), batch).Close(); err != nil {
			t.Fatal(err)
		}
		return id
	}
	var got []uuid.UUID
	collect := func(a *activity.Activity) { got = append(got, a.ID) }
	wants := func(what string, want ...uuid.UUID) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %s, want %s", what, got, want)
		}
		got = nil
	}
	late, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = late.Rollback(context.WithoutCancel(t.Context())) }()
	put(pool, -time.Hour, "doc.made")
	put(pool, -3*time.Second, "doc.made")
	two, hidden := put(pool, -2*time.Second, "doc.made"), put(late, time.Millisecond, "doc.made")
	put(pool, -time.Second, "doc.lost")
	three := put(pool, 2*time.Millisecond, "doc.made")

	tail, err := log.Tail(t.Context(), tenant, activity.Filter{Action: "*.made"}, 2, collect)
	if err != nil {
		t.Fatal(err)
	}
	wants("the latest", two, three)
	poll := func() {
		t.Helper()
		if err := tail.Poll(t.Context(), collect); err != nil {
			t.Fatal(err)
		}
	}
	poll()
	wants("nothing new")
	four := put(pool, time.Second, "doc.made")
	put(pool, 2*time.Second, "doc.lost")
	poll()
	wants("one more", four)
	if err := late.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	five := put(pool, 30*time.Second, "doc.made")
	poll()
	wants("a late one", hidden, five)
	later, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = later.Rollback(context.WithoutCancel(t.Context())) }()
	savepoint, err := later.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	six := put(savepoint, 31*time.Second, "doc.made")
	if err := savepoint.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	put(pool, time.Hour, "doc.lost")
	for range 2 {
		poll()
		wants("an activity that does not pass")
	}
	if err := later.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	poll()
	wants("an activity that is committed long after later ones", six)
	poll()
	wants("nothing new")
}

func TestTailOfEmptyLog(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	log := New(pool)
	tenant := uuid.New()
	var got []uuid.UUID
	collect := func(a *activity.Activity) { got = append(got, a.ID) }
	tail, err := log.Tail(t.Context(), tenant, activity.Filter{}, 10, collect)
	if err != nil {
		t.Fatal(err)
	}
	first := activity.Activity{
		ID:           idAt(time.Now(), 1),
		TenantID:     tenant,
		RecordedAt:   time.Now(),
		ResourceType: "doc",
		Action:       "doc.made",
	}
	store(t, pool, first)
	for range 2 {
		if err := tail.Poll(t.Context(), collect); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(got, []uuid.UUID{first.ID}) {
		t.Errorf("got %s, want the first", got)
	}
}

func TestStats(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	log := New(pool)
	tenant := uuid.New()
	noon := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	var all []activity.Activity
	for n := range 10 {
		a := activity.Activity{
			ID:               idAt(noon.Add(time.Duration(n)*6*time.Hour), uint16(n)),
			TenantID:         tenant,
			ActorPrincipalID: few[n%2],
			RecordedAt:       noon.Add(time.Duration(n) * 6 * time.Hour),
			ResourceType:     "doc",
			Action:           []string{"doc.made", "doc.made", "doc.moved", "doc.lost", "doc.lost"}[n%5],
			Status:           "success",
			Severity:         "info",
		}
		if n == 9 {
			a.Status, a.Severity = activity.Failure, "error"
		}
		all = append(all, a)
	}
	foreign := all[0]
	foreign.ID, foreign.TenantID = idAt(noon, 99), uuid.New()
	store(t, pool, append(all, foreign)...)
	want := Stats{
		Activities: 10,
		Complete:   true,
		Actions:    []Frequency{{"doc.lost", 4}, {"doc.made", 4}},
		Actors:     []Frequency{{few[0].String(), 5}, {few[1].String(), 5}},
		Severities: []Frequency{{"info", 9}, {"error", 1}},
		Statuses:   []Frequency{{"success", 9}, {"failure", 1}},
		Days:       []Frequency{{"2026-03-04", 2}, {"2026-03-05", 4}, {"2026-03-06", 4}},
	}
	got, err := log.Stats(t.Context(), tenant, activity.Filter{}, StatsOptions{Budget: 10, Top: 2})
	if err != nil || !sameStats(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
	got, err = log.Stats(t.Context(), tenant, activity.Filter{}, StatsOptions{Budget: 3, Top: 5})
	if err != nil || got.Complete || got.Activities != 3 || !got.Since.Equal(all[7].RecordedAt) {
		t.Errorf("beyond the budget: got %+v, %v, want the newest 3, since %v", got, err, all[7].RecordedAt)
	}
	if got, err = log.Stats(t.Context(), tenant, activity.Filter{
		Action: "doc.moved",
		Since:  noon.Add(24 * time.Hour),
	}, StatsOptions{Top: 5}); err != nil ||
		got.Activities != 1 ||
		!got.Complete ||
		len(got.Actors) != 1 {
		t.Errorf("filtered: got %+v, %v, want one", got, err)
	}
	if got, err = log.Stats(t.Context(), uuid.New(), activity.Filter{}, StatsOptions{
		Top: 5,
	}); err != nil || got.Activities != 0 ||
		!got.Complete ||
		got.Actions == nil ||
		len(got.Actions) > 0 {
		t.Errorf("unknown tenant: got %+v, %v, want no activities", got, err)
	}
}

func sameStats(a, b Stats) bool {
	return a.Activities == b.Activities && a.Complete == b.Complete && slices.Equal(a.Actions, b.Actions) &&
		slices.Equal(a.Actors, b.Actors) &&
		slices.Equal(a.Severities, b.Severities) &&
		slices.Equal(a.Statuses, b.Statuses) &&
		slices.Equal(a.Days, b.Days)
}
