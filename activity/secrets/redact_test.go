package secrets_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fanfarehq/fanfare/activity/payload"
	"github.com/fanfarehq/fanfare/activity/secrets"
	"github.com/fanfarehq/fanfare/activity/secrets/internal/detectors"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

func TestRedactJSON(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"a":1}`:                `{"a":1}`,
		`{"password":"x","a":1}`: `{"password":"[redacted]","a":1}`,
		`{"p\u0061ssword":"x"}`:  `{"password":"[redacted]"}`,
		`{"a":[{"b":{"token":{"deep":[1,2]}}}, 1]}`: `{"a":[{"b":{"token":"[redacted]"}},1]}`,
		`{"token":null,"secret":[],"cookie":1e400}`: `{"token":"[redacted]","secret":"[redacted]",` +
			`"cookie":"[redacted]"}`,
		`{"n":1e400,"password":1}`:                  `{"n":1e400,"password":"[redacted]"}`,
		`{"n":12345678901234567890.10}`:             `{"n":12345678901234567890.10}`,
		`{"url":"https://u:p@h/"}`:                  `{"url":"[redacted]"}`,
		`{"url":"https:\/\/u:p@h\/"}`:               `{"url":"[redacted]"}`,
		`{"https://u:p@h/":{"a":1}}`:                `{"[redacted]":"[redacted]"}`,
		`{"https://u:p@h/":1,"[redacted]":2,"a":3}`: `{"[redacted]":2,"a":3,"[redacted]":"[redacted]"}`,
		`{"https://u:p@h/":1,"x://:p@":2}`:          `{"[redacted]":"[redacted]"}`,
		`{"monkey":"see"}`:                          `{"monkey":"see"}`,
		`["password"]`:                              `["password"]`,
		`{"value":"x","value":1,"name":"a","name":"otp","old":{"a":"secret=xyz"}}`: `{"value":"[redacted]",` +
			`"value":"[redacted]","name":"a","name":"otp","old":"[redacted]"}`,
		`{"name":"otp","name":"a","value":1}`:   `{"name":"otp","name":"a","value":1}`,
		`{"token":"x","name":"pwd","value":2}`:  `{"token":"[redacted]","name":"pwd","value":"[redacted]"}`,
		`[["pwd",["a"]],["a","b"],["pwd","c"]]`: `[["pwd","[redacted]"],["a","b"],["pwd","[redacted]"]]`,
		`{"password":`:                          `{"password":`,
		`not JSON`:                              `not JSON`,
	} {
		if got := string(secrets.RedactJSON(json.RawMessage(in))); got != want {
			t.Errorf("RedactJSON(%s):\ngot  %s\nwant %s", in, got, want)
		}
	}
	got := string(secrets.RedactJSON(json.RawMessage(`{"SSN":"1","a":"2"}`), "ssn"))
	if want := `{"SSN":"[redacted]","a":"2"}`; got != want {
		t.Errorf("RedactJSON with another key: got %s, want %s", got, want)
	}
}

// FuzzRedactJSON compares RedactJSON to fanfare.redact_json: jsonb stores the same of both.
func FuzzRedactJSON(f *testing.F) {
	f.Add(`{"password":"x","a":[1,{"token":2}]}`, "token", "Bearer abcdefghijklmnop")
	f.Add(`{}`, "pass\\word", `{"a":"b=c","pwd":"xyz"}`)
	for text := range texts() {
		f.Add(`{"a":1}`, text, text)
	}
	for key := range keys() {
		f.Add(`{"a":1}`, key, "text")
	}
	for _, shape := range detectors.Shapes() {
		f.Add(shape.Text, "name", "db_password")
	}
	pool := pgtest.New(f).Pool
	f.Fuzz(func(t *testing.T, raw, key, value string) {
		body, err := json.Marshal(
			map[string]any{key: map[string]any{"k": value, "l": []string{value}}, "plain": value},
		)
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range []string{raw, string(body)} {
			if !json.Valid([]byte(in)) || payload.Unstorable([]byte(in)) != "" || in[0] != '{' ||
				strings.ContainsRune(in, 0) {
				continue
			}
			redacted := string(secrets.RedactJSON(json.RawMessage(in)))
			var byGo, bySQL string
			err := pool.QueryRow(
				t.Context(),
				`SELECT $1::text::jsonb::text, fanfare.redact_json($2::text::jsonb, '{}')::text`,
				redacted, in,
			).Scan(&byGo, &bySQL)
			if err != nil {
				t.Fatalf("%q: %v", in, err)
			}
			if diff := cmp.Diff(bySQL, byGo); diff != "" {
				t.Errorf("%q (-SQL +Go):\n%s", in, diff)
			}
		}
	})
}

func BenchmarkRedactJSON(b *testing.B) {
	raw := json.RawMessage(`{"field":"weights.momentum","before":"0.25","after":"0.40","version":17,` +
		`"note":"rebalanced after the review of the second quarter","ticket":"FIN-20318","reviewers":2}`)
	for b.Loop() {
		if len(secrets.RedactJSON(raw)) != len(raw) {
			b.Fatal("a payload without a secret was changed")
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	redacted := secrets.Redact(json.RawMessage(`{"password":"x","b":{"c":1},"SSN":2}`), "ssn")
	notB := func(key string) bool { return key != "b" }
	kept, err := redacted.Filter(notB)
	if err != nil {
		t.Fatal(err)
	}
	for want, got := range map[string]secrets.JSON{
		"null": {},
		`{"password":"[redacted]","b":{"c":1},"SSN":"[redacted]"}`: redacted,
		`{"SSN":"[redacted]","password":"[redacted]"}`:             kept,
	} {
		text, err := json.Marshal(got)
		if err != nil || string(text) != want || got.String() != want || string(got.Raw()) != want {
			t.Errorf("got %s, %s, %v, want %s", text, got, err, want)
		}
	}
	if got, err := redacted.Filter(func(string) bool { return true }); err != nil || got.String() != redacted.String() {
		t.Errorf("Filter that keeps all: got %s, %v, want %s", got, err, redacted)
	}
	if got, err := secrets.Redact(json.RawMessage(`[1]`)).Filter(notB); err == nil {
		t.Errorf("Filter of a list: got %s, want an error", got)
	}
}
