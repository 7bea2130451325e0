package jsontext

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/google/uuid"
)

func TestAppendString(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                    `""`,
		"plain":               `"plain"`,
		`a "quoted" \ word`:   `"a \"quoted\" \\ word"`,
		"\b\f\n\r\t":          `"\b\f\n\r\t"`,
		"\x00\x1f":            `"\u0000\u001f"`,
		"<a href=x>&</a>":     `"<a href=x>&</a>"`,
		"漢字 é \u2028\x7f":     "\"漢字 é \u2028\x7f\"",
		"broken \xff\xfe end": `"broken ` + "\uFFFD\uFFFD" + ` end"`,
	} {
		if got := string(AppendString([]byte("x"), text)); got != "x"+want {
			t.Errorf("%q: got %s, want x%s", text, got, want)
		}
	}
}

// FuzzAppendString holds it to encoding/json, which must read back the same text.
func FuzzAppendString(f *testing.F) {
	f.Add("plain")
	f.Add("\"\\\b\f\n\r\t\x00\x7f<>&\u2028\xff漢")
	f.Fuzz(func(t *testing.T, text string) {
		appended := AppendString(nil, text)
		var got string
		if err := json.Unmarshal(appended, &got); err != nil {
			t.Fatalf("%q: got %s: %v", text, appended, err)
		}
		if want := string([]rune(text)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if !utf8.Valid(appended) {
			t.Errorf("got %q, want UTF-8", appended)
		}
	})
}

func TestAppendUUID(t *testing.T) {
	t.Parallel()
	for range 100 {
		id := uuid.New()
		if got := string(AppendUUID([]byte("id "), id)); got != "id "+id.String() {
			t.Errorf("got %s, want id %s", got, id)
		}
		if got := string(AppendUUIDOrNull(nil, id)); got != `"`+id.String()+`"` {
			t.Errorf("got %s, want %s in quotes", got, id)
		}
		if got := string(AppendOptionalUUID(nil, &id)); got != `"`+id.String()+`"` {
			t.Errorf("optional: got %s, want %s in quotes", got, id)
		}
	}
	if got := string(AppendOptionalUUID([]byte("id: "), nil)); got != "id: null" {
		t.Errorf("optional: got %s, want id: null", got)
	}
	if got := string(AppendOptionalUUID(nil, &uuid.Nil)); got != `"00000000-0000-0000-0000-000000000000"` {
		t.Errorf("optional: got %s, want the zero id", got)
	}
	if got := string(AppendUUIDOrNull([]byte("id: "), uuid.Nil)); got != "id: null" {
		t.Errorf("got %s, want id: null", got)
	}
}

func BenchmarkAppendString(b *testing.B) {
	for name, text := range map[string]string{
		"plain":   "Quarterly report of the research desk",
		"escapes": "line one\nline \"two\"\n",
		"UTF-8":   "Übersicht für das vierte Quartal",
	} {
		b.Run(name, func(b *testing.B) {
			buffer := make([]byte, 0, 128)
			b.ReportAllocs()
			for b.Loop() {
				buffer = AppendString(buffer[:0], text)
			}
		})
	}
}
