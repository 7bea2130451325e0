package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/centrifugo"
	"github.com/fanfarehq/fanfare/internal/centrifugotest"
	"github.com/fanfarehq/fanfare/internal/devstack"
	"github.com/fanfarehq/fanfare/internal/pgtest"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// TestSlowReaderIsDropped follows a stream with two readers, one of which does not read.
func TestSlowReaderIsDropped(t *testing.T) {
	t.Parallel()
	const enough = 2000 // events, which exceed all buffers
	db, server := pgtest.New(t), startCentrifugo(t)
	w := newWorld(t, db)
	d := startDaemon(t, environment(db, server), "serve")
	reader := d.api(t).bearing(w.newToken(t))
	quick := reader.follow(t, "")
	slow := reader.followWithoutReading(t)
	clients := func(n int) bool {
		return strings.Contains(d.get(t, "/metrics").body, fmt.Sprintf("fanfare_stream_clients %d\n", n))
	}
	waittest.Until(t, "two follow", func() bool { return clients(2) }, d.log)

	publish := w.publisher(t, server)
	var published []uuid.UUID
	for len(published)%50 != 0 || len(published) == 0 || !clients(1) {
		if len(published) == enough {
			t.Fatalf("both still follow after %d events\n%s", enough, d.log)
		}
		published = append(published, publish())
		if got, want := quick.activity(t, d), published[len(published)-1]; got != want {
			t.Fatalf("event %d: got %s, want %s", len(published), got, want)
		}
	}

	// The slow reader gets complete events in order, and then the reason or the end of the
	// connection.
	var got []uuid.UUID
	f := slow()
	for {
		s, ok := f.next()
		if !ok {
			break
		}
		if s.event == "dropped" {
			if !strings.Contains(s.data, "too slow") {
				t.Errorf("got %+v, want the reason: too slow", s)
			}
			continue
		}
		got = append(got, s.activity(t))
	}
	if len(got) >= len(published) {
		t.Fatalf("got %d of %d events, want fewer", len(got), len(published))
	}
	for i := range got {
		if got[i] != published[i] {
			t.Fatalf("event %d: got %s, want %s", i, got[i], published[i])
		}
	}
}

// followWithoutReading starts a stream without reading it. read reads the buffered events.
func (c caller) followWithoutReading(t testing.TB) (read func() *follower) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.base+"/activities/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = c.header
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", request.URL.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := request.Write(conn); err != nil {
		t.Fatal(err)
	}
	return func() *follower {
		answer, err := http.ReadResponse(bufio.NewReader(conn), request)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = answer.Body.Close() })
		return &follower{text: bufio.NewReader(answer.Body)}
	}
}

// publisher returns a function that publishes a large event on the tenant's channel and returns its
// id.
func (w world) publisher(t testing.TB, server *devstack.Centrifugo) func() uuid.UUID {
	t.Helper()
	client := centrifugotest.Client(t, server)
	channels := []string{"tenant:" + w.tenant.String()}
	bulk := strings.Repeat("x", 48<<10)
	return func() uuid.UUID {
		id := uuid.New()
		data := fmt.Appendf(nil, `{"version":"1","event_id":%q,"action":"signal.grown","payload":{"bulk":%q}}`, id,
			bulk)
		if result := client.Publish(t.Context(),
			[]centrifugo.Broadcast{{Channels: channels, Data: data}})[0]; result.Err != nil {
			t.Fatal(result.Err)
		}
		return id
	}
}
