package churn_test

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fanfarehq/fanfare/internal/acceptance/churn"
)

// TestSeedsReproduce proposes the changes of a seed twice and compares them.
func TestSeedsReproduce(t *testing.T) {
	t.Parallel()
	changes := func() (all [][]any) {
		w := churn.New(churn.Options{Tenants: 2, People: 60, Seed: 7})
		random := rand.New(rand.NewPCG(7, 1))
		for i := range 2_000 {
			c := w.Tenants[i%2].Next(random)
			all = append(all, append([]any{c.Kind, c.SQL}, c.Args...))
		}
		return all
	}
	first, second := changes(), changes()
	for i := range first {
		if diff := cmp.Diff(first[i], second[i]); diff != "" {
			t.Fatalf("change %d of a seed (-first +second):\n%s", i, diff)
		}
	}
}
