package centrifugo_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
)

// BenchmarkPublish measures calls of 500 broadcasts of about 700 bytes to three channels with
// history, from callers that share a client. The server runs on the same machine.
func BenchmarkPublish(b *testing.B) {
	for _, shape := range []struct {
		way                   way
		callers, pipe, flight int
	}{
		{byGRPC, 1, 100, 8},
		{byGRPC, 4, 25, 8},
		{byGRPC, 4, 50, 8},
		{byGRPC, 4, 100, 1},
		{byGRPC, 4, 100, 2},
		{byGRPC, 4, 100, 4},
		{byGRPC, 4, 100, 8},
		{byHTTP, 4, 100, 8},
		{byGRPC, 4, 100, 16},
		{byGRPC, 4, 250, 4},
		{byGRPC, 4, 500, 4},
	} {
		name := fmt.Sprintf("%s/callers=%d/pipe=%d/flight=%d", shape.way, shape.callers, shape.pipe, shape.flight)
		b.Run(name, func(b *testing.B) {
			client := shape.way.connect(b, centrifugo.Options{PipeSize: shape.pipe, MaxInFlight: shape.flight})
			calls := make(chan []centrifugo.Broadcast)
			done := make(chan error)
			for range shape.callers {
				go func() {
					var first error
					for call := range calls {
						for _, result := range client.Publish(b.Context(), call) {
							if first == nil {
								first = result.Err
							}
						}
					}
					done <- first
				}()
			}
			source := newActivities()
			b.ReportAllocs()
			b.ResetTimer()
			for sent := 0; sent < b.N; sent += 500 {
				calls <- source.next(min(500, b.N-sent))
			}
			close(calls)
			for range shape.callers {
				if err := <-done; err != nil {
					b.Error(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "broadcasts/s")
		})
	}
}

// activities makes broadcasts of a thousand resources of one tenant.
type activities struct {
	channels *centrifugo.Channels
	tenant   uuid.UUID
	ids      []uuid.UUID
	data     []byte
	n        int
}

func newActivities() *activities {
	channels, _ := centrifugo.ParseFormats(centrifugo.Formats{})
	a := &activities{channels: channels, tenant: uuid.New(), ids: make([]uuid.UUID, 1009)}
	for i := range a.ids {
		a.ids[i] = uuid.New()
	}
	a.data = fmt.Appendf(
		nil,
		`{"version":"1","event_id":%q,"payload":{"text":%q}}`,
		uuid.New(),
		strings.Repeat("lorem ipsum <b> ", 38),
	)
	return a
}

func (a *activities) next(n int) []centrifugo.Broadcast {
	broadcasts := make([]centrifugo.Broadcast, n)
	for i := range broadcasts {
		a.n++
		resource := a.ids[a.n%len(a.ids)]
		broadcasts[i] = centrifugo.Broadcast{
			Order: resource,
			Channels: []string{
				a.channels.User(principalOf(a.tenant, a.ids[a.n*7%len(a.ids)])),
				a.channels.User(principalOf(a.tenant, a.ids[a.n*13%len(a.ids)])),
				a.channels.Resource(a.tenant, resource),
			},
			Data:           a.data,
			IdempotencyKey: uuid.NewString(),
		}
	}
	return broadcasts
}
