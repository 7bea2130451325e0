package api_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/fanfarehq/fanfare/internal/api"
)

func TestStrictJSON(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{ // the field of the violation; "" for a valid body
		`{}`:                                "",
		`{"a":1,"b":[{"c":null},"d",true]}`: "",
		`{"a":{"a":1},"b":{"a":1}}`:         "",
		`"text"`:                            "",
		`{"a":"\u00e9 \ud83d\ude00"}`:       "",
		``:                                  "body",
		`{`:                                 "body",
		`{} {}`:                             "body",
		`{"a":1,}`:                          "body",
		"\xef\xbb\xbf{}":                    "body",
		"{\"a\":\"\xff\"}":                  "body",
		`{"a":1,"a":2}`:                     "a",
		`{"a":[{"b":1,"c":2,"b":3}]}`:       "a[0].b",
		`{"a":1,"A":2}`:                     "A",
		`{"ſ":1}`:                           "ſ",
		`{"a b":1}`:                         "a b",
		`{"":1}`:                            "",
		`{"a":["b","\u0000"]}`:              "a[1]",
		`{"a\u0000":1}`:                     "a\uFFFD",
		`{"a":1e400}`:                       "a",
		`{"a":-1e-400}`:                     "",
		strings.Repeat("[", 16) + strings.Repeat("]", 16):       "",
		strings.Repeat("[", 17) + strings.Repeat("]", 17):       strings.Repeat("[0]", 16),
		strings.Repeat("[", 20000) + strings.Repeat("]", 20000): "body",
	} {
		err := api.CheckJSON([]byte(body))
		var problem *api.Problem
		switch {
		case body == `{"":1}`:
			if !errors.As(err, &problem) {
				t.Errorf("%.60q: got no error, want a violation", body)
			}
		case want == "" && err != nil:
			t.Errorf("%.60q: got %v, want none", body, err)
		case want != "" && (!errors.As(err, &problem) || len(problem.Errors) != 1 || problem.Errors[0].Field != want):
			t.Errorf("%.60q: got %+v, want a violation of %q", body, err, want)
		}
	}
}

// FuzzStrictJSON checks that a valid body stays valid when encoding/json decodes and encodes it.
func FuzzStrictJSON(f *testing.F) {
	for _, seed := range []string{
		`{"a":1,"b":[{"c":null},"d",true]}`, `{"a":1,"a":2}`, `[[[]]]`, `"\u0000"`, `1e400`, `{"ſ":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if api.CheckJSON(body) != nil {
			return
		}
		var value any
		if err := json.Unmarshal(body, &value); err != nil {
			t.Fatalf("%q is valid, and encoding/json fails: %v", body, err)
		}
		again, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if err := api.CheckJSON(again); err != nil {
			t.Errorf("%q is valid, and %q is not: %v", body, again, err)
		}
	})
}
