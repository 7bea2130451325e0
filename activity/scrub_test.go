package activity

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// secretTexts are texts and whether they look like secrets. The secrets are made up, and put
// together here so that none stands in a file.
func secretTexts() map[string]bool {
	long := strings.Repeat("Ab1", 20)
	return map[string]bool{
		"-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE": true,
		"-----BEGIN " + "PRIVATE KEY-----":           true,
		"-----BEGIN PUBLIC KEY-----":                 false,
		"Bearer " + long:                             true,
		"bEaReR " + long:                             true,
		"the bearer of this letter":                  false,
		"eyJ" + long + "." + long + "." + long:       true,
		"AKIA" + "ABCDEFGHIJKLMNOP":                  true,
		"NAKIA" + "ABCDEFGHIJKLMNOP":                 false,
		"from Asia, with love":                       false,
		"ghp_" + long:                                true,
		"github_pat_" + long:                         true,
		"glpat-" + long:                              true,
		"xoxb-" + "1234567890-abc":                   true,
		"sk_live_" + long:                            true,
		"rk_test_" + long:                            true,
		"task_test_" + long:                          false,
		"sk-" + long:                                 true,
		"task-" + long:                               false,
		"AIza" + long:                                true,
		"npm_" + long:                                true,
		"hf_" + long:                                 true,
		"SG." + long + "." + long:                    true,
		"whsec_" + long:                              true,
		"shpat_" + strings.Repeat("0a", 16):          true,
		"dop_v1_" + strings.Repeat("0a", 32):         true,
		"postgres://app:hunter2@db/app":              true,
		"redis://:hunter2@cache":                     true,
		"HTTPS://APP:HUNTER2@DB":                     true,
		"smtp://ada@example.com:hunter2@mail":        true,
		"https://ada@example.com:8080/x":             false,
		"X-Vault-Token: hunter2":                     true,
		"AccountName=a;AccountKey=hunter2":           true,
		`{"password":123456}`:                        true,
		`{"token_count":123456}`:                     false,
		`{"signing_key":"hunter2"}`:                  true,
		`{"passphrase":"hunter2"}`:                   true,
		`\\\"password\\\":\\\"hunter2\\\"`:           true,
		"https://example.com:8080/a@b":               false,
		"https://example.com/?a=b":                   false,
		"?access_token=abcdef":                       true,
		"password=hunter2":                           true,
		"PASSWORD = hunter2":                         false,
		`{"password":"hunter2"}`:                     true,
		`{"password": "hunter2"}`:                    true,
		`{'pwd':'hunter2'}`:                          true,
		`{\"password\":\"hunter2\"}`:                 true,
		"Authorization: Basic aHVudGVyMg==":          true,
		"Cookie: session=1":                          true,
		"x-api-key: abcdefgh":                        true,
		"the token expired: ask for another":         false,
		"next page token":                            false,
		"keyboard":                                   false,
		"":                                           false,
		"to\u212Aen=abcdef":                          false, // the Kelvin sign is no k
	}
}

// TestLooksSecret holds every text against the function and against the database's.
func TestLooksSecret(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	for text, want := range secretTexts() {
		if got := looksSecret(text); got != want {
			t.Errorf("looksSecret(%q): got %v, want %v", text, got, want)
		}
		var looks, may bool
		if err := pool.QueryRow(t.Context(), `SELECT fanfare.looks_secret($1), fanfare.may_hold_secret($1)`, text).Scan(&looks, &may); err != nil {
			t.Fatal(err)
		}
		if looks != want || looks && !may {
			t.Errorf("fanfare.looks_secret(%q): got %v (may_hold_secret %v), want %v", text, looks, may, want)
		}
	}
}

func TestNamesSecret(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	for key, want := range map[string]bool{
		"password": true, "PassWord": true, "new_password": true, "passwd": true, "passphrase": true, "passcode": true, "passenger": false,
		"secret": true, "client_secret": true, "secretary": true, "token": true, "access_token": true, "refreshToken": true, "tokens": false, "token_count": false,
		"api_key": true, "apiKey": true, "api-key": true, "API.KEY": true, "x-api-key": true, "key": false, "key_id": false, "monkey": false,
		"private_key": true, "access key": true, "signing_key": true, "encryption_key": true, "authorization": true, "authorisation": true, "author": false,
		"authorized_by": false, "credentials": true, "cookie": true, "set-cookie": true, "pwd": true, "db_pwd": true, "jwt": true, "id.jwt": true, "bearer": true,
		"token\n": true, "[token]": true, "api--key": true, "api/key": true, "access_tokens": true, "auth_token_value": true, "session_tokens": false,
		"forbearer": false, "upwd": false, "to\u212Aen": false, "": false,
	} {
		if got := namesSecret(key); got != want {
			t.Errorf("namesSecret(%q): got %v, want %v", key, got, want)
		}
		var got bool
		if err := pool.QueryRow(t.Context(), `SELECT fanfare.names_secret($1)`, key).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("fanfare.names_secret(%q): got %v, want %v", key, got, want)
		}
	}
}

func TestScrub(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"a":1}`:                `{"a":1}`,
		`{"password":"x","a":1}`: `{"password":"[redacted]","a":1}`,
		`{"p\u0061ssword":"x"}`:  `{"password":"[redacted]"}`,
		`{"a":[{"b":{"token":{"deep":[1,2]}}}, 1]}`: `{"a":[{"b":{"token":"[redacted]"}},1]}`,
		`{"token":null,"secret":[],"cookie":1e400}`: `{"token":"[redacted]","secret":"[redacted]","cookie":"[redacted]"}`,
		`{"n":1e400,"password":1}`:                  `{"n":1e400,"password":"[redacted]"}`,
		`{"n":12345678901234567890.10}`:             `{"n":12345678901234567890.10}`,
		`{"url":"https://u:p@h/"}`:                  `{"url":"[redacted]"}`,
		`{"url":"https:\/\/u:p@h\/"}`:               `{"url":"[redacted]"}`,
		`{"https://u:p@h/":{"a":1}}`:                `{"[redacted]":"[redacted]"}`,
		`{"https://u:p@h/":1,"[redacted]":2,"a":3}`: `{"[redacted]":2,"a":3,"[redacted]":"[redacted]"}`,
		`{"https://u:p@h/":1,"x://:p@":2}`:          `{"[redacted]":"[redacted]"}`,
		`{"monkey":"see"}`:                          `{"monkey":"see"}`,
		`["password"]`:                              `["password"]`,
		`{"password":`:                              `{"password":`,
		`not JSON`:                                  `not JSON`,
	} {
		if got := string(Scrub(json.RawMessage(in))); got != want {
			t.Errorf("Scrub(%s):\ngot  %s\nwant %s", in, got, want)
		}
	}
	if got, want := string(Scrub(json.RawMessage(`{"SSN":"1","a":"2"}`), "ssn")), `{"SSN":"[redacted]","a":"2"}`; got != want {
		t.Errorf("Scrub with another key: got %s, want %s", got, want)
	}
}

// FuzzScrub holds Scrub against fanfare.scrub: what jsonb makes of both is the same.
func FuzzScrub(f *testing.F) {
	f.Add(`{"password":"x","a":[1,{"token":2}]}`, "token", "Bearer abcdefghijklmnop")
	f.Add(`{}`, "pass\\word", `{"a":"b=c","pwd":"xyz"}`)
	for text := range secretTexts() {
		f.Add(`{"a":1}`, text, text)
	}
	pool := pgtest.New(f).Pool
	f.Fuzz(func(t *testing.T, raw, key, value string) {
		payload, err := json.Marshal(
			map[string]any{key: map[string]any{"k": value, "l": []string{value}}, "plain": value},
		)
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range []string{raw, string(payload)} {
			if !json.Valid([]byte(in)) || storable([]byte(in)) != "" || in[0] != '{' || strings.ContainsRune(in, 0) {
				continue
			}
			scrubbed := string(Scrub(json.RawMessage(in)))
			var byGo, bySQL string
			err := pool.QueryRow(t.Context(), `SELECT $1::text::jsonb::text, fanfare.scrub($2::text::jsonb, '{}')::text`, scrubbed, in).
				Scan(&byGo, &bySQL)
			if err != nil {
				t.Fatalf("%q: %v", in, err)
			}
			if diff := cmp.Diff(bySQL, byGo); diff != "" {
				t.Errorf("%q (-SQL +Go):\n%s", in, diff)
			}
		}
	})
}

func BenchmarkScrub(b *testing.B) {
	payload := json.RawMessage(
		`{"field":"weights.momentum","before":"0.25","after":"0.40","version":17,"note":"rebalanced after the review of the second quarter","ticket":"FIN-20318","reviewers":2}`,
	)
	for b.Loop() {
		if len(Scrub(payload)) != len(payload) {
			b.Fatal("a payload without a secret was changed")
		}
	}
}
