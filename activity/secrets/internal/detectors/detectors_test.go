package detectors

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// found returns whether the detectors' patterns match a text, a key, and a key with a text.
func found(t *testing.T, ds []Detector, value string) (text, key, textKey bool) {
	t.Helper()
	patterns := Compose(ds)
	match := func(p Pattern, value string) bool {
		return len(p) > 0 && regexp.MustCompile(p.String()).MatchString(value)
	}
	for _, p := range patterns.Texts {
		matched := match(p.Pattern, value)
		if p.Lower {
			matched = match(p.Pattern, lower(value))
		}
		hinted := slices.ContainsFunc(p.Hints, func(hint string) bool { return strings.Contains(lower(value), hint) })
		if matched && !hinted {
			t.Errorf("%q contains none of the hints %q", value, p.Hints)
		}
		text = text || matched
	}
	return text,
		match(patterns.Key, lower(value)) || match(patterns.Camel, value),
		match(patterns.TextKey, lower(value)) || match(patterns.TextCamel, value)
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
		hinted := func(example string) {
			has := func(hint string) bool { return strings.Contains(lower(example), hint) }
			if !slices.ContainsFunc(d.Hints, has) {
				t.Errorf("%s: %q contains none of the hints %q", d.Name, example, d.Hints)
			}
		}
		for _, example := range d.Texts {
			hinted(Expand(example))
			if text, _, _ := found(t, []Detector{d}, Expand(example)); !text {
				t.Errorf("%s does not match the text %q", d.Name, Expand(example))
			}
		}
		for _, example := range d.Keys {
			hinted(example)
			if _, key, _ := found(t, []Detector{d}, example); !key {
				t.Errorf("%s does not match the key %q", d.Name, example)
			}
		}
		for _, example := range d.TextKeys {
			hinted(example)
			if _, key, textKey := found(t, []Detector{d}, example); key || !textKey {
				t.Errorf("%s: key %q: got %t, %t with a text, want false, true", d.Name, example, key, textKey)
			}
		}
		for _, example := range d.NotTexts {
			if text, _, _ := found(t, all, Expand(example)); text {
				t.Errorf("near %s: the text %q is matched", d.Name, Expand(example))
			}
		}
		for _, example := range d.NotKeys {
			if _, key, textKey := found(t, all, example); key || textKey {
				t.Errorf("near %s: the key %q is matched", d.Name, example)
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
		inKeys, inTextKeys := d.Key+d.KeyEnd+d.LastWord, d.TextKeyEnd+d.TextLastWord
		inTexts := d.Text + d.Token + d.Lower + d.Assigned + d.Header
		if (inKeys != "") != (len(d.Keys) > 0) || (inTextKeys != "") != (len(d.TextKeys) > 0) ||
			(inTexts != "") != (len(d.Texts) > 0) {
			t.Errorf("%s: there must be examples of keys and of texts exactly where there are patterns", d.Name)
		}
		if inTexts != "" && len(d.NotTexts) == 0 {
			t.Errorf("%s: a similar text that is not matched is missing", d.Name)
		}
		for _, pattern := range []string{inKeys, inTextKeys, d.Text, d.Token, d.Lower, d.Assigned, d.Header} {
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
	if got := Compose(nil); len(got.Key)+len(got.Camel)+len(got.TextKey)+len(got.Texts) > 0 {
		t.Errorf("patterns of no detectors: got %+v, want none", got)
	}
}
