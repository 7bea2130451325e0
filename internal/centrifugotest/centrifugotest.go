// Package centrifugotest runs a Centrifugo for a test, and records what is published to it.
package centrifugotest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/devstack"
)

const stopTimeout = 30 * time.Second

// Start starts a Centrifugo and stops it after the test.
func Start(t testing.TB, o devstack.CentrifugoOptions) *devstack.Centrifugo {
	t.Helper()
	server, err := devstack.StartCentrifugo(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		if err := server.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return server
}

// Client returns a client of a Centrifugo, which it closes after the test.
func Client(t testing.TB, server *devstack.Centrifugo) *centrifugo.Client {
	t.Helper()
	client, err := centrifugo.New(centrifugo.Options{APIURL: server.APIURLs(), APIKey: server.APIKey()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// Recorder publishes to a Centrifugo and records the channels that accept each activity.
type Recorder struct {
	client   *centrifugo.Client
	mu       sync.Mutex
	accepted map[string][]string // channels by activity id
}

// NewRecorder returns a Recorder that publishes by a client.
func NewRecorder(client *centrifugo.Client) *Recorder {
	return &Recorder{client: client, accepted: map[string][]string{}}
}

// Publish publishes as a *centrifugo.Client does.
func (r *Recorder) Publish(ctx context.Context, broadcasts []centrifugo.Broadcast) []centrifugo.Result {
	results := r.client.Publish(ctx, broadcasts)
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, b := range broadcasts {
		for _, channel := range b.Channels {
			if !slices.Contains(results[i].Failed, channel) {
				r.accepted[b.IdempotencyKey] = append(r.accepted[b.IdempotencyKey], channel)
			}
		}
	}
	return results
}

// Channels returns the channels that have accepted an activity.
func (r *Recorder) Channels(id uuid.UUID) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.accepted[id.String()])
}
