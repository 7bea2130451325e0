package secrets_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity/secrets"
	"github.com/fanfarehq/fanfare/activity/secrets/internal/detectors"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// examples maps every example of the detectors to whether it is a match.
func examples(matching, other func(detectors.Detector) []string) map[string]bool {
	all := map[string]bool{"": false}
	for _, d := range detectors.All() {
		for _, example := range matching(d) {
			all[detectors.Expand(example)] = true
		}
		for _, example := range other(d) {
			all[detectors.Expand(example)] = false
		}
	}
	return all
}

func texts() map[string]bool {
	return examples(
		func(d detectors.Detector) []string { return d.Texts },
		func(d detectors.Detector) []string { return d.NotTexts },
	)
}

// keys maps keys to whether they name a secret, and textKeys to whether they do for a text.
func keys() map[string]bool {
	return examples(
		func(d detectors.Detector) []string { return d.Keys },
		func(d detectors.Detector) []string { return slices.Concat(d.NotKeys, d.TextKeys) },
	)
}

func textKeys() map[string]bool {
	return examples(
		func(d detectors.Detector) []string { return d.TextKeys },
		func(d detectors.Detector) []string { return d.NotKeys },
	)
}

// query returns the two results of a statement.
func query(t *testing.T, pool *pgxpool.Pool, sql, arg string) (found, hinted bool) {
	t.Helper()
	if err := pool.QueryRow(t.Context(), sql, arg).Scan(&found, &hinted); err != nil {
		t.Fatalf("%s of %q: %v", sql, arg, err)
	}
	return found, hinted
}

// TestInText holds InText and the database's functions to the examples of every detector.
func TestInText(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	for text, want := range texts() {
		if got := secrets.InText(text); got != want {
			t.Errorf("InText(%q): got %v, want %v", text, got, want)
		}
		found, hinted := query(t, pool, `SELECT fanfare.contains_secret($1), fanfare.may_contain_secret($1)`, text)
		if found != want || found && !hinted {
			t.Errorf("fanfare.contains_secret(%q): got %v (may_contain_secret: %v), want %v", text, found, hinted, want)
		}
	}
}

// TestInKey holds InKey, InTextKey and the database's functions to the examples of every detector.
func TestInKey(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	for _, c := range []struct {
		function string
		in       func(string) bool
		keys     map[string]bool
	}{{"names_secret", secrets.InKey, keys()}, {"names_secret_text", secrets.InTextKey, textKeys()}} {
		for key, want := range c.keys {
			if got := c.in(key); got != want {
				t.Errorf("%s of %q in Go: got %v, want %v", c.function, key, got, want)
			}
			found, hinted := query(t, pool, `SELECT fanfare.`+c.function+`($1), fanfare.may_contain_secret($1)`, key)
			if found != want || found && !hinted {
				t.Errorf("fanfare.%s(%q): got %v (may_contain_secret: %v), want %v",
					c.function, key, found, hinted, want)
			}
		}
	}
}

// TestShapes holds RedactJSON and fanfare.redact_json to the examples of payloads.
func TestShapes(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	for _, shape := range detectors.Shapes() {
		if got := string(secrets.RedactJSON(json.RawMessage(shape.Text))); got != shape.Stored {
			t.Errorf("RedactJSON(%s):\ngot  %s\nwant %s", shape.Text, got, shape.Stored)
		}
		var equal bool
		err := pool.QueryRow(t.Context(),
			`SELECT fanfare.redact_json($1::text::jsonb, '{}') = $2::text::jsonb`, shape.Text, shape.Stored,
		).Scan(&equal)
		if err != nil || !equal {
			t.Errorf("fanfare.redact_json(%s): got another than %s, %v", shape.Text, shape.Stored, err)
		}
	}
}

func TestLowerASCII(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "abc": "abc", "ABC": "abc", "aBc": "abc", "É to\u212Aen Ω": "É to\u212Aen Ω", "X\xffY": "x\xffy",
	} {
		if got := secrets.LowerASCII(text); got != want {
			t.Errorf("LowerASCII(%q): got %q, want %q", text, got, want)
		}
	}
}
