package activity

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func FuzzEventAppendJSON(f *testing.F) {
	f.Add("Ada", "signal.created", "Momentum 12", "moved <b> & \"c\"", int64(1700000000123456000), true)
	f.Add("", "a.b", "\u2028 é 漢 \x00 \xff", "", int64(0), false)
	f.Fuzz(func(t *testing.T, actor, action, name, message string, at int64, whole bool) {
		a := Activity{
			ID: uuid.UUID{
				1,
				2,
				0xff,
			}, TenantID: uuid.Max, Action: action, ResourceName: name, Message: message, ResourceType: name,
			OccurredAt: time.Unix(
				0,
				at,
			), Visibility: ResourceWide, Severity: Info, Category: actor, Payload: json.RawMessage(`{"n":1}`),
		}
		if whole {
			a.TargetPrincipalID, a.ParentID = uuid.Max, uuid.UUID{7}
		}
		e := NewEvent(&a, "user", actor)
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		var got, want any
		if err := errors.Join(json.Unmarshal(e.AppendJSON(nil), &got), json.Unmarshal(text, &want)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("AppendJSON: -want +got\n%s", diff)
		}
	})
}

func BenchmarkEventAppendJSON(b *testing.B) {
	a := Activity{
		ID:           uuid.Max,
		Action:       "signal.created",
		ResourceName: "Momentum 12",
		ResourceType: "signal",
		Payload:      json.RawMessage(`{"a": 1}`),
		OccurredAt:   time.Unix(1700000000, 0),
	}
	buffer := make([]byte, 0, 2048)
	for b.Loop() {
		e := NewEvent(&a, "user", "Ada")
		buffer = e.AppendJSON(buffer[:0])
	}
}
