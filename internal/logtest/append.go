package logtest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
)

func refusedFields(err error) (fields []string) {
	invalidErr := (*invalid.Error)(nil)
	if errors.As(err, &invalidErr) {
		for _, f := range invalidErr.Fields {
			fields = append(fields, f.Name)
		}
	}
	return fields
}

func refuses(t *testing.T, s Subject) {
	log, tenant := s.Open(t, activity.Hooks{}), uuid.New()
	changed := func(change func(e *activity.Envelope)) activity.Envelope {
		e := envelope(tenant)
		change(&e)
		return e
	}
	noAction := changed(func(e *activity.Envelope) { e.Action = "" })
	for name, tt := range map[string]struct {
		envelopes []activity.Envelope
		fields    []string
	}{
		"nothing given": {
			[]activity.Envelope{{}},
			[]string{"tenant_id", "actor_principal_id", "resource_id", "resource_type", "action"},
		},
		"one field": {[]activity.Envelope{noAction}, []string{"action"}},
		"one of many": {
			[]activity.Envelope{envelope(tenant), envelope(tenant), noAction},
			[]string{"envelopes[2].action"},
		},
		"two of many": {
			[]activity.Envelope{noAction, envelope(tenant), changed(func(e *activity.Envelope) { e.Status = "?" })},
			[]string{"envelopes[0].action", "envelopes[2].status"},
		},
		"a payload's kind": {
			[]activity.Envelope{changed(func(e *activity.Envelope) { e.Payload = 7 })},
			[]string{"payload"},
		},
		"a large payload": {
			[]activity.Envelope{
				changed(func(e *activity.Envelope) {
					e.Payload = map[string]string{"text": strings.Repeat("x", 64<<10)}
				}),
			},
			[]string{"payload"},
		},
		"a large payload among many": {
			[]activity.Envelope{
				envelope(tenant),
				changed(func(e *activity.Envelope) {
					e.Payload = map[string]string{"text": strings.Repeat("x", 64<<10)}
				}),
			},
			[]string{"envelopes[1].payload"},
		},
	} {
		recorded, err := log.Append(t.Context(), tt.envelopes...)
		if diff := cmp.Diff(tt.fields, refusedFields(err)); diff != "" || recorded != nil {
			t.Errorf("%s: got %v, %v; fields refused (-want +got):\n%s", name, recorded, err, diff)
		}
	}
	if found := all(t, log, tenant, activity.Filter{}, 10); len(found) != 0 {
		t.Errorf("got refused envelopes recorded: %v", found)
	}
	if recorded, err := log.Append(t.Context()); len(recorded) != 0 || err != nil {
		t.Errorf("no envelopes: got %v, %v, want no activities", recorded, err)
	}
}

func hooksBefore(t *testing.T, s Subject) {
	log := s.Open(t, activity.Hooks{Before: []activity.BeforeAppend{
		func(_ context.Context, e *activity.Envelope) error {
			e.Message, e.DeliveryChannels = "first", append(e.DeliveryChannels[:0], activity.ToTenant)
			return nil
		},
		func(_ context.Context, e *activity.Envelope) error {
			switch e.Action {
			case "signal.vetoed":
				return &activity.VetoError{Reason: "it is Sunday"}
			case "signal.refused":
				return &invalid.Error{
					Fields: []invalid.Field{{Name: "payload.score", Rule: "is required by signal.refused"}},
				}
			case "signal.failed":
				return errOops
			case "signal.moved":
				e.TenantID = uuid.New()
			case "signal.placed":
				e.TenantID = placed
			case "signal.spoilt":
				e.Action = "?"
			}
			e.Message += " second"
			return nil
		},
	}})
	tenant := uuid.New()
	e := envelope(tenant)
	e.DeliveryChannels = []string{activity.ToUser, activity.ToResource}
	r := mustAppend(t, log, e)[0]
	if r.Message != "first second" || !slices.Equal(r.DeliveryChannels, []string{activity.ToTenant}) {
		t.Errorf("got message %q to %q, want those of the hooks", r.Message, r.DeliveryChannels)
	}
	if !slices.Equal(e.DeliveryChannels, []string{activity.ToUser, activity.ToResource}) {
		t.Errorf("the caller's channels: got %q, want them unchanged", e.DeliveryChannels)
	}
	with := func(action string) activity.Envelope {
		e := envelope(tenant)
		e.Action = action
		return e
	}
	if _, err := log.Append(t.Context(), with("signal.vetoed")); !isVeto(err, "it is Sunday") {
		t.Errorf("a veto: got %v", err)
	}
	if _, err := log.Append(t.Context(), envelope(tenant), with("signal.vetoed")); !isVeto(err, "it is Sunday") ||
		!strings.Contains(err.Error(), "envelopes[1]") {
		t.Errorf("a veto of one of two: got %v, want its index", err)
	}
	if _, err := log.Append(t.Context(), with("signal.failed")); !errors.Is(err, errOops) ||
		err.Error() == errOops.Error() {
		t.Errorf("a hook's plain error: got %v, want it wrapped with the operation", err)
	}
	for action, want := range map[string][]string{
		"signal.refused": {"payload.score"},
		"signal.moved":   {"tenant_id"},
		"signal.spoilt":  {"action"},
	} {
		if _, err := log.Append(t.Context(), with(action)); !slices.Equal(refusedFields(err), want) {
			t.Errorf("%s: got %v, want %q refused", action, err, want)
		}
	}
	e = with("signal.placed")
	e.TenantID = uuid.Nil
	if r := mustAppend(t, log, e)[0]; r.TenantID != placed {
		t.Errorf("a hook that sets a missing tenant: got %s, want %s", r.TenantID, placed)
	}
	if found := all(t, log, tenant, activity.Filter{}, 10); s.Keeps && len(found) != 1 {
		t.Errorf("got %d recorded, want only the first: %v", len(found), found)
	}
	panicking := s.Open(
		t,
		activity.Hooks{
			Before: []activity.BeforeAppend{func(context.Context, *activity.Envelope) error { panic("on purpose") }},
		},
	)
	func() {
		defer func() {
			if cause := recover(); cause != "on purpose" {
				t.Errorf("a hook that panics: got %v, want its panic", cause)
			}
		}()
		_, _ = panicking.Append(t.Context(), envelope(tenant))
	}()
	if found := all(t, panicking, tenant, activity.Filter{}, 10); len(found) != 0 {
		t.Errorf("a hook that panics: got %d recorded", len(found))
	}
}

var (
	errOops = errors.New("oops")
	placed  = uuid.MustParse("99999999-9999-4999-8999-999999999999")
)

func isVeto(err error, reason string) bool {
	veto := (*activity.VetoError)(nil)
	return errors.As(err, &veto) && veto.Reason == reason
}

func hooksAfter(t *testing.T, s Subject) {
	var mu sync.Mutex
	var announced []activity.ActivityRecorded
	var panics []any
	var log activity.Log
	log = s.Open(t, activity.Hooks{
		After: []activity.AfterAppend{
			func(_ context.Context, r activity.ActivityRecorded) {
				if _, err := log.Get(t.Context(), tenantOf[r.Action], r.RecordID); err != nil {
					t.Errorf("a hook after: got %v, want the activity to exist", err)
				}
				panic(r.Action)
			},
			func(_ context.Context, r activity.ActivityRecorded) {
				mu.Lock()
				defer mu.Unlock()
				announced = append(announced, r)
			},
		},
		Panicked: func(_ context.Context, cause any, stack []byte) {
			mu.Lock()
			defer mu.Unlock()
			if len(stack) == 0 {
				t.Error("got no stack of the panic")
			}
			panics = append(panics, cause)
		},
	})
	first, second := envelope(tenantOf["signal.created"]), envelope(tenantOf["signal.moved"])
	first.CorrelationID, first.OwnerID, second.Action = uuid.New(), uuid.New(), "signal.moved"
	recorded := mustAppend(t, log, first, second, first)
	mustAppend(t, log, first)
	if _, err := log.Append(t.Context(), envelope(tenantOf["signal.created"]), activity.Envelope{}); err == nil {
		t.Error("an empty envelope: got no error")
	}
	var want []activity.ActivityRecorded
	var wantPanics []any
	if s.Keeps {
		for i, e := range []activity.Envelope{first, second} {
			want = append(want, activity.ActivityRecorded{
				RecordID: recorded[i].ID, ActorID: e.ActorPrincipalID, OwnerID: e.OwnerID, Action: e.Action,
				Entity: activity.EntityRef{Type: "signal", ID: e.ResourceID},
			})
			wantPanics = append(wantPanics, e.Action)
		}
	}
	if diff := cmp.Diff(want, announced); diff != "" {
		t.Errorf("announced (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantPanics, panics); diff != "" {
		t.Errorf("panics (-want +got):\n%s", diff)
	}
}

// tenantOf maps actions to tenants, since a hook does not receive the tenant.
var tenantOf = map[string]uuid.UUID{"signal.created": uuid.New(), "signal.moved": uuid.New()}

func fillsFromContext(t *testing.T, s Subject) {
	at := time.Date(2020, 2, 3, 4, 5, 6, 7_000, time.FixedZone("", 3600))
	log := s.Open(t, activity.Hooks{Now: func() time.Time { return at }})
	actor, tenant := uuid.New(), uuid.New()
	ctx := activity.WithRequestID(activity.WithActor(t.Context(), actor), "r-1")
	e := envelope(tenant)
	e.ActorPrincipalID = uuid.Nil
	given := envelope(tenant)
	given.RequestID, given.OccurredAt = "its own", at.Add(time.Hour)
	recorded, err := log.Append(ctx, e, given)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []activity.Activity{
		{ActorPrincipalID: actor, RequestID: "r-1", OccurredAt: at},
		{ActorPrincipalID: given.ActorPrincipalID, RequestID: "its own", OccurredAt: at.Add(time.Hour)},
	} {
		got := recorded[i]
		if got.ActorPrincipalID != want.ActorPrincipalID || got.RequestID != want.RequestID ||
			!got.OccurredAt.Equal(want.OccurredAt) {
			t.Errorf(
				"got actor %s, request %q, at %s; want %s, %q, %s",
				got.ActorPrincipalID,
				got.RequestID,
				got.OccurredAt,
				want.ActorPrincipalID,
				want.RequestID,
				want.OccurredAt,
			)
		}
	}
	if _, err := log.Append(activity.WithActor(ctx, uuid.Nil), e); !slices.Equal(
		refusedFields(err),
		[]string{"actor_principal_id"},
	) {
		t.Errorf("no actor: got %v, want actor_principal_id refused", err)
	}
}

const (
	fullPayload   = `{"zz": 1e3, "b": [1.50, {"x": "\u00e9<\u0001"}], "a": null, "zz": -0.0, "password": "hunter2"}`
	storedPayload = `{"a": null, "b": [1.50, {"x": "é<\u0001"}], "zz": 0.0, "password": "[redacted]"}`
)

// stored compares the activity of an envelope with every field, and of one with only the required
// fields.
func stored(t *testing.T, s Subject) {
	log := s.Open(t, activity.Hooks{})
	tenant := uuid.New()
	before := time.Now().Add(-time.Minute) // the database's clock is another
	full := activity.Envelope{
		TenantID:           tenant,
		ActorPrincipalID:   uuid.New(),
		ResourceID:         uuid.New(),
		ResourceType:       "signal",
		Action:             "signal.created",
		Visibility:         activity.Private,
		DeliveryChannels:   []string{activity.ToUser, "chat:" + tenant.String() + ".room"},
		CorrelationID:      uuid.New(),
		TargetPrincipalID:  uuid.New(),
		TargetPrincipalIDs: []uuid.UUID{uuid.New(), uuid.New()},
		OwnerID:            uuid.New(),
		ParentID:           uuid.New(),
		ResourceName:       strings.Repeat("é", 501),
		Message:            strings.Repeat("😀", 4001),
		RequestID:          strings.Repeat("r", 201),
		UserAgent:          strings.Repeat("u", 501),
		Status:             activity.Failure,
		Severity:           activity.Critical,
		Category:           "research",
		IP:                 "::ffff:192.0.2.7",
		Traceparent:        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		OccurredAt:         time.Date(2020, 2, 3, 4, 5, 6, 789_123_999, time.UTC),
		Payload:            json.RawMessage(fullPayload),
	}
	bare := envelope(tenant)
	again := full
	again.ResourceID, again.IP = uuid.New(), "192.0.2.7"
	recorded := mustAppend(t, log, full, bare, again)
	got := recorded[0]
	want := activity.Activity{
		TenantID:           tenant,
		ActorPrincipalID:   full.ActorPrincipalID,
		ResourceID:         full.ResourceID,
		CorrelationID:      full.CorrelationID,
		TargetPrincipalIDs: append([]uuid.UUID{full.TargetPrincipalID}, full.TargetPrincipalIDs...),
		OwnerID:            full.OwnerID,
		ParentID:           full.ParentID,
		OccurredAt:         full.OccurredAt.Truncate(time.Microsecond),
		ResourceType:       "signal",
		ResourceName:       strings.Repeat("é", 500),
		Action:             "signal.created",
		Visibility:         activity.Private,
		Status:             activity.Failure,
		Severity:           activity.Critical,
		Category:           "research",
		DeliveryChannels:   full.DeliveryChannels,
		Message:            strings.Repeat("😀", 4000),
		RequestID:          strings.Repeat("r", 200),
		UserAgent:          strings.Repeat("u", 500),
		Traceparent:        full.Traceparent,
		Payload:            json.RawMessage(storedPayload),
	}
	ignored := cmpopts.IgnoreFields(activity.Activity{}, "ID", "RecordedAt", "IPKeyID", "IPHash")
	if diff := cmp.Diff(want, got.Activity, ignored); diff != "" || !got.Created {
		t.Errorf("created %t, activity (-want +got):\n%s", got.Created, diff)
	}
	if got.ID.Version() != 7 || got.ID.Variant() != uuid.RFC4122 || got.RecordedAt.Before(before) ||
		got.RecordedAt.After(time.Now().Add(time.Minute)) {
		t.Errorf("got id %s, recorded at %s", got.ID, got.RecordedAt)
	}
	hashed, err := log.Get(t.Context(), tenant, recorded[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	same, err := log.Get(t.Context(), tenant, recorded[2].ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(hashed.IPHash) != 32 || hashed.IPKeyID == 0 || !slices.Equal(hashed.IPHash, same.IPHash) {
		t.Errorf("hashes of one address: got %x of key %d and %x, want the same 32 bytes",
			hashed.IPHash, hashed.IPKeyID, same.IPHash)
	}
	got = recorded[1]
	want = activity.Activity{
		TenantID:         tenant,
		ActorPrincipalID: bare.ActorPrincipalID,
		ResourceID:       bare.ResourceID,
		ResourceType:     "signal",
		Action:           "signal.created",
		Visibility:       activity.ResourceWide,
		Status:           activity.Success,
		Severity:         activity.Info,
		Category:         "signal",
		DeliveryChannels: []string{},
		Payload:          json.RawMessage(`{}`),
		CorrelationID:    got.CorrelationID,
		OccurredAt:       got.RecordedAt,
	}
	if diff := cmp.Diff(want, got.Activity, ignored); diff != "" || got.CorrelationID == uuid.Nil || got.IPHash != nil {
		t.Errorf("correlation %s, hash %x, activity (-want +got):\n%s", got.CorrelationID, got.IPHash, diff)
	}
	// A recording does not return the hash of an address, since a writer may not read the log.
	hidden := cmpopts.IgnoreFields(activity.Activity{}, "IPKeyID", "IPHash")
	for _, r := range recorded {
		read, err := log.Get(t.Context(), tenant, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r.Activity, read, hidden); diff != "" {
			t.Errorf("Get (-recorded +read):\n%s", diff)
		}
		read.DeliveryChannels = append(read.DeliveryChannels[:0], "spoilt")
		read.Payload[0] = '?'
	}
	var want2 []activity.Activity
	for _, r := range slices.Backward(recorded) {
		want2 = append(want2, r.Activity)
	}
	if diff := cmp.Diff(want2, all(t, log, tenant, activity.Filter{}, 2), hidden); diff != "" {
		t.Errorf("List (-recorded +listed):\n%s", diff)
	}
}

func allOrNone(t *testing.T, s Subject) {
	log := s.Open(t, activity.Hooks{})
	tenant := uuid.New()
	envelopes := make([]activity.Envelope, 20)
	for i := range envelopes {
		envelopes[i] = envelope(tenant)
	}
	recorded := mustAppend(t, log, envelopes...)
	for i := range recorded {
		if !recorded[i].Created || recorded[i].ResourceID != envelopes[i].ResourceID {
			t.Fatalf("activity %d: got %+v, want the activity of the envelope with the index", i, recorded[i])
		}
	}
	envelopes[13].Action = "?"
	for i := range envelopes {
		envelopes[i].CorrelationID = uuid.New()
	}
	if _, err := log.Append(t.Context(), envelopes...); !slices.Equal(
		refusedFields(err),
		[]string{"envelopes[13].action"},
	) {
		t.Fatalf("got %v, want one refused", err)
	}
	if found := all(t, log, tenant, activity.Filter{}, 7); len(found) != 20 {
		t.Errorf("got %d activities, want only the first 20", len(found))
	}
	envelopes[13].Action = "signal.created" // the key of none is taken
	for i, r := range mustAppend(t, log, envelopes...) {
		if !r.Created {
			t.Errorf("activity %d: got an existing activity, want a new one", i)
		}
	}
}

func duplicates(t *testing.T, s Subject) {
	log := s.Open(t, activity.Hooks{})
	e := envelope(uuid.New())
	e.CorrelationID = uuid.New()
	recorded := mustAppend(t, log, e, e)
	first := recorded[0]
	other := e
	other.ActorPrincipalID, other.ResourceType, other.Payload = uuid.New(), "other", map[string]int{"n": 1}
	for i, again := range []activity.Recorded{recorded[1], mustAppend(t, log, other)[0]} {
		if diff := cmp.Diff(first.Activity, again.Activity); diff != "" || again.Created {
			t.Errorf("again %d: created %t, activity (-first +again):\n%s", i, again.Created, diff)
		}
	}
	for name, change := range map[string]func(e *activity.Envelope){
		"tenant":      func(e *activity.Envelope) { e.TenantID = uuid.New() },
		"correlation": func(e *activity.Envelope) { e.CorrelationID = uuid.New() },
		"action":      func(e *activity.Envelope) { e.Action = "signal.moved" },
		"resource":    func(e *activity.Envelope) { e.ResourceID = uuid.New() },
	} {
		different := e
		change(&different)
		if r := mustAppend(t, log, different)[0]; !r.Created || r.ID == first.ID {
			t.Errorf("another %s: got the existing activity, want a new one", name)
		}
	}
}

// concurrentAppends appends the same keys from many goroutines.
func concurrentAppends(t *testing.T, s Subject) {
	log := s.Open(t, activity.Hooks{})
	tenant := uuid.New()
	envelopes := make([]activity.Envelope, 10)
	for i := range envelopes {
		envelopes[i] = envelope(tenant)
		envelopes[i].CorrelationID = uuid.New()
	}
	var mu sync.Mutex
	created := map[uuid.UUID]int{}
	var g sync.WaitGroup
	for range 8 {
		g.Go(func() {
			for _, e := range envelopes {
				recorded, err := log.Append(t.Context(), e)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if recorded[0].Created {
					created[e.ResourceID]++
				}
				mu.Unlock()
				if _, err := log.Get(t.Context(), tenant, recorded[0].ID); err != nil {
					t.Error(err)
				}
			}
		})
	}
	g.Wait()
	for _, e := range envelopes {
		if created[e.ResourceID] != 1 {
			t.Errorf("got one key created %d times", created[e.ResourceID])
		}
	}
	found := all(t, log, tenant, activity.Filter{}, 3)
	if len(found) != len(envelopes) {
		t.Errorf("got %d activities, want %d", len(found), len(envelopes))
	}
}
