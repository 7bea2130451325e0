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
	for body, want := range map[string]string{ // the field that is named, "" for a body that is taken
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
		var refused *api.Problem
		switch {
		case body == `{"":1}`:
			if !errors.As(err, &refused) {
				t.Errorf("%.60q: got no refusal", body)
			}
		case want == "" && err != nil:
			t.Errorf("%.60q: got %v, want it taken", body, err)
		case want != "" && (!errors.As(err, &refused) || len(refused.Errors) != 1 || refused.Errors[0].Field != want):
			t.Errorf("%.60q: got %+v, want a refusal of %q", body, err, want)
		}
	}
}

// What is taken means to encoding/json what it says: nothing is dropped, so writing it again gives
// as many fields.
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
			t.Fatalf("%q is taken, but: %v", body, err)
		}
		again, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if err := api.CheckJSON(again); err != nil {
			t.Errorf("%q is taken, but not %q: %v", body, again, err)
		}
	})
}
