package detectors

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// matches reports whether the detectors' patterns match a key or a text.
func matches(t *testing.T, ds []Detector, key bool, value string) bool {
	t.Helper()
	patterns := Compose(ds)
	match := func(p Pattern, value string) bool {
		return len(p) > 0 && regexp.MustCompile(p.String()).MatchString(value)
	}
	if key {
		return match(patterns.Key, lower(value))
	}
	return match(patterns.Text, value) || match(patterns.Lower, lower(value))
}

// lower converts ASCII letters only.
func lower(text string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}, text)
}

// TestEachDetectorFindsItsExamples checks each detector alone: it matches its examples, which
// contain its hints, and no detector matches the similar keys and texts.
func TestEachDetectorFindsItsExamples(t *testing.T) {
	t.Parallel()
	all := All()
	for _, d := range all {
		for _, examples := range []struct {
			key         bool
			found, none []string
		}{{true, d.Keys, d.NotKeys}, {false, d.Texts, d.NotTexts}} {
			for _, example := range examples.found {
				text := Expand(example)
				if !matches(t, []Detector{d}, examples.key, text) {
					t.Errorf("%s does not match %q", d.Name, text)
				}
				hinted := func(hint string) bool { return strings.Contains(lower(text), hint) }
				if !slices.ContainsFunc(d.Hints, hinted) {
					t.Errorf("%s: %q contains none of the hints %q", d.Name, text, d.Hints)
				}
			}
			for _, example := range examples.none {
				if text := Expand(example); matches(t, all, examples.key, text) {
					t.Errorf("near %s: %q is matched", d.Name, text)
				}
			}
		}
	}
}

// TestTable checks the rules of the table: what both kinds of regular expressions, an SQL literal
// and a row of the documentation need.
func TestTable(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, d := range All() {
		if d.Name == "" || d.Finds == "" || names[d.Name] {
			t.Errorf("%q: the name must be given and unique, and Finds be given", d.Name)
		}
		names[d.Name] = true
		inKeys, inTexts := d.Key+d.KeyEnd+d.LastWord, d.Text+d.Token+d.Assigned+d.Header
		if (inKeys != "") != (len(d.Keys) > 0) || (inTexts != "") != (len(d.Texts) > 0) {
			t.Errorf("%s: there must be examples of keys and of texts exactly where there are patterns", d.Name)
		}
		if inTexts != "" && len(d.NotTexts) == 0 {
			t.Errorf("%s: a similar text that is not matched is missing", d.Name)
		}
		for _, pattern := range []string{d.Key, d.KeyEnd, d.LastWord, d.Text, d.Token, d.Assigned, d.Header} {
			if strings.ContainsAny(pattern, "\\\n") || !utf8.ValidString(pattern) {
				t.Errorf("%s: pattern %q must contain no backslash and no newline", d.Name, pattern)
			}
			if strings.Contains(pattern, "(?") || strings.Contains(pattern, "[[") {
				t.Errorf("%s: pattern %q has a syntax that Go and PostgreSQL read differently", d.Name, pattern)
			}
		}
		if len(d.Hints) == 0 {
			t.Errorf("%s: a hint is missing", d.Name)
		}
		for _, hint := range d.Hints {
			if hint == "" || lower(hint) != hint || strings.ContainsAny(hint, `\%`) {
				t.Errorf("%s: hint %q must be in lower case, without backslash and percent sign", d.Name, hint)
			}
		}
	}
}

func TestComposeOfNothing(t *testing.T) {
	t.Parallel()
	if got := Compose(nil); len(got.Key)+len(got.Text)+len(got.Lower) > 0 {
		t.Errorf("patterns of no detectors: got %+v, want none", got)
	}
}
