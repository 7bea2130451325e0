package centrifugo

import (
	"encoding/json"
	"testing"

	"github.com/fanfarehq/fanfare/internal/jsontext"
)

// A valid payload does not change the request around it.
func FuzzEncode(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, `1`, `"a"`, `{"a":"}]\""}`, `{}}},{"publish":{`, ` {"a":[ ]}`, "\"\u2028\"",
	} {
		f.Add([]byte(seed), "user:x", "key")
	}
	f.Fuzz(func(t *testing.T, data []byte, channel, key string) {
		if !jsontext.Valid(data) {
			return
		}
		var request struct {
			Commands []map[string]struct {
				Channels []string        `json:"channels"`
				Data     json.RawMessage `json:"data"`
				Key      string          `json:"idempotency_key"`
			} `json:"commands"`
		}
		body := encode([]command{{channels: []string{channel}, data: data, key: key}})
		if err := json.Unmarshal(body, &request); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if len(request.Commands) != 1 || len(request.Commands[0]) != 1 {
			t.Fatalf("%q became %s", data, body)
		}
		got := request.Commands[0]["broadcast"]
		if len(got.Channels) != 1 || got.Channels[0] != string([]rune(channel)) || got.Key != string([]rune(key)) {
			t.Errorf("%q and %q became %s", channel, key, body)
		}
	})
}
