package fanout_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/fanout"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/preferences"
)

// attempts publishes to the real server and records the channels of each attempt.
type attempts struct {
	client *centrifugo.Client
	mu     sync.Mutex
	sent   [][]string
}

func (a *attempts) Publish(ctx context.Context, broadcasts []centrifugo.Broadcast) []centrifugo.Result {
	a.mu.Lock()
	for _, b := range broadcasts {
		a.sent = append(a.sent, slices.Sorted(slices.Values(b.Channels)))
	}
	a.mu.Unlock()
	return a.client.Publish(ctx, broadcasts)
}

// TestReplayPublishesToTheChannelsNotReached records an activity with a literal channel whose
// namespace is not configured.
func TestReplayPublishesToTheChannelsNotReached(t *testing.T) {
	t.Parallel()
	client, channels := connect(t, startCentrifugo(t), centrifugo.Formats{})
	publisher := &attempts{client: client}
	db := pgtest.New(t)
	tenant, resource := uuid.New(), uuid.New()
	literal := "nowhere:" + tenant.String() + ".room"
	e := activity.Envelope{
		TenantID: tenant, ActorPrincipalID: uuid.New(), ResourceID: resource, ResourceType: "signal",
		Action: "signal.created", Visibility: activity.ResourceWide,
		DeliveryChannels: []string{activity.ToUser, activity.ToResource, literal},
	}
	tx, err := db.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := outbox.Record(t.Context(), tx, e)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	handler := fanout.New(publisher, channels, preferences.NewFilter(nil), fanout.Options{})
	startWorker(t, db, handler, outbox.Options{Retries: outbox.Retries{First: time.Millisecond}})
	backlog := outbox.NewBacklog(db.Pool)
	deadLetter := func(after time.Time) (letter outbox.DeadLetter) {
		t.Helper()
		waittest.Until(t, "dead letter", func() bool {
			list, err := backlog.DeadLetters(t.Context(), tenant, outbox.DeadQuery{Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			if len(list) != 1 || !list[0].DiedAt.After(after) {
				return false
			}
			letter = list[0]
			return true
		})
		return letter
	}
	first := deadLetter(time.Time{})
	if want := []string{literal}; first.ActivityID != recorded.ID || !slices.Equal(first.Channels, want) {
		t.Errorf("dead letter: got %+v, want %s with the channels %q", first, recorded.ID, want)
	}
	if n, err := backlog.Replay(t.Context(), tenant, recorded.ID); n != 1 || err != nil {
		t.Fatalf("Replay: got %d, %v, want 1", n, err)
	}
	if again := deadLetter(first.DiedAt); !slices.Equal(again.Channels, first.Channels) {
		t.Errorf("second dead letter: got the channels %q, want %q", again.Channels, first.Channels)
	}
	publisher.mu.Lock()
	defer publisher.mu.Unlock()
	all := slices.Sorted(slices.Values([]string{channels.Resource(tenant, resource), literal}))
	if want := [][]string{all, {literal}}; !slices.EqualFunc(publisher.sent, want, slices.Equal) {
		t.Errorf("attempts: got %q, want %q", publisher.sent, want)
	}
}
