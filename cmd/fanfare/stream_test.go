package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/waittest"
)

// follower reads /activities/stream.
type follower struct {
	text *bufio.Reader
	last string // the last event's id
}

// sent is one server-sent event.
type sent struct{ id, event, data string }

// follow starts a stream, after the event with the id last if that is not "". While the daemon
// answers 503, it retries, as clients do.
func (c caller) follow(t testing.TB, last string) *follower {
	t.Helper()
	if last != "" {
		c = c.with("Last-Event-ID", last)
	}
	var answer *http.Response
	waittest.Until(t, "the stream can be followed", func() bool {
		answer = c.send(t, http.MethodGet, "/activities/stream", "")
		body := answer.Body
		t.Cleanup(func() { _ = body.Close() })
		return answer.StatusCode != http.StatusServiceUnavailable
	}, new(logged))
	if answer.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(answer.Body)
		t.Fatalf("the stream: got status %d with %s", answer.StatusCode, body)
	}
	return &follower{text: bufio.NewReader(answer.Body), last: last}
}

// next returns the next event; ok is false at the stream's end. It skips comments and
// retry intervals.
func (f *follower) next() (s sent, ok bool) {
	for {
		line, err := f.text.ReadString('\n')
		if err != nil {
			return s, false
		}
		line = strings.TrimSuffix(line, "\n")
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "id":
			s.id = value
		case "event":
			s.event = value
		case "data":
			s.data = value
		case "":
			if s.event != "" {
				if s.id != "" {
					f.last = s.id
				}
				return s, true
			}
		}
	}
}

// activity returns the id of the next activity.
func (f *follower) activity(t testing.TB, d *daemonUnderTest) uuid.UUID {
	t.Helper()
	s, ok := f.next()
	if !ok || s.event != "activity" {
		t.Fatalf("got %+v (%v), want an activity\n%s", s, ok, d.log)
	}
	return s.activity(t)
}

// activity returns the id of the activity.
func (s sent) activity(t testing.TB) uuid.UUID {
	t.Helper()
	var event activity.Event
	if err := json.Unmarshal([]byte(s.data), &event); err != nil {
		t.Fatalf("%v: %+v", err, s)
	}
	return event.EventID
}
