package logtest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/fanfarehq/fanfare/activity"
)

func refusesFilters(t *testing.T, s Subject) {
	log := s.Open(t, activity.Hooks{})
	f := activity.Filter{Status: "?"}
	if list, next, err := log.List(t.Context(), uuid.New(), f, activity.Page{}); !slices.Equal(
		refusedFields(err),
		[]string{"status"},
	) ||
		list != nil ||
		next != uuid.Nil {
		t.Errorf("List: got %v, %v, %v, want the status refused", list, next, err)
	}
	if n, exact, err := log.Count(t.Context(), uuid.New(), f, 1); !slices.Equal(
		refusedFields(err),
		[]string{"status"},
	) ||
		n != 0 ||
		exact {
		t.Errorf("Count: got %v, %v, %v, want the status refused", n, exact, err)
	}
}

func contextEnded(t *testing.T, s Subject) {
	log := s.Open(t, activity.Hooks{})
	tenant := uuid.New()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, do := range map[string]func() error{
		"Append":         func() error { _, err := log.Append(ctx, envelope(tenant)); return err },
		"Append of many": func() error { _, err := log.Append(ctx, envelope(tenant), envelope(tenant)); return err },
		"Append of none": func() error { _, err := log.Append(ctx); return err },
		"Get":            func() error { _, err := log.Get(ctx, tenant, uuid.New()); return err },
		"List": func() error {
			_, _, err := log.List(ctx, tenant, activity.Filter{}, activity.Page{})
			return err
		},
		"Count": func() error { _, _, err := log.Count(ctx, tenant, activity.Filter{}, 1); return err },
	} {
		if err := do(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want context.Canceled", name, err)
		}
	}
	if found := all(t, log, tenant, activity.Filter{}, 10); len(found) != 0 {
		t.Errorf("got %d recorded", len(found))
	}
}

func unknownAndForeign(t *testing.T, s Subject) {
	log := s.Open(t, activity.Hooks{})
	tenant := uuid.New()
	r := mustAppend(t, log, envelope(tenant))[0]
	for name, key := range map[string][2]uuid.UUID{
		"another tenant's": {uuid.New(), r.ID},
		"unknown":          {tenant, uuid.New()},
		"no tenant's":      {uuid.Nil, r.ID},
		"nil":              {tenant, uuid.Nil},
	} {
		if a, err := log.Get(t.Context(), key[0], key[1]); !errors.Is(err, activity.ErrNotFound) || a.ID != uuid.Nil {
			t.Errorf("Get of one that is %s: got %+v, %v, want ErrNotFound", name, a, err)
		}
	}
	for _, f := range []activity.Filter{
		{},
		activity.OfEntity("signal", r.ResourceID),
		activity.ByActor(r.ActorPrincipalID),
		activity.OfAction("*"),
		activity.OfWorkflow(r.CorrelationID),
	} {
		if found := all(t, log, uuid.New(), f, 10); len(found) != 0 {
			t.Errorf("%+v of another tenant: got %v, want nothing", f, found)
		}
	}
}

func keepsNothing(t *testing.T, s Subject) {
	log := s.Open(t, activity.Hooks{})
	e := envelope(uuid.New())
	e.Message = "hello"
	r := mustAppend(t, log, e)[0]
	if r.Created || r.ID != uuid.Nil || r.Message != "hello" || r.Severity != activity.Info {
		t.Errorf("got %+v, want the activity without an id", r)
	}
	if n, exact, err := log.Count(t.Context(), e.TenantID, activity.Filter{}, 10); n != 0 || !exact || err != nil {
		t.Errorf("Count: got %d, %t, %v, want exactly none", n, exact, err)
	}
	if list, next, err := log.List(t.Context(), e.TenantID, activity.Filter{}, activity.Page{}); list == nil ||
		len(list) != 0 ||
		next != uuid.Nil ||
		err != nil {
		t.Errorf("List: got %v, %s, %v, want an empty list", list, next, err)
	}
}

// few holds the ids of random activities, so that filters match.
var few = func() (ids []uuid.UUID) {
	for n := range 3 {
		ids = append(ids, uuid.UUID{0: 7, 15: byte(n + 1)})
	}
	return ids
}()

func drawEnvelope(rt *rapid.T, tenant uuid.UUID) activity.Envelope {
	one := func(of ...string) string { return rapid.SampledFrom(of).Draw(rt, "value") }
	id := func() uuid.UUID { return rapid.SampledFrom(few).Draw(rt, "id") }
	optional := func() uuid.UUID { return rapid.SampledFrom(append([]uuid.UUID{{}}, few...)).Draw(rt, "optional id") }
	return activity.Envelope{
		TenantID:           tenant,
		ActorPrincipalID:   id(),
		ResourceID:         id(),
		CorrelationID:      optional(),
		TargetPrincipalID:  optional(),
		TargetPrincipalIDs: rapid.SliceOfN(rapid.SampledFrom(few), 0, 2).Draw(rt, "targets"),
		OwnerID:            optional(),
		ResourceType:       one("doc", "team"),
		ResourceName:       one("", "50% off", "Plan B"),
		Action:             one("doc.created", "doc.moved", "team.created", "docx.created"),
		Status:             activity.Status(one("success", "failure")),
		Severity:           activity.Severity(one("info", "critical")),
		Category:           one("a", "b"),
		Message:            one("", "a_b", "Created PLAN", `back\slash`),
		RequestID:          one("", "r1"),
	}
}

// drawFilter returns a random filter with times of recorded activities.
func drawFilter(rt *rapid.T, times []time.Time) activity.Filter {
	maybe := func(label string, of ...string) string {
		if rapid.IntRange(0, 3).Draw(rt, label+"?") > 0 {
			return ""
		}
		return rapid.SampledFrom(of).Draw(rt, label)
	}
	id := func(label string) uuid.UUID {
		return rapid.SampledFrom(append(make([]uuid.UUID, 6), few...)).Draw(rt, label)
	}
	at := func(label string) time.Time {
		return rapid.SampledFrom(append(make([]time.Time, 2*len(times)+1), times...)).Draw(rt, label)
	}
	f := activity.Filter{
		Action:        maybe("action", "doc.*", "*.created", "doc.created", "d[o-p]c?.c*", "[!t]*", "nothing", "*"),
		Actor:         id("actor"),
		Resource:      id("resource"),
		Target:        id("target"),
		Owner:         id("owner"),
		CorrelationID: id("correlation"),
		ResourceType:  maybe("type", "doc"),
		RequestID:     maybe("request", "r1"),
		Status:        maybe("status", "failure"),
		Severity:      maybe("severity", "critical"),
		Category:      maybe("category", "a"),
		Since:         at("since"),
		Until:         at("until"),
		Q:             maybe("q", "plan", "%", "_", "a_b", `\`, "CREATED", "50% OFF"),
	}
	if !f.Since.IsZero() && !f.Since.Before(f.Until) {
		f.Until = time.Time{}
	}
	return f
}

// filters tests each field with two activities that differ only in it.
func filters(t *testing.T, s Subject) {
	log := s.Open(t, activity.Hooks{})
	tenant := uuid.New()
	base := activity.Envelope{
		TenantID:          tenant,
		ActorPrincipalID:  few[0],
		ResourceID:        few[0],
		ResourceType:      "signal",
		Action:            "signal.created",
		CorrelationID:     few[0],
		TargetPrincipalID: few[0],
		OwnerID:           few[0],
		Category:          "a",
		RequestID:         "r-1",
		Message:           "Moved to B",
		ResourceName:      "Momentum",
	}
	for name, tt := range map[string]struct {
		f      activity.Filter
		differ func(e *activity.Envelope)
	}{
		"entity": {activity.OfEntity("signal", few[1]), func(e *activity.Envelope) { e.ResourceID = few[1] }},
		"actor":  {activity.ByActor(few[1]), func(e *activity.Envelope) { e.ActorPrincipalID = few[1] }},
		"owner":  {activity.OfOwner(few[1]), func(e *activity.Envelope) { e.OwnerID = few[1] }},
		"action": {
			activity.OfAction("signal.[a-b]*"),
			func(e *activity.Envelope) { e.Action = "signal.archived" },
		},
		"workflow": {activity.OfWorkflow(few[1]), func(e *activity.Envelope) { e.CorrelationID = few[1] }},
		"target":   {activity.Filter{Target: few[1]}, func(e *activity.Envelope) { e.TargetPrincipalID = few[1] }},
		"one of the targets": {activity.Filter{Target: few[1]}, func(e *activity.Envelope) {
			e.TargetPrincipalIDs = few[1:]
		}},
		"type": {
			activity.Filter{ResourceType: "dataset"},
			func(e *activity.Envelope) { e.ResourceType = "dataset" },
		},
		"request":     {activity.Filter{RequestID: "r-2"}, func(e *activity.Envelope) { e.RequestID = "r-2" }},
		"status":      {activity.Filter{Status: "failure"}, func(e *activity.Envelope) { e.Status = activity.Failure }},
		"severity":    {activity.Filter{Severity: "error"}, func(e *activity.Envelope) { e.Severity = activity.Error }},
		"category":    {activity.Filter{Category: "b"}, func(e *activity.Envelope) { e.Category = "b" }},
		"q, message":  {activity.Filter{Q: "TO C"}, func(e *activity.Envelope) { e.Message = "moved to c" }},
		"q, name":     {activity.Filter{Q: "%"}, func(e *activity.Envelope) { e.ResourceName = "50%" }},
		"q, action":   {activity.Filter{Q: "Renam"}, func(e *activity.Envelope) { e.Action = "signal.renamed" }},
		"of no value": {activity.Filter{Category: "none"}, nil},
	} {
		e, other := base, base
		e.TenantID = uuid.New()
		other.TenantID = e.TenantID
		if tt.differ == nil {
			mustAppend(t, log, e)
			if found := all(t, log, e.TenantID, tt.f, 10); len(found) != 0 {
				t.Errorf("%s: got %v, want nothing", name, found)
			}
			continue
		}
		tt.differ(&other)
		if other.CorrelationID == base.CorrelationID {
			other.CorrelationID = few[2] // so that it is another key
			if tt.f.CorrelationID != uuid.Nil {
				t.Fatalf("%s: the case filters by the correlation id", name)
			}
		}
		recorded := mustAppend(t, log, e, other, e)
		found := all(t, log, e.TenantID, tt.f, 10)
		if len(found) != 1 || found[0].ID != recorded[1].ID {
			t.Errorf("%s: got %v, want the one with the other value", name, ids(found))
		}
		if n, exact, err := log.Count(t.Context(), e.TenantID, tt.f, 10); n != 1 || !exact || err != nil {
			t.Errorf("%s: counted %d, %t, %v, want exactly 1", name, n, exact, err)
		}
	}
}

// pages reads random logs with random filters while other activities are appended: the pages hold
// the activities that pass the filter, once each, in the order of their ids.
func pages(t *testing.T, s Subject) {
	log := s.Open(t, activity.Hooks{})
	rapid.Check(t, func(rt *rapid.T) {
		tenant, other := uuid.New(), uuid.New()
		var envelopes []activity.Envelope
		for range rapid.IntRange(1, 30).Draw(rt, "envelopes") {
			envelopes = append(
				envelopes,
				drawEnvelope(rt, rapid.SampledFrom([]uuid.UUID{tenant, tenant, tenant, other}).Draw(rt, "tenant")),
			)
		}
		recorded, err := log.Append(t.Context(), envelopes...)
		if err != nil {
			rt.Fatal(err)
		}
		slices.SortStableFunc(recorded, func(a, b activity.Recorded) int { return bytes.Compare(a.ID[:], b.ID[:]) })
		var times []time.Time
		for _, r := range recorded {
			times = append(times, r.RecordedAt)
		}
		f := drawFilter(rt, times)
		var want, got []uuid.UUID
		matches := f.Matcher()
		for _, r := range slices.Backward(recorded) {
			if r.Created && r.TenantID == tenant && matches(&r.Activity) {
				want = append(want, r.ID)
			}
		}
		limit := rapid.IntRange(1, 10).Draw(rt, "limit")
		for page := (activity.Page{Limit: limit}); ; {
			list, next, err := log.List(t.Context(), tenant, f, page)
			if err != nil {
				rt.Fatal(err)
			}
			if len(list) > limit {
				rt.Fatalf("got a page of %d, want at most %d", len(list), limit)
			}
			got = append(got, ids(list)...)
			if next == uuid.Nil {
				break
			}
			if page.Before != uuid.Nil && bytes.Compare(next[:], page.Before[:]) >= 0 {
				rt.Fatalf("got next %s after %s, want it older", next, page.Before)
			}
			page.Before = next
			if _, err := log.Append(t.Context(), drawEnvelope(rt, tenant)); err != nil {
				rt.Fatal(err)
			}
		}
		if !slices.Equal(got, want) {
			rt.Errorf("%+v: got %d: %s\nwant %d: %s", f, len(got), got, len(want), want)
		}
	})
}

func counts(t *testing.T, s Subject) {
	log := s.Open(t, activity.Hooks{})
	tenant := uuid.New()
	for n := range 10 {
		e := envelope(tenant)
		e.Action = [2]string{"doc.made", "doc.moved"}[n%2]
		mustAppend(t, log, e)
	}
	for _, tt := range []struct {
		action string
		limit  int
		n      int
		exact  bool
	}{
		{"", 20, 10, true},
		{"", 10, 10, true},
		{"", 9, 9, false},
		{"", 0, 0, false},
		{"doc.made", 20, 5, true},
		{"doc.made", 5, 5, true},
		{"doc.made", 4, 4, false},
		{"doc.none", 0, 0, true},
	} {
		n, exact, err := log.Count(t.Context(), tenant, activity.OfAction(tt.action), tt.limit)
		if n != tt.n || exact != tt.exact || err != nil {
			t.Errorf("%+v: got %d, %t, %v", tt, n, exact, err)
		}
	}
	if s.Short {
		return
	}
	if page, next, err := log.List(t.Context(), tenant, activity.Filter{}, activity.Page{Limit: 10}); len(page) != 10 ||
		next != uuid.Nil ||
		err != nil {
		t.Errorf("a page that is exactly full: got %d, %s, %v, want 10 and no next", len(page), next, err)
	}
}
