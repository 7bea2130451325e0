package payload_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fanfarehq/fanfare/activity/payload"
	"github.com/fanfarehq/fanfare/internal/pgtest"
)

// drawJSON returns a JSON value in more forms than encoding/json writes.
func drawJSON(rt *rapid.T, depth int) string {
	kinds := []string{"null", "true", "number", "string"}
	if depth > 0 {
		kinds = append(kinds, "array", "object", "object")
	}
	members := func(member func() string) string {
		parts := make([]string, rapid.IntRange(0, 5).Draw(rt, "members"))
		for i := range parts {
			parts[i] = member()
		}
		return strings.Join(parts, " ,")
	}
	switch kind := rapid.SampledFrom(kinds).Draw(rt, "kind"); kind {
	case "number":
		return rapid.StringMatching(`-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,8})?([eE][-+]?[0-9]{1,2})?`).Draw(rt, "number")
	case "string":
		return drawString(rt)
	case "array":
		return "[" + members(func() string { return drawJSON(rt, depth-1) }) + "]"
	case "object":
		return "{" + members(func() string { return drawString(rt) + ": " + drawJSON(rt, depth-1) }) + "}"
	default:
		return kind
	}
}

func drawString(rt *rapid.T) string {
	return `"` + strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{
		"a", "b", "B", "é", `\u00e9`, `\ud83d\ude00`, "😀", `\n`, `\u000a`, `\/`, "/", `\"`, `\\`, `\u0001`,
		`\b`, `\f`, `\r`, `\t`, "\u007f", `\u003c`, "<", "\u2028",
	}), 0, 3).Draw(rt, "string"), "") + `"`
}

// TestJSONBIsPostgreSQLs compares the text of JSONB to that of the database.
func TestJSONBIsPostgreSQLs(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t).Pool
	rapid.Check(t, func(rt *rapid.T) {
		text := drawJSON(rt, 4)
		var want string
		if err := pool.QueryRow(t.Context(), `SELECT $1::jsonb::text`, text).Scan(&want); err != nil {
			rt.Fatalf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, string(payload.JSONB(json.RawMessage(text)))); diff != "" {
			rt.Errorf("%s (-database +JSONB):\n%s", text, diff)
		}
	})
}
