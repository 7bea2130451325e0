package activity_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// payloads are JSON texts at the limits of PostgreSQL's jsonb, and whether Encode accepts them.
var payloads = []struct {
	text string
	ok   bool
}{
	{`{}`, true},
	{`{"a":"\u0000"}`, false},
	{`{"a":"\\u0000"}`, true}, // a backslash and the letters u0000
	{`{"a":"\\\u0000"}`, false},
	{`{"a":"\u0001\u001f\b\f\n\r\t\/\\\""}`, true},
	{`{"\u0000":1}`, false},
	{`{"a":[{"b":"\u0000"}]}`, false},
	{`{"a":"\ud83d\ude00"}`, true},
	{`{"a":"\uD83D\uDE00"}`, true},
	{`{"a":"\ud83d"}`, false},
	{`{"a":"\ud83dx"}`, false},
	{`{"a":"\ud83d\n"}`, false},
	{`{"a":"\ud83d\\ude00"}`, false},
	{`{"a":"\ud83d\u0041"}`, false},
	{`{"a":"\ud83d\ud83d\ude00"}`, false},
	{`{"a":"\ude00"}`, false},
	{`{"a":"\ude00\ud83d"}`, false},
	{`{"\ud83d":1}`, false},
	{`{"a":"\udbff\udfff\ud800\udc00"}`, true},
	{`{"a":"\uffff\ufffe\ufffd"}`, true},
	{"{\"a\":\"\xff\"}", false},
	{"{\"a\":\"\xed\xa0\x80\"}", false},          // a surrogate in UTF-8's form
	{"{\"a\":\"\xc0\x80\"}", false},              // NUL in two bytes
	{"{\"a\":\"\xf4\x90\x80\x80\"}", false},      // beyond U+10FFFF
	{"{\"a\":\"\u2028\u2029\U0010FFFF\"}", true}, // the last code point
	{`{"n":0}`, true},
	{`{"n":-0}`, true},
	{`{"n":-0.0e-0}`, true},
	{`{"n":1e400}`, true},
	{`{"n":1E+400}`, true},
	{`{"n":1e-400}`, true},
	{`{"n":1e00000000000000000000000000000000005}`, true},
	{`{"n":1e16382}`, true},
	{`{"n":1e400000}`, false},
	{`{"n":-1e400000}`, false},
	{`{"n":1e-400000}`, false},
	{`{"n":0e400000}`, true},
	{`{"n":0.0e-400000}`, false},
	{`{"n":1e131071}`, true},
	{`{"n":1e131072}`, false},
	{`{"n":0.01e131073}`, true},
	{`{"n":0.01e131074}`, false},
	{`{"n":-00.1}`, false},
	{`{"n":1e-16383}`, true},
	{`{"n":0.1e-16383}`, false},
	{`{"n":10e-16383}`, true},
	{`{"n":-0.000}`, true},
	{`{"n":[` + strings.Repeat(`1e131071,`, 7) + `1]}`, true},
	{`{"n":[` + strings.Repeat(`1e131071,`, 8) + `1]}`, false}, // too long when written out
	{`{"n":1e2147483648}`, false},
	{`{"n":1e99999999999999999999999}`, false},
	{`{"n":1e-99999999999999999999999}`, false},
	{`{"n":[1e400000]}`, false},
	{`{"n":"1e400000"}`, true},
	{`{"1e400000":true}`, true},
	{`{"n":` + strings.Repeat("9", 16383) + `}`, true},
	{`{"n":` + strings.Repeat("9", 131_072) + `}`, true},
	{`{"n":` + strings.Repeat("9", 131_073) + `}`, false},
	{`{"n":0.` + strings.Repeat("9", 16381) + `}`, true},
	{`{"n":0.` + strings.Repeat("9", 20_000) + `}`, false},
	{`{"n":` + strings.Repeat("9", 8000) + `.` + strings.Repeat("9", 8000) + `e300}`, true},
	{`{"a":` + strings.Repeat(`[`, 63) + strings.Repeat(`]`, 63) + `}`, true},
	{`{"a":` + strings.Repeat(`[`, 64) + strings.Repeat(`]`, 64) + `}`, false},
	{strings.Repeat(`{"a":`, 500_000/6) + `1` + strings.Repeat(`}`, 500_000/6), false},
	{`{"a":"` + strings.Repeat(`[{`, 1000) + `"}`, true},
	{`{"a":1,"a":2}`, true},
	{`{"":{"":""}}`, true},
	{`{"` + strings.Repeat("k", 60_000) + `":1}`, true},
	{`{"a":[` + strings.Repeat(`0,`, 20_000) + `0]}`, true},
}

// TestStorable checks that PostgreSQL stores what Encode accepts, and what Encode must not refuse.
func TestStorable(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, tc := range payloads {
		short := tc.text[:min(len(tc.text), 60)]
		e := anEnvelope()
		e.Payload = json.RawMessage(tc.text)
		body, err := e.Encode()
		if ok := err == nil; ok != tc.ok {
			t.Errorf("%q: Encode: got %v, want accepted %t", short, err, tc.ok)
		}
		if err == nil {
			checkStorable(t, db, short, body)
		}
	}
}

// checkStorable records the envelope in a transaction that is rolled back. The database must
// neither refuse the envelope nor fail.
func checkStorable(t *testing.T, db *pgtest.DB, name string, body []byte) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), db.Pool, func(tx pgx.Tx) error {
		var field, rule *string
		if err := tx.QueryRow(t.Context(), `
			SELECT r.field, r.rule
			FROM fanfare.record_envelope($1) AS r`, string(body)).Scan(&field, &rule); err != nil {
			return err
		}
		if field != nil && !strings.HasSuffix(*rule, "must be at most 65536 bytes") {
			t.Errorf("%q: Encode accepted it, the database refuses %s, which %s", name, *field, *rule)
		}
		return tx.Rollback(t.Context())
	})
	if err != nil && err != pgx.ErrTxClosed { //nolint:errorlint // of our own rollback
		t.Errorf("%q: Encode accepted it, the database fails: %v", name, err)
	}
}

func FuzzWhatEncodePassesCanBeStored(f *testing.F) {
	for _, tc := range payloads {
		if len(tc.text) < 1000 {
			f.Add([]byte(tc.text), "signal", "moved", "203.0.113.7", "chat:"+tenant.String()+".room", int64(0))
		}
	}
	f.Add([]byte(`{"token":"x"}`), "\x00", "\xff", "::ffff:1.2.3.4", "user", int64(253402300799999999))
	db := pgtest.New(f)
	f.Fuzz(func(t *testing.T, payload []byte, kind, message, ip, channel string, at int64) {
		e := anEnvelope()
		e.Payload, e.ResourceType, e.Message, e.ResourceName, e.Category = json.RawMessage(
			payload,
		), kind, message, message, kind
		e.IP, e.DeliveryChannels, e.OccurredAt = ip, []string{channel}, time.UnixMicro(at)
		body, err := e.Encode()
		if err != nil {
			if len(violations(t, err)) == 0 {
				t.Errorf("Encode: got %v, which names no field", err)
			}
			return
		}
		checkStorable(t, db, string(payload), body)
	})
}
