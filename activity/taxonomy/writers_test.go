package taxonomy

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
)

// TestCheckAgreesWithDatabase checks and records arbitrary payloads: Check and the database must
// report the same violation, or result in the same payload.
func TestCheckAgreesWithDatabase(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	wanted, err := Parse(strings.NewReader(`
version: 1
actions:
  all.kept: {description: D, category: C, max_payload_bytes: 60, payload: {type: object, required: [a]}}
  some.kept:
    description: D
    category: C
    max_payload_bytes: 30
    keep: [a, b, password]
    payload: {type: object, required: [b, a]}
`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Apply(t.Context(), db.Pool, wanted, ApplyOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := SetMode(t.Context(), db.Pool, uuid.Nil, Strict); err != nil {
		t.Fatal(err)
	}
	check := wanted.Check(Strict)
	keys := rapid.SampledFrom([]string{`"a"`, `"a"`, `"b"`, `"b"`, `"c"`, `"password"`, `"é\n"`, `"\u0061"`, `"A"`})
	refused, accepted := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		e := activity.Envelope{
			TenantID: uuid.New(), ActorPrincipalID: uuid.New(), ResourceID: uuid.New(), ResourceType: "r",
			Action: rapid.SampledFrom([]string{"all.kept", "some.kept", "not.registered"}).Draw(rt, "action"),
		}
		var pairs []string
		for range rapid.IntRange(0, 5).Draw(rt, "pairs") {
			pairs = append(pairs, keys.Draw(rt, "key")+":"+jsonValues(2).Draw(rt, "value"))
		}
		e.Payload = json.RawMessage("{" + strings.Join(pairs, ",") + "}")
		var want invalid.Field
		var stored json.RawMessage
		err := pgx.BeginFunc(t.Context(), db.Pool, func(tx pgx.Tx) error {
			recorded, err := outbox.Record(t.Context(), tx, e)
			if invalidErr, ok := errors.AsType[*invalid.Error](err); ok {
				want = invalidErr.Fields[0]
				return nil
			}
			stored = recorded.Payload
			return err
		})
		if err != nil {
			rt.Fatal(err)
		}

		err = check(t.Context(), &e)
		var got invalid.Field
		if invalidErr, ok := errors.AsType[*invalid.Error](err); ok {
			got = invalidErr.Fields[0]
		} else if err != nil {
			rt.Fatal(err)
		}
		if got != want {
			rt.Fatalf("got the violation %v, want that of the database: %v", got, want)
		}
		if want.Name != "" {
			refused++
			return
		}
		accepted++
		raw, err := json.Marshal(e.Payload)
		if err != nil {
			rt.Fatal(err)
		}
		checked, err := decode(raw)
		if err != nil {
			rt.Fatal(err)
		}
		kept, err := decode(stored)
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(plainNumbers(kept), plainNumbers(checked)); diff != "" {
			rt.Fatalf("payload (-stored +checked):\n%s", diff)
		}
	})
	if refused == 0 || accepted == 0 {
		t.Errorf("got %d refused and %d accepted payloads, want some of both", refused, accepted)
	}
}
