package logtest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
)

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
