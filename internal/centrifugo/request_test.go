package centrifugo

import (
	"encoding/json"
	"testing"
)

// Valid JSON is self-contained, and self-contained data cannot change the request around it.
func FuzzSelfContained(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, `1`, `"a"`, `{"a":"}]\""}`, `{}}},{"publish":{`, `{"a":[}]`, `{"a`, `{]`,
		`[[],{}]x`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got := selfContained(data)
		// json.Valid allows white space around the value, which no payload has.
		if json.Valid(data) && data[0] != ' ' && data[len(data)-1] > ' ' && !got {
			t.Errorf("%q: refused, want accepted", data)
		}
		if !got {
			return
		}
		// The request is either invalid JSON or has one command with one payload, whatever the
		// data.
		body, err := encode([]command{{channels: []string{"user:x"}, data: data, key: "k"}})
		if err != nil {
			t.Fatal(err)
		}
		var request struct {
			Commands []map[string]map[string]json.RawMessage `json:"commands"`
		}
		if json.Unmarshal(body, &request) != nil {
			return
		}
		if len(request.Commands) != 1 || len(request.Commands[0]) != 1 || len(request.Commands[0]["broadcast"]) != 3 {
			t.Errorf("%q became %s", data, body)
		}
	})
}
