package pglog

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/uuidv7"
)

// TestWalkVisitsWhatListReturns walks random logs with random filters in small steps, in both
// directions, while other activities are recorded: it visits the activities of List, once each.
func TestWalkVisitsWhatListReturns(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	log := New(pool)
	rapid.Check(t, func(rt *rapid.T) {
		tenant, other := uuid.New(), uuid.New()
		start := time.Now().Truncate(time.Second)
		var stored []activity.Activity
		for n := range rapid.IntRange(0, 30).Draw(rt, "activities") {
			stored = append(
				stored,
				drawActivity(
					rt,
					rapid.SampledFrom([]uuid.UUID{tenant, tenant, tenant, other}).Draw(rt, "tenant"),
					start,
					n,
				),
			)
		}
		store(t, pool, stored...)
		f := drawFilter(rt, start)
		var want []uuid.UUID
		for page, more := (activity.Page{Limit: 7}), true; more; more = page.Before != uuid.Nil {
			list, next, err := log.List(t.Context(), tenant, f, page)
			if err != nil {
				rt.Fatal(err)
			}
			for _, a := range list {
				want = append(want, a.ID)
			}
			page.Before = next
		}
		walk, err := log.Walk(tenant, f)
		if err != nil {
			rt.Fatal(err)
		}
		if walk.OldestFirst = rapid.Bool().Draw(rt, "oldest first"); walk.OldestFirst {
			slices.Reverse(want)
		}
		budget, atOnce := rapid.IntRange(1, 12).Draw(rt, "budget"), rapid.IntRange(1, 12).Draw(rt, "at once")
		var got []uuid.UUID
		for steps, more := 1, true; more; steps++ {
			visited := 0
			more, err = walk.Step(t.Context(), budget, func(a *activity.Activity) bool {
				got = append(got, a.ID)
				visited++
				return visited == atOnce
			})
			if err != nil {
				rt.Fatal(err)
			}
			if visited > min(budget, atOnce) {
				rt.Fatalf("visited %d in a step, want at most %d", visited, min(budget, atOnce))
			}
			store(t, pool, drawActivity(rt, tenant, start.Add(time.Minute), len(stored)+steps))
		}
		if !slices.Equal(got, want) {
			rt.Errorf("got %d: %s\nwant %d: %s", len(got), got, len(want), want)
		}
		more, err := walk.Step(t.Context(), budget, func(*activity.Activity) bool {
			t.Error("a step after the end visited an activity")
			return false
		})
		if more || err != nil {
			rt.Errorf("a step after the end: got %v, %v, want no more", more, err)
		}
	})
}

// TestWalkResumes interrupts a walk and continues it with another one.
func TestWalkResumes(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	now := time.Now()
	var want, got []uuid.UUID
	for n := range 10 {
		want = append(want, idAt(now, uint16(n)))
		store(
			t,
			pool,
			activity.Activity{ID: want[n], TenantID: few[0], RecordedAt: now, ResourceType: "doc", Action: "doc.made"},
		)
	}
	log := New(pool)
	first, err := log.Walk(few[0], activity.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	first.OldestFirst = true
	ctx, cancel := context.WithCancel(t.Context())
	collect := func(a *activity.Activity) bool { got = append(got, a.ID); return false }
	if more, err := first.Step(ctx, 4, collect); !more || err != nil {
		t.Fatalf("got %v, %v, want more", more, err)
	}
	cancel()
	if more, err := first.Step(ctx, 4, collect); !more || !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: got %v, %v, want context.Canceled and more", more, err)
	}
	second, err := log.Walk(few[0], activity.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	second.OldestFirst, second.After, second.Before = true, first.After, first.Before
	for more := true; more; {
		if more, err = second.Step(t.Context(), 4, collect); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWalkRefusesInvalidFilter(t *testing.T) {
	t.Parallel()
	var invalidErr *invalid.Error
	if _, err := New(nil).Walk(few[0], activity.Filter{Status: "?"}); !errors.As(err, &invalidErr) {
		t.Errorf("got %v, want an *invalid.Error", err)
	}
}

func TestSuccessor(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"00000000-0000-0000-0000-000000000000": "00000000-0000-0000-0000-000000000001",
		"018f3b1c-7a5e-7cc4-8f6e-2a1b3c4dffff": "018f3b1c-7a5e-7cc4-8f6e-2a1b3c4e0000",
		"00ffffff-ffff-ffff-ffff-ffffffffffff": "01000000-0000-0000-0000-000000000000",
		"ffffffff-ffff-ffff-ffff-ffffffffffff": "ffffffff-ffff-ffff-ffff-ffffffffffff",
	} {
		if got := successor(uuid.MustParse(id)); got.String() != want {
			t.Errorf("%s: got %s, want %s", id, got, want)
		}
	}
}

// TestWalkPlans checks the plans of the statements of a step.
func TestWalkPlans(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	loadLog(t, pool)
	for index, f := range map[string]activity.Filter{
		"pkey":                                {Action: "doc.*"},
		"tenant_id_resource_id_id_idx":        {Resource: townID("r", 1)},
		"tenant_id_actor_principal_id_id_idx": {Actor: townID("p", 1)},
		"tenant_id_owner_id_id_idx":           {Owner: townID("p", 1)},
	} {
		for _, oldestFirst := range []bool{true, false} {
			wantIndex(t, pool, index, func(_, budget int) (string, []any) {
				walk := Walk{OldestFirst: oldestFirst, tenant: townID("t", 1), filter: f}
				return walk.stepEndQuery(budget)
			})
			wantIndex(t, pool, index, func(int, int) (string, []any) {
				walk := Walk{OldestFirst: oldestFirst, tenant: townID("t", 1), filter: f}
				return walk.readQuery(idRange{below: uuidv7.Floor(time.Now())})
			})
		}
	}
}
