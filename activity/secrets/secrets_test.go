package secrets_test

import (
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

func keys() map[string]bool {
	return examples(
		func(d detectors.Detector) []string { return d.Keys },
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

// TestInKey holds InKey and the database's functions to the examples of every detector.
func TestInKey(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	for key, want := range keys() {
		if got := secrets.InKey(key); got != want {
			t.Errorf("InKey(%q): got %v, want %v", key, got, want)
		}
		found, hinted := query(t, pool, `SELECT fanfare.names_secret($1), fanfare.may_contain_secret($1)`, key)
		if found != want || found && !hinted {
			t.Errorf("fanfare.names_secret(%q): got %v (may_contain_secret: %v), want %v", key, found, hinted, want)
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
