package pglog

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// facetOf returns the value of a facet, "" for none.
func facetOf(f Facet, a *activity.Activity) string {
	id := func(id uuid.UUID) string {
		if id == uuid.Nil {
			return ""
		}
		return id.String()
	}
	switch f {
	case ByAction:
		return a.Action
	case ByActor:
		return id(a.ActorPrincipalID)
	case ByOwner:
		return id(a.OwnerID)
	case ByResource:
		return id(a.ResourceID)
	case ByResourceType:
		return a.ResourceType
	case BySeverity:
		return string(a.Severity)
	case ByStatus:
		return string(a.Status)
	default:
		return a.Category
	}
}

// TestFacetsCountWhatMatches compares facets of random logs with those of what a matcher selects.
func TestFacetsCountWhatMatches(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	rapid.Check(t, func(rt *rapid.T) {
		tenant, other := uuid.New(), uuid.New()
		start := time.Now().Truncate(time.Second)
		var stored []activity.Activity
		for n := range rapid.IntRange(0, 40).Draw(rt, "activities") {
			of := rapid.SampledFrom([]uuid.UUID{tenant, tenant, tenant, other}).Draw(rt, "tenant")
			stored = append(stored, drawActivity(rt, of, start, n))
		}
		store(t, pool, stored...)
		f := drawFilter(rt, start)
		top := rapid.IntRange(1, 4).Draw(rt, "top")
		fields := AllFacets()[:rapid.IntRange(1, len(AllFacets())).Draw(rt, "fields")]

		matches := f.Matcher()
		counts, total := map[Facet]map[string]int64{}, int64(0)
		for _, facet := range fields {
			counts[facet] = map[string]int64{}
		}
		for i := range stored {
			a := &stored[i]
			if a.TenantID != tenant || !matches(a) {
				continue
			}
			total++
			for _, facet := range fields {
				if value := facetOf(facet, a); value != "" {
					counts[facet][value]++
				}
			}
		}
		got, err := New(pool).Facets(t.Context(), tenant, f, fields, top)
		if err != nil {
			rt.Fatal(err)
		}
		if got.Activities != total || !got.Exact || len(got.Values) != len(fields) {
			rt.Errorf("got %+v, want %d of %d fields", got, total, len(fields))
		}
		for _, facet := range fields {
			want := []Frequency{}
			for value, n := range counts[facet] {
				want = append(want, Frequency{value, n})
			}
			slices.SortFunc(want, func(a, b Frequency) int {
				return cmp.Or(cmp.Compare(b.Activities, a.Activities), strings.Compare(a.Value, b.Value))
			})
			if want = want[:min(top, len(want))]; !slices.Equal(got.Values[facet], want) {
				rt.Errorf("%s: got %v, want %v", facet, got.Values[facet], want)
			}
		}
	})
}

func TestFacetsStop(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	loadLog(t, pool)
	for _, tt := range []struct {
		budget int
		filter activity.Filter
		n      int64
		exact  bool
	}{
		{66, activity.Filter{}, 66, false},
		{67, activity.Filter{}, 67, true},
		{68, activity.Filter{}, 67, true},
		{66, activity.Filter{Action: "doc.none"}, 0, false},
		{1, activity.Filter{Resource: townID("r", 1)}, 1, false},
	} {
		log := New(pool)
		log.countBudget = tt.budget
		got, err := log.Facets(t.Context(), townID("t", 3), tt.filter, []Facet{ByAction}, 10)
		if err != nil || got.Activities != tt.n || got.Exact != tt.exact {
			t.Errorf("%+v: got %+v, %v", tt, got, err)
		}
	}
}

// BenchmarkFacets counts the newest 50,000 of 66,000 activities.
func BenchmarkFacets(b *testing.B) {
	pool := pgtest.New(b).Pool
	loadLog(b, pool)
	if _, err := pool.Exec(b.Context(), `VACUUM ANALYZE`); err != nil {
		b.Fatal(err)
	}
	log := New(pool)
	for name, fields := range map[string][]Facet{"one": {ByAction}, "all": AllFacets()} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := log.Facets(b.Context(), townID("t", 1), activity.Filter{}, fields, 20); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
