package activity_test

import (
	"context"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

func TestContext(t *testing.T) {
	t.Parallel()
	actor := uuid.New()
	ctx := activity.WithRequestID(activity.WithActor(t.Context(), actor), "r-1")
	for name, tt := range map[string]struct {
		ctx     context.Context
		actor   uuid.UUID
		request string
	}{
		"empty":     {t.Context(), uuid.Nil, ""},
		"both":      {ctx, actor, "r-1"},
		"derived":   {context.WithoutCancel(ctx), actor, "r-1"},
		"the inner": {activity.WithActor(ctx, activity.System), activity.System, "r-1"},
		"no actor":  {activity.WithActor(ctx, uuid.Nil), uuid.Nil, "r-1"},
		"no id":     {activity.WithRequestID(ctx, ""), actor, ""},
	} {
		if got, is := activity.ActorFrom(tt.ctx); got != tt.actor || is != (tt.actor != uuid.Nil) {
			t.Errorf("%s: got actor %s, %t, want %s", name, got, is, tt.actor)
		}
		if got, is := activity.RequestIDFrom(tt.ctx); got != tt.request || is != (tt.request != "") {
			t.Errorf("%s: got request %q, %t, want %q", name, got, is, tt.request)
		}
	}
}

// TestSystem pins the id, which is recorded in logs.
func TestSystem(t *testing.T) {
	t.Parallel()
	const want = "fa4fa2e0-0000-8000-8000-000000000000"
	if got := activity.System; got.String() != want || got.Version() != 8 || got.Variant() != uuid.RFC4122 {
		t.Errorf("got %s of version %d, want %s", got, got.Version(), want)
	}
}

// TestAnnounceWithoutPanicHandler calls the hooks behind one that panics, and does not panic.
func TestAnnounceWithoutPanicHandler(t *testing.T) {
	t.Parallel()
	id := uuid.New()
	var got uuid.UUID
	hooks := activity.Hooks{After: []activity.AfterAppend{
		func(context.Context, activity.ActivityRecorded) { panic("on purpose") },
		func(_ context.Context, r activity.ActivityRecorded) { got = r.RecordID },
	}}
	hooks.Announce(t.Context(), activity.Recorded{Activity: activity.Activity{ID: id}, Created: true})
	if got != id {
		t.Errorf("got %s announced to the second hook, want %s", got, id)
	}
}
