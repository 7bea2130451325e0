package preferences_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/preferences"
)

const action = "resource.created_by_import"

func BenchmarkMatch(b *testing.B) {
	for _, pattern := range []string{
		"resource.created_by_import",
		"resource.*",
		"transfer.*",
		"*.deleted",
		"resource.*_import",
		"*created*",
		"resource.???????_*",
		"*.*_by_*",
		"[rt]*.[!d]*",
	} {
		b.Run(pattern, func(b *testing.B) {
			p := compile(b, pattern)
			b.ReportAllocs()
			for b.Loop() {
				p.Match(action)
			}
		})
	}
}

// BenchmarkCompileAndMatchWorst matches the slowest patterns found: patterns of at most 200 bytes
// for which the matcher restarts often and late in an action of 100 bytes.
func BenchmarkCompileAndMatchWorst(b *testing.B) {
	for _, worst := range []struct{ name, pattern, action string }{
		{"literals", "*" + strings.Repeat("a", 50) + "b", strings.Repeat("a", 100)},
		{"literals twice", "*" + strings.Repeat("a", 50) + "b*", strings.Repeat("a", 100)},
		{"any ones", "*" + strings.Repeat("?", 50) + "b*", strings.Repeat("a", 100)},
		{"stars", strings.Repeat("*a", 99) + "b*", strings.Repeat("a", 100)},
		{"segments", "*" + strings.Repeat(strings.Repeat("a", 24)+"?*", 7) + "b", strings.Repeat("a", 100)},
		{"classes", "*" + strings.Repeat("[!b]", 49) + "b*", strings.Repeat("a", 100)},
		{"wide classes", "*" + strings.Repeat("[!bcdefgh]", 19) + "b*", strings.Repeat("a", 100)},
		{"one wide class", "*[!" + strings.Repeat("b", 190) + "]b*", strings.Repeat("a", 100)},
		{"ranges", "*[!" + strings.Repeat("c-b", 63) + "]b*", strings.Repeat("a", 100)},
	} {
		b.Run(worst.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p, err := preferences.Compile(worst.pattern)
				if err != nil {
					b.Fatal(err)
				}
				if p.Match(worst.action) {
					b.Fatal("got a match, want none")
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, pattern := range []string{"resource.*", "resource.???????_*", "[rt]*.[!d]*"} {
		b.Run(pattern, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := preferences.Compile(pattern); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkIncludes(b *testing.B) {
	f := preferences.NewFilter(nil)
	batch := f.Batch()
	custom := []string{"signal.*", "order.*", "[rt]*.[!c]*", "resource.created*"}
	for _, test := range []struct {
		name     string
		p        preferences.Preference
		includes func(preferences.Preference, string) bool
	}{
		{"filter, all", preferences.Preference{Mode: preferences.ModeAll}, f.Includes},
		{"filter, default", preferences.Preference{}, f.Includes},
		{
			"filter, custom of 4",
			preferences.Preference{Mode: preferences.ModeCustom, CustomActions: custom},
			f.Includes,
		},
		{"batch, default", preferences.Preference{}, batch.Includes},
		{
			"batch, custom of 4",
			preferences.Preference{Mode: preferences.ModeCustom, CustomActions: custom},
			batch.Includes,
		},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				test.includes(test.p, action)
			}
		})
	}
}

// BenchmarkBatch decides for a batch of 500 activities of 20 actions with 3 watchers each. One of
// three watchers has 4 patterns.
func BenchmarkBatch(b *testing.B) {
	actions := make([]string, 20)
	for i := range actions {
		actions[i] = fmt.Sprintf("resource.verb_%d", i)
	}
	watchers := []preferences.Preference{
		{},
		{Mode: preferences.ModeAll},
		{Mode: preferences.ModeCustom, CustomActions: []string{"signal.*", "order.*", "*_1?", "resource.created*"}},
	}
	f := preferences.NewFilter(nil)
	b.ReportAllocs()
	for b.Loop() {
		batch := f.Batch()
		for i := range 500 {
			for _, p := range watchers {
				batch.Includes(p, actions[i%len(actions)])
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1500, "ns/watcher")
}

// BenchmarkHostileBatch decides for one activity with 300 watchers, of whom each has 100 patterns
// of its own that match nothing, the slowest found.
func BenchmarkHostileBatch(b *testing.B) {
	for name, hostile := range map[string]string{
		"literals": "*" + strings.Repeat("a", 50) + "b*",
		"stars":    strings.Repeat("*a", 95) + "b*",
		"classes":  "*" + strings.Repeat("[!b]", 46) + "b*",
		"ranges":   "*[!" + strings.Repeat("c-b", 61) + "]b*",
		"unclosed": "*" + strings.Repeat("[", 90) + "b*",
	} {
		b.Run(name, func(b *testing.B) {
			watchers := make([]preferences.Preference, 300)
			for i := range watchers {
				watchers[i].Mode = preferences.ModeCustom
				for n := range 100 {
					watchers[i].CustomActions = append(watchers[i].CustomActions, fmt.Sprint(hostile, i, "x", n))
				}
			}
			long := strings.Repeat("a", 100)
			f := preferences.NewFilter(nil)
			for b.Loop() {
				batch := f.Batch()
				for _, p := range watchers {
					if batch.Includes(p, long) {
						b.Fatal("got a match, want none")
					}
				}
			}
		})
	}
}
