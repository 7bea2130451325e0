package taxonomy

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fanfarehq/fanfare/internal/jsontext"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// numbers draws numbers of JSON in all the ways of writing one.
func numbers() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		text := rapid.SampledFrom([]string{"", "-"}).
			Draw(t, "sign") +
			rapid.SampledFrom([]string{"0", "1", "10", "9007199254740993", "120"}).
				Draw(t, "whole")
		if rapid.Bool().Draw(t, "has a fraction") {
			text += "." + rapid.StringMatching(`[0-9]{1,6}`).Draw(t, "fraction")
		}
		if rapid.Bool().Draw(t, "has an exponent") {
			text += rapid.SampledFrom([]string{"e", "E"}).
				Draw(t, "e") +
				rapid.SampledFrom([]string{"", "+", "-"}).
					Draw(t, "its sign") +
				fmt.Sprint(
					rapid.IntRange(0, 40).Draw(t, "exponent"),
				)
		}
		return text
	})
}

// texts of JSON, whatever they hold but NUL.
func jsonTexts() *rapid.Generator[string] {
	return rapid.Map(rapid.String(), func(s string) string {
		raw, err := json.Marshal(strings.ReplaceAll(s, "\x00", "\x01"))
		if err != nil {
			panic(err)
		}
		return string(raw)
	})
}

func jsonValues(depth int) *rapid.Generator[string] {
	leaf := rapid.OneOf(
		numbers(),
		jsonTexts(),
		rapid.SampledFrom([]string{"null", "true", "false", "[]", "{}", "[[]]"}),
	)
	if depth == 0 {
		return leaf
	}
	return rapid.OneOf(
		leaf,
		rapid.Map(
			rapid.SliceOfN(jsonValues(depth-1), 0, 4),
			func(items []string) string { return "[" + strings.Join(items, ",") + "]" },
		),
		rapid.Custom(func(t *rapid.T) string {
			var pairs []string
			for range rapid.IntRange(0, 4).Draw(t, "pairs") { // a key may come twice
				pairs = append(
					pairs,
					rapid.OneOf(jsonTexts(), rapid.Just(`"a"`)).Draw(t, "key")+":"+jsonValues(depth-1).Draw(t, "value"),
				)
			}
			return "{" + strings.Join(pairs, ",") + "}"
		}),
	)
}

func TestStoredSizeIsThatOfJSONB(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	rapid.Check(t, func(rt *rapid.T) {
		raws := rapid.SliceOfN(jsonValues(3), 1, 20).Draw(rt, "values")
		var want []int
		err := db.Pool.QueryRow(t.Context(), `
			SELECT array_agg(octet_length(v.raw::jsonb::text) ORDER BY v.n) FROM unnest($1::text[]) WITH ORDINALITY AS v(raw, n)`, raws).Scan(&want)
		if err != nil {
			rt.Fatal(err)
		}
		for i, raw := range raws {
			value, err := decode([]byte(raw))
			if err != nil {
				rt.Fatal(err)
			}
			if got, ok := storedSize(value, 0); !ok || got != want[i] {
				rt.Errorf("%s: got %d bytes, %v; want %d", raw, got, ok, want[i])
			}
		}
	})
}

// TestPlainNumbers holds the canonical text to PostgreSQL's notion of equal numbers.
func TestPlainNumbers(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	rapid.Check(t, func(rt *rapid.T) {
		texts := rapid.SliceOfN(numbers(), 1, 50).Draw(rt, "numbers")
		var want []string
		err := db.Pool.QueryRow(t.Context(), `
			SELECT array_agg(trim_scale(v.raw::numeric)::text ORDER BY v.n) FROM unnest($1::text[]) WITH ORDINALITY AS v(raw, n)`, texts).Scan(&want)
		if err != nil {
			rt.Fatal(err)
		}
		for i, text := range texts {
			if got, ok := plainNumber(text); !ok || got != want[i] {
				rt.Errorf("%s: got %s, %v; want %s", text, got, ok, want[i])
			}
		}
	})
}

// TestLongestNumbers are stored, and are as long as they are there.
func TestLongestNumbers(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, text := range []string{"1e131071", "-12e131070", "1e-16383", "0e-16383", "0e99999", strings.Repeat("9", 131072), "0." + strings.Repeat("3", 16383)} {
		var want int
		if err := db.Pool.QueryRow(t.Context(), `SELECT octet_length($1::text::jsonb::text)`, text).Scan(&want); err != nil {
			t.Fatal(err)
		}
		if got, ok := storedNumber(text); !ok || got != want {
			t.Errorf("%.20s: got %d bytes and %v, want %d", text, got, ok, want)
		}
	}
}

func TestWhatCannotBeStored(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"a number too long":       "[" + strings.Repeat("1", jsontext.MaxWhole+1) + "]",
		"an exponent too large":   `{"a": 1e131072}`,
		"an exponent beyond int":  `1e99999999999999999999`,
		"an exponent too small":   `1e-16384`,
		"a level too deep":        strings.Repeat("[", 65) + strings.Repeat("]", 65),
		"a level of keys too far": strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65),
	} {
		value, err := decode([]byte(raw))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if size, ok := storedSize(value, 0); ok {
			t.Errorf("%s: got %d bytes, want it refused", name, size)
		}
	}
}
