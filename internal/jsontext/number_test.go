package jsontext

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNumber(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text            string
		numeric, plain  string
		whole, fraction int
	}{
		{"0", "0", "0", 1, 0},
		{"-0", "0", "0", 1, 0},
		{"0.00", "0.00", "0", 1, 2},
		{"-0.0e5", "0", "0", 1, 0},
		{"0e-3", "0.000", "0", 1, 3},
		{"7", "7", "7", 1, 0},
		{"100", "100", "100", 3, 0},
		{"-12.50", "-12.50", "-12.5", 2, 2},
		{"0.001", "0.001", "0.001", 1, 3},
		{"0.0010", "0.0010", "0.001", 1, 4},
		{"1e3", "1000", "1000", 4, 0},
		{"1.5e3", "1500", "1500", 4, 0},
		{"1.50e1", "15.0", "15", 2, 1},
		{"100e-1", "10.0", "10", 2, 1},
		{"1E-5", "0.00001", "0.00001", 1, 5},
		{"12.34e-3", "0.01234", "0.01234", 1, 5},
		{"0.0012e2", "0.12", "0.12", 1, 2},
		{"0.0012e4", "12", "12", 2, 0},
		{"0.012e1", "0.12", "0.12", 1, 2},
	} {
		n, ok := ParseNumber([]byte(tc.text))
		if !ok {
			t.Errorf("%s: got it refused", tc.text)
			continue
		}
		if got := n.Numeric(); got != tc.numeric {
			t.Errorf("%s: Numeric: got %s, want %s", tc.text, got, tc.numeric)
		}
		if got := n.Plain(); got != tc.plain {
			t.Errorf("%s: Plain: got %s, want %s", tc.text, got, tc.plain)
		}
		if n.Whole() != tc.whole || n.Fraction() != tc.fraction {
			t.Errorf("%s: got %d and %d digits, want %d and %d", tc.text, n.Whole(), n.Fraction(), tc.whole,
				tc.fraction)
		}
	}
}

func TestExponentsBeyondNumeric(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"1e1073741822": true, "1e-1073741822": true, "1e1073741823": false, "1e-1073741823": false,
		"1e99999999999999999999": false,
	} {
		if _, ok := ParseNumber([]byte(text)); ok != want {
			t.Errorf("%s: got %v, want %v", text, ok, want)
		}
	}
}

// TestNumberKeepsItsValue holds what is written out to the value and to the counted digits.
func TestNumberKeepsItsValue(t *testing.T) {
	t.Parallel()
	numbers := rapid.StringMatching(`-?(0|[1-9][0-9]{0,4})(\.[0-9]{1,4})?([eE][+-]?[0-9])?`)
	rapid.Check(t, func(t *rapid.T) {
		text := numbers.Draw(t, "number")
		n, ok := ParseNumber([]byte(text))
		if !ok {
			t.Fatalf("%s: got it refused", text)
		}
		want, _ := new(big.Rat).SetString(text)
		for _, written := range []string{n.Numeric(), n.Plain()} {
			if got, ok := new(big.Rat).SetString(written); !ok || got.Cmp(want) != 0 {
				t.Errorf("%s: got %s, want the same value", text, written)
			}
		}
		if n.Zero() != (want.Sign() == 0) || n.Negative() != (want.Sign() < 0) {
			t.Errorf("%s: got zero %v and negative %v", text, n.Zero(), n.Negative())
		}
		whole, fraction, _ := strings.Cut(strings.TrimPrefix(n.Numeric(), "-"), ".")
		if len(whole) != n.Whole() || len(fraction) != n.Fraction() || len(n.Numeric()) != n.NumericLen() {
			t.Errorf("%s: got %s, want %d and %d digits", text, n.Numeric(), n.Whole(), n.Fraction())
		}
	})
}
