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

// numbers returns a generator of JSON numbers in every notation.
func numbers() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		text := rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign")
		text += rapid.SampledFrom([]string{"0", "1", "10", "9007199254740993", "120"}).Draw(t, "whole")
		if rapid.Bool().Draw(t, "has a fraction") {
			text += "." + rapid.StringMatching(`[0-9]{1,6}`).Draw(t, "fraction")
		}
		if rapid.Bool().Draw(t, "has an exponent") {
			text += rapid.SampledFrom([]string{"e", "E"}).Draw(t, "e")
			text += rapid.SampledFrom([]string{"", "+", "-"}).Draw(t, "sign of the exponent")
			text += fmt.Sprint(rapid.IntRange(0, 40).Draw(t, "exponent"))
		}
		return text
	})
}

// jsonTexts returns a generator of JSON strings without NUL.
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
	constants := rapid.SampledFrom([]string{"null", "true", "false", "[]", "{}", "[[]]"})
	leaf := rapid.OneOf(numbers(), jsonTexts(), constants)
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
			keys := rapid.OneOf(jsonTexts(), rapid.Just(`"a"`)) // with duplicates
			for range rapid.IntRange(0, 4).Draw(t, "pairs") {
				pairs = append(pairs, keys.Draw(t, "key")+":"+jsonValues(depth-1).Draw(t, "value"))
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
			SELECT array_agg(octet_length(v.raw::jsonb::text) ORDER BY v.n)
			FROM unnest($1::text[]) WITH ORDINALITY AS v(raw, n)`, raws).Scan(&want)
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

// TestPlainNumbers compares the canonical text with that of PostgreSQL's numeric.
func TestPlainNumbers(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	rapid.Check(t, func(rt *rapid.T) {
		texts := rapid.SliceOfN(numbers(), 1, 50).Draw(rt, "numbers")
		var want []string
		err := db.Pool.QueryRow(t.Context(), `
			SELECT array_agg(trim_scale(v.raw::numeric)::text ORDER BY v.n)
			FROM unnest($1::text[]) WITH ORDINALITY AS v(raw, n)`, texts).Scan(&want)
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

// TestLongestNumbers compares the length of the longest numbers with that in PostgreSQL.
func TestLongestNumbers(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, text := range []string{
		"1e131071", "-12e131070", "1e-16383", "0e-16383", "0e99999",
		strings.Repeat("9", 131072), "0." + strings.Repeat("3", 16383),
	} {
		var want int
		err := db.Pool.QueryRow(t.Context(), `SELECT octet_length($1::text::jsonb::text)`, text).Scan(&want)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := storedNumber(text); !ok || got != want {
			t.Errorf("%.20s: got %d bytes and %v, want %d", text, got, ok, want)
		}
	}
}

func TestUnstorableValues(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"a long number":          "[" + strings.Repeat("1", jsontext.MaxWhole+1) + "]",
		"a large exponent":       `{"a": 1e131072}`,
		"an exponent beyond int": `1e99999999999999999999`,
		"a small exponent":       `1e-16384`,
		"nested arrays":          strings.Repeat("[", 65) + strings.Repeat("]", 65),
		"nested objects":         strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65),
	} {
		value, err := decode([]byte(raw))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if size, ok := storedSize(value, 0); ok {
			t.Errorf("%s: got %d bytes, want ok to be false", name, size)
		}
	}
}
