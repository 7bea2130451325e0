package invalid_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/fanfarehq/fanfare/activity/invalid"
)

func TestEach(t *testing.T) {
	t.Parallel()
	failure := errors.New("the hook failed")
	double := func(n int) (int, error) {
		switch {
		case n < 0:
			return 0, &invalid.Error{Subject: "number", Fields: []invalid.Field{{Name: "n", Rule: "must be positive"}}}
		case n == 0:
			return 0, failure
		}
		return 2 * n, nil
	}
	if got, err := invalid.Each("numbers", []int{1, 2}, double); err != nil || !slices.Equal(got, []int{2, 4}) {
		t.Errorf("got %v, %v, want [2 4]", got, err)
	}
	const want = "number refused: numbers[0].n must be positive; numbers[2].n must be positive"
	if got, err := invalid.Each("numbers", []int{-1, 1, -2}, double); got != nil || err == nil || err.Error() != want {
		t.Errorf("got %v, %v, want %q", got, err, want)
	}
	_, err := invalid.Each("numbers", []int{-1, 0, -2}, double)
	if !errors.Is(err, failure) || err.Error() != "numbers[1]: the hook failed" {
		t.Errorf("got %v, want the failure of the second", err)
	}
}
