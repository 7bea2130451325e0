package outbox_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/memlog"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/outbox"
)

// drawOdd draws an unusual envelope, with values to shorten and to complete. One in three violates
// a rule.
func drawOdd(rt *rapid.T) activity.Envelope {
	breaks := rapid.IntRange(0, 2).Draw(rt, "breaks rules") == 0
	one := func(label string, good, bad []string) string {
		if breaks {
			good = append(append(good, good...), bad...)
		}
		return rapid.SampledFrom(good).Draw(rt, label)
	}
	few := []uuid.UUID{{0: 1}, {0: 2}, {0: 3}, {}}
	id := func(label string, required bool) uuid.UUID {
		if required && !breaks {
			return rapid.SampledFrom(few[:3]).Draw(rt, label)
		}
		return rapid.SampledFrom(few).Draw(rt, label)
	}
	text := func(label string, cut int) string {
		return one(
			label,
			[]string{
				"",
				"x",
				strings.Repeat("é", cut),
				strings.Repeat("😀", cut+1),
				"a\u2028b",
				"Authorization: Bearer abcdefghijklmnop",
			},
			[]string{"\x00", "\xff"},
		)
	}
	e := activity.Envelope{
		TenantID: id(
			"tenant",
			true,
		), ActorPrincipalID: id("actor", true), ResourceID: id("resource", true), CorrelationID: id("correlation",
			false),
		TargetPrincipalID:  id("target", false),
		TargetPrincipalIDs: rapid.SliceOfN(rapid.Just(uuid.UUID{7}), 0, 33).Draw(rt, "targets"),
		OwnerID:            id("owner", false), ParentID: id("parent", false),
		ResourceType: one(
			"type",
			[]string{"doc", "d", strings.Repeat("é", 100)},
			[]string{strings.Repeat("é", 101), ""},
		),
		Action: one("action", []string{"doc.made", "doc.made.again", "a.b"}, []string{"Doc.made", "doc", ""}),
		ResourceName: text(
			"name",
			500,
		), Message: text("message", 4000), RequestID: text("request", 200), UserAgent: text("agent", 500),
		Category:   one("category", []string{"", "c", strings.Repeat("é", 100)}, []string{strings.Repeat("é", 101)}),
		Visibility: activity.Visibility(one("visibility", []string{"", "private", "tenant"}, []string{"all"})),
		Status:     activity.Status(one("status", []string{"", "failure"}, []string{"?"})),
		Severity:   activity.Severity(one("severity", []string{"", "critical"}, []string{"fatal"})),
		IP: one(
			"ip",
			[]string{"", "192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"},
			[]string{"192.0.2", "fe80::1%eth0"},
		),
		OccurredAt: rapid.SampledFrom([]time.Time{{}, time.Date(2026, 1, 2, 3, 4, 5, 678_999, time.UTC)}).
			Draw(rt, "at"),
	}
	if channel := one("channel", []string{"", "user", "chat:" + e.TenantID.String() + ".x"}, []string{
		"user:x",
		"chat:x",
	}); channel != "" {
		e.DeliveryChannels = []string{channel}
	}
	payload := one("payload", []string{
		"", "{}", "null", `{"a":1}`, `{"b":1.0,"aa":2e2,"a":[null,true]}`, `{"x":1,"x":2}`,
		`{"n":{"api_key":"k"},"password":"p"}`,
		`{"long": "` + strings.Repeat("x", rapid.IntRange(40, 48).Draw(rt, "length")) + `"}`,
	}, []string{`{"long":"` + strings.Repeat("x", 49) + `"}`, `[1]`, `"s"`, `{"a":"\u0000"}`})
	if payload != "" {
		e.Payload = json.RawMessage(payload)
	}
	return e
}

// TestMemoryLogIsLikePostgres appends the same envelopes to both logs, one after the other: they
// reject the same, store the same and find the same duplicates.
func TestMemoryLogIsLikePostgres(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	const most = 60
	if _, err := db.Pool.Exec(t.Context(), `UPDATE fanfare.settings SET max_payload_bytes = $1`, most); err != nil {
		t.Fatal(err)
	}
	postgres, memory := outbox.NewLog(
		db.Pool,
		outbox.Recorder{},
	), memlog.New(
		memlog.Options{MaxPayload: most},
	)
	alike := cmp.Options{
		cmpopts.IgnoreFields(activity.Activity{}, "ID", "RecordedAt", "IPKeyID", "IPHash"),
		cmpopts.EquateEmpty(),
	}
	created, duplicates, refused := 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		e := drawOdd(rt)
		stored, err := postgres.Append(t.Context(), e)
		kept, memoryErr := memory.Append(t.Context(), e)
		if diff := cmp.Diff(refusedFields(err), refusedFields(memoryErr)); diff != "" ||
			(err == nil) != (memoryErr == nil) {
			rt.Fatalf("%+v\nPostgreSQL: %v\nmemory: %v\n%s", e, err, memoryErr, diff)
		}
		if err != nil {
			refused++
			return
		}
		if stored[0].Created {
			created++
		} else {
			duplicates++
		}
		for _, r := range []*activity.Recorded{&stored[0], &kept[0]} {
			if r.Created { // a hash is read from the log
				r.IPHash, r.IPKeyID = nil, 0
			}
			if (len(r.IPHash) == 32) != (r.IPKeyID != 0) {
				rt.Errorf("got hash %x of key %d", r.IPHash, r.IPKeyID)
			}
			r.IPHash = r.IPHash[:min(len(r.IPHash), 1)]
			if r.CorrelationID == r.ID {
				r.CorrelationID = uuid.Nil
			}
			if r.OccurredAt.Equal(r.RecordedAt) {
				r.OccurredAt = time.Time{}
			}
		}
		if diff := cmp.Diff(stored, kept, alike); diff != "" || len(stored[0].IPHash) != len(kept[0].IPHash) {
			rt.Errorf("%+v (-PostgreSQL +memory):\n%s", e, diff)
		}
	})
	if created == 0 || duplicates == 0 || refused == 0 {
		t.Errorf("got %d created, %d duplicates, %d rejected, want some of each", created, duplicates, refused)
	}
}
