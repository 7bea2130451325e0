package jsontext

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// validSeeds contain each kind of value, and each way in which one can be invalid.
var validSeeds = []string{
	``, ` `, `null`, `true`, `false`, `nul`, `nulls`, `tru`, `x`, `""`, `"a"`, `"`, `"a`, `"\`, `"\"`, `"\x"`,
	`"\u00e9\b\f\n\r\t\/\\\""`, `"\u12"`, `"\u12g4"`, `"\u123`, "\"\x1f\"", "\"tab\t\"", "\"\x7f\"", "\"\xff\"",
	"\"eight bytes, then \\\"a quote\\\" and \x01\"", `"漢字 é 漢字 é"`, `"123456789`, `"12345678"`,
	`0`, `-0`, `-`, `01`, `10`, `1.5`, `1.`, `.5`, `1e9`, `1E+9`, `1e-9`, `1e`, `1e+`, `--1`, `+1`, `1.5.5`, `1ee5`,
	`[]`, `[ ]`, `[1]`, `[1,2]`, `[1 , 2]`, `[1,]`, `[,1]`, `[1 2]`, `[`, `[1`, `[1,`, `]`, `[]]`,
	`{}`, `{ }`, `{"a":1}`, `{"a" : 1 , "b":{}}`, `{"a":1,}`, `{,}`, `{"a"}`, `{"a":}`, `{a:1}`, `{1:1}`, `{`, `{"a":1`,
	`{"a":1]`, `[1}`, `{}}`, `{}{}`, `{}}},{"publish":{`, ` {} `, "\n[\t1\r]\n", `{}x`, "\u00a0{}", `{"a":"\ud800"}`,
	strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth),
	strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
	strings.Repeat(`{"a":`, maxDepth+1) + "1" + strings.Repeat("}", maxDepth+1),
}

func TestValid(t *testing.T) {
	t.Parallel()
	for _, text := range validSeeds {
		if got, want := Valid([]byte(text)), json.Valid([]byte(text)) && utf8.ValidString(text); got != want {
			t.Errorf("%.60q: got %t, want %t", text, got, want)
		}
	}
}

// FuzzValid holds it to encoding/json.
func FuzzValid(f *testing.F) {
	for _, text := range validSeeds {
		if len(text) < 100 {
			f.Add([]byte(text))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if got, want := Valid(data), json.Valid(data) && utf8.Valid(data); got != want {
			t.Errorf("%q: got %t, want %t", data, got, want)
		}
	})
}

func BenchmarkValid(b *testing.B) {
	event := []byte(`{"version":"1","event_id":"0197a4f0-0000-7000-8000-000000000001",` +
		`"created_at":"2026-11-29T12:00:00Z",` +
		`"actor":{"principal_id":"0197a4f0-0000-7000-8000-000000000002","kind":"user","display_name":"Farid"},` +
		`"resource":{"resource_id":"0197a4f0-0000-7000-8000-000000000003","resource_type":"document",` +
		`"name":"Quarterly report"},"action":"document.updated","visibility":"normal","payload":{"changes":[` +
		`{"path": "/title", "old": "Report of the third quarter", "new": "Report of the \"fourth\" quarter"},` +
		`{"path": "/size", "old": 12, "new": 13.5e3}]},"ui_hints":{"category":"content","severity":"info",` +
		`"title":"Document changed","summary":"Farid changed Quarterly report","icon":"pencil"}}`)
	for name, valid := range map[string]func([]byte) bool{"jsontext": Valid, "encoding/json": json.Valid} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(event)))
			for b.Loop() {
				if !valid(event) {
					b.Fatal("got false, want true")
				}
			}
		})
	}
}
