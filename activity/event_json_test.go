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
	f.Fuzz(func(t *testing.T, actor, action, name, summary string, at int64, optional bool) {
		e := Event{
			Version:    EventVersion,
			EventID:    uuid.UUID{1, 2, 0xff},
			TenantID:   uuid.Max,
			CreatedAt:  time.Unix(0, at).UTC(),
			Actor:      Actor{Kind: "user", DisplayName: actor},
			Resource:   Resource{ResourceType: name, Name: name},
			Action:     action,
			Visibility: ResourceWide,
			Payload:    json.RawMessage(`{"n":1}`),
			UIHints:    UIHints{Category: actor, Severity: Info, Title: action, Summary: summary, Icon: name},
		}
		if optional {
			e.TargetPrincipalID, e.Resource.ParentID = &uuid.Max, &uuid.UUID{7}
		}
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
	e := Event{
		EventID:   uuid.Max,
		CreatedAt: time.Unix(1700000000, 0),
		Actor:     Actor{Kind: "user", DisplayName: "Ada"},
		Resource:  Resource{ResourceType: "signal", Name: "Momentum 12"},
		Action:    "signal.created",
		Payload:   json.RawMessage(`{"a": 1}`),
		UIHints:   UIHints{Title: "Signal created", Summary: "Ada: signal created — Momentum 12", Icon: "signal"},
	}
	buffer := make([]byte, 0, 2048)
	for b.Loop() {
		buffer = e.AppendJSON(buffer[:0])
	}
}
