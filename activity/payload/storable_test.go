package payload_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fanfarehq/fanfare/activity/payload"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// TestUnstorable covers each rule. The rules are compared to PostgreSQL by FuzzUnstorable.
func TestUnstorable(t *testing.T) {
	t.Parallel()
	const (
		utf8      = "must be valid UTF-8"
		nul       = "must not contain a NUL character"
		surrogate = "must not contain a lone surrogate"
		number    = "must not contain a number beyond PostgreSQL's numeric"
		depth     = "must nest at most 64 levels deep"
		parts     = "must have at most 3072 names, texts, objects and lists"
	)
	for text, want := range map[string]string{
		`{}`:                             "",
		`{"a":"\\u0000"}`:                "",
		`{"a":"\u0000"}`:                 nul,
		`{"\u0000":1}`:                   nul,
		"{\"a\":\"\xff\"}":               utf8,
		"{\"a\":\"\xed\xa0\x80\"}":       utf8, // a surrogate encoded as UTF-8
		`{"a":"\ud83d\ude00"}`:           "",
		`{"a":"\ud83d"}`:                 surrogate,
		`{"a":"\ude00\ud83d"}`:           surrogate,
		`{"a":"\ud83d\u0041"}`:           surrogate,
		`{"n":1e131071}`:                 "",
		`{"n":1e131072}`:                 number,
		`{"n":1e-16383}`:                 "",
		`{"n":0.1e-16383}`:               number,
		`{"n":1e99999999999999999999}`:   number,
		`{"n":"1e99999999999999999999"}`: "",
		`{"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`: "",
		`{"a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`: depth,
		`{"a":"` + strings.Repeat("[", 100) + `"}`:                        "",
		`{"a":["b"` + strings.Repeat(`,"b"`, 3068) + `]}`:                 "",
		`{"a":["b"` + strings.Repeat(`,"b"`, 3069) + `]}`:                 parts,
		`{"a":[1` + strings.Repeat(`,1`, 20000) + `]}`:                    "",
	} {
		if got := payload.Unstorable([]byte(text)); got != want {
			t.Errorf("Unstorable(%.40q): got %q, want %q", text, got, want)
		}
	}
}

func TestStoredSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		`{}`:             2,
		`{"n":1e3}`:      len(`{"n":1000}`),
		`{"n":-1.5e-3}`:  len(`{"n":0.0015}`) + 1,
		`{"n":[1E2,2]}`:  len(`{"n":[100,2]}`),
		`{"1e3":"1e3"}`:  len(`{"1e3":"1e3"}`),
		`{"n":12345678}`: len(`{"n":12345678}`),
	} {
		if got := payload.StoredSize([]byte(text)); got != want {
			t.Errorf("StoredSize(%s): got %d, want %d", text, got, want)
		}
	}
}

func TestKind(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	for _, text := range []string{`{}`, `[]`, `""`, `true`, `false`, `null`, `0`, `-1`} {
		var want string
		if err := pool.QueryRow(t.Context(), `SELECT jsonb_typeof($1::text::jsonb)`, text).Scan(&want); err != nil {
			t.Fatal(err)
		}
		if got := payload.Kind(json.RawMessage(text)); got != want {
			t.Errorf("Kind(%s): got %s, want %s", text, got, want)
		}
	}
}

// FuzzUnstorable compares Unstorable to the database: exactly the storable texts can be cast to
// jsonb, unless they nest too deep.
func FuzzUnstorable(f *testing.F) {
	for _, text := range []string{
		`{}`, `{"a":"\u0000"}`, `{"a":"\\\u0000"}`, `{"a":"\ud83d\ude00"}`, `{"a":"\ud83d\\ude00"}`,
		`{"a":"\ud83d\ud83d\ude00"}`, `{"a":"\uffff"}`, `{"n":-0.0e-0}`, `{"n":1E+400}`, `{"n":0e400000}`,
		`{"n":0.0e-400000}`, `{"n":0.01e131073}`, `{"n":0.01e131074}`, `{"n":10e-16383}`, `{"n":1e2147483648}`,
		`{"n":1e00000000000000000000000000000000000005}`, "{\"a\":\"\u2028\U0010FFFF\"}", `{"a":1,"a":2}`,
	} {
		f.Add(text)
	}
	pool := pgtest.New(f).Pool
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) || len(text) > payload.MaxBytes {
			return
		}
		rule := payload.Unstorable([]byte(text))
		if strings.HasPrefix(rule, "must nest") {
			return
		}
		if got, want := rule == "", isJSONB(t, pool, text); got != want {
			t.Errorf("%q: got storable %v (%q), want %v", text, got, rule, want)
		}
	})
}

// isJSONB reports whether the database can cast a text to jsonb.
func isJSONB(t *testing.T, pool *pgxpool.Pool, text string) bool {
	t.Helper()
	_, err := pool.Exec(t.Context(), `SELECT $1::text::jsonb`, text)
	if refused := (*pgconn.PgError)(nil); err != nil && !errors.As(err, &refused) {
		t.Fatal(err)
	}
	return err == nil
}
