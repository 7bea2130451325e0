package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/stream"
	"github.com/fanfarehq/fanfare/preferences"
)

// Streams give readers of a tenant's activity stream; *stream.Hub does.
type Streams interface {
	Follow(ctx context.Context, tenant uuid.UUID, after *stream.Position) (*stream.Reader, error)
}

// The times of a stream (server-sent events,
// https://html.spec.whatwg.org/multipage/server-sent-events.html).
const (
	heartbeat         = 15 * time.Second // between comments that show that the stream stands
	eventTimeout      = 10 * time.Second // for a client to take an event
	followTimeout     = 5 * time.Second  // for Centrifugo to let the stream begin
	maxStreamDuration = time.Hour        // then the client comes back, and its credentials are events at again
	retryHint         = time.Second      // after which a client comes back
)

func (s *Server) addStream(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: streamOperation, Method: http.MethodGet, Path: "/activities/stream", Tags: []string{"Activities"},
		Summary: "Follow what happens in the tenant",
		Description: "Server-sent events: each has the event as data and an id; a client that comes back with Last-Event-ID is given what it missed. " +
			"A stream ends after an hour at most, or with an event `dropped` that says why.",
		Security: requireScope(identity.ScopeRead),
		Responses: withContent(problems(http.StatusServiceUnavailable), http.StatusOK, "text/event-stream",
			"Lines of server-sent events, without end."),
	}, s.followActivities)
}

const streamOperation = "stream-activities"

func withContent(responses map[string]*huma.Response, status int, media, description string) map[string]*huma.Response {
	responses[fmt.Sprint(status)] = &huma.Response{
		Description: description,
		Content:     map[string]*huma.MediaType{media: {Schema: &huma.Schema{Type: huma.TypeString}}},
	}
	return responses
}

// StreamFilter is what a stream can be asked for. What an event does not tell cannot be. (Embedded,
// it must be exported: huma passes over others.)
type StreamFilter struct {
	Action        string `query:"action" maxLength:"200" doc:"A pattern of actions, as Python's fnmatch.fnmatchcase has it." example:"signal.*"`
	Actor         ID     `query:"actor" doc:"The principal who did it."`
	Resource      ID     `query:"resource" doc:"The resource it was done to."`
	ResourceType  string `query:"resource_type" maxLength:"100"`
	Target        ID     `query:"target" doc:"The principal addressed."`
	CorrelationID ID     `query:"correlation_id" doc:"The workflow."`
	Severity      string `query:"severity" enum:"info,warning,error,critical"`
	Category      string `query:"category" maxLength:"100"`
}

func (f StreamFilter) compile() (func(*activity.Event) bool, error) {
	action := func(string) bool { return true }
	if f.Action != "" {
		pattern, err := preferences.Compile(f.Action)
		if err != nil {
			return nil, fieldProblem(InvalidField, "action", "must be a pattern: "+err.Error())
		}
		action = pattern.Match
	}
	is := func(wanted ID, got uuid.UUID) bool { return wanted.UUID == uuid.Nil || wanted.UUID == got }
	reads := func(wanted, got string) bool { return wanted == "" || wanted == got }
	return func(e *activity.Event) bool {
		var target uuid.UUID
		if e.TargetPrincipalID != nil {
			target = *e.TargetPrincipalID
		}
		return e.EventID != uuid.Nil && action(e.Action) && is(f.Actor, e.Actor.PrincipalID) && is(f.Resource, e.Resource.ResourceID) &&
			is(f.Target, target) && is(f.CorrelationID, e.CorrelationID) && reads(f.ResourceType, e.Resource.ResourceType) &&
			reads(f.Severity, string(e.UIHints.Severity)) &&
			reads(f.Category, e.UIHints.Category)
	}, nil
}

func (s *Server) followActivities(ctx context.Context, caller identity.Identity, in *struct {
	StreamFilter
	LastEventID string `header:"Last-Event-ID" doc:"The id of the last event that the client was given."`
},
) (*huma.StreamResponse, error) {
	if s.streams == nil {
		return nil, newProblem(Unavailable).withDetail("This server does not follow the activity streams.")
	}
	passes, err := in.compile()
	if err != nil {
		return nil, err
	}
	var after *stream.Position
	if in.LastEventID != "" {
		position, err := stream.ParsePosition(in.LastEventID)
		if err != nil {
			return nil, fieldProblem(InvalidField, "Last-Event-ID", "must be the id of an event of this stream")
		}
		after = &position
	}
	join, cancel := context.WithTimeout(ctx, followTimeout)
	defer cancel()
	reader, err := s.streams.Follow(join, caller.TenantID, after)
	if err != nil {
		return nil, newProblem(
			Unavailable,
		).withDetail("The stream cannot be followed at this moment.").
			withHeader("Retry-After", "1")
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer reader.Close()
		_, w := humago.Unwrap(hc)
		if hc.Method() == http.MethodHead {
			w.Header().Set("Content-Type", "text/event-stream")
			return
		}
		newEventWriter(w, &s.buffers).follow(hc.Context(), reader, passes)
	}}, nil
}

// eventWriter writes server-sent events.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	buffers *sync.Pool // of *[]byte
	written time.Time  // when anything was last sent
}

func newEventWriter(w http.ResponseWriter, buffers *sync.Pool) *eventWriter {
	return &eventWriter{w: w, control: http.NewResponseController(w), buffers: buffers}
}

// follow writes events until the reader or the client ends.
func (e *eventWriter) follow(ctx context.Context, reader *stream.Reader, passes func(*activity.Event) bool) {
	h := e.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	// The deadline for reading the request would end the stream; without one a client that leaves
	// still does.
	if e.control.SetReadDeadline(time.Time{}) != nil ||
		e.write(fmt.Appendf(nil, "retry: %d\n\n", retryHint.Milliseconds())) != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, maxStreamDuration)
	defer cancel()
	for ctx.Err() == nil {
		wait, stop := context.WithTimeout(ctx, heartbeat)
		event, err := reader.Next(wait)
		stop()
		switch {
		case err == nil:
			err = e.writeEvents(event, reader, passes)
			if err == nil && time.Since(e.written) >= heartbeat { // much happens, and nothing that passes
				err = e.write([]byte(heartbeatComment))
			}
		case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
			err = e.write([]byte(heartbeatComment))
		case ctx.Err() == nil:
			_ = e.write(fmt.Appendf(nil, "event: dropped\ndata: {\"reason\":%q}\n\n", dropReason(err)))
		}
		if err != nil {
			return
		}
	}
}

// standing is the comment that shows that the stream stands.
const heartbeatComment = ": the stream stands\n\n"

// What is sent at once: so many bytes, or a little more, out of so many events.
const (
	maxWrite = 32 << 10
	maxBurst = 256
)

// writeEvents sends an event and those that are at hand behind it. A server with little time to
// spare so sends more at once, and catches up.
func (e *eventWriter) writeEvents(event *stream.Event, reader *stream.Reader, passes func(*activity.Event) bool) error {
	// A reader holds no buffer while it waits: few of thousands write at one time.
	buffer := e.buffers.Get().(*[]byte)
	b := (*buffer)[:0]
	defer func() { *buffer = b; e.buffers.Put(buffer) }()
	for events := 1; event != nil; events++ {
		if passes(&event.Event) {
			b = appendEvent(b, event)
		}
		if len(b) >= maxWrite || events == maxBurst {
			break
		}
		event = reader.Ready()
	}
	if len(b) == 0 {
		return nil
	}
	return e.write(b)
}

// dropReason says to a client why its stream ends; what went wrong inside is not for it.
func dropReason(err error) string {
	for _, known := range []error{stream.ErrSlow, stream.ErrLost, stream.ErrClosed} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "interrupted: come back with the last event's id to continue"
}

func appendEvent(b []byte, e *stream.Event) []byte {
	b = append(append(b, "id: "...), e.Position.String()...)
	b = append(b, "\nevent: activity\ndata: "...)
	b = append(b, e.Data...) // JSON on one line
	return append(b, "\n\n"...)
}

// write sends at once. A client that does not take it within the deadline is gone.
func (e *eventWriter) write(b []byte) error {
	if err := e.control.SetWriteDeadline(time.Now().Add(eventTimeout)); err != nil {
		return err
	}
	if _, err := e.w.Write(b); err != nil {
		return err
	}
	e.written = time.Now()
	return e.control.Flush()
}
