package main

import (
	"slices"
	"testing"
)

func TestDrainMeasuresEachVariantWithItsTransportsAndGroups(t *testing.T) {
	t.Parallel()
	o := drainOptions{
		variants: []string{claimOnly, everything, consumer}, transports: []string{overGRPC, overHTTP}, groups: true,
	}
	want := []string{claimOnly, "all", "all+groups", "all+http", "all+http+groups", consumer}
	if got := o.measured(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
