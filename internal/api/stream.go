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

// Streams returns readers of a tenant's activity stream. *stream.Hub implements it.
type Streams interface {
	Follow(ctx context.Context, tenant uuid.UUID, after *stream.Position) (*stream.Reader, error)
}

// The times of a stream of server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
const (
	heartbeat         = 15 * time.Second // default of Limits.Heartbeat
	eventTimeout      = 10 * time.Second // for a client to accept an event
	followTimeout     = 5 * time.Second  // for Centrifugo to begin the stream
	maxStreamDuration = time.Hour        // after which the client reconnects and authenticates again
	reconnectDelay    = time.Second      // that clients wait before they reconnect
)

func (s *Server) addStream(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: streamOperation, Method: http.MethodGet, Path: "/activities/stream", Tags: []string{"Activities"},
		Summary: "Stream the activities of the tenant",
		Description: "Server-sent events, each with the event as data and an id. A client that reconnects with " +
			"Last-Event-ID receives the events that it missed. The stream begins with an id, and each heartbeat " +
			"has one, so that a stream without events can be resumed too. It ends after an hour, when the " +
			"credential expires, and within one heartbeat after the credential or the scope is withdrawn. Its " +
			"last event is `dropped`, with the reason.",
		Security: requireScope(identity.ScopeRead),
		Responses: withContent(problems(), http.StatusOK, "text/event-stream",
			"A stream of server-sent events."),
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

// StreamFilter has the filter parameters of a stream: those that an event can satisfy. It is
// exported because huma ignores embedded structs that are not.
type StreamFilter struct {
	Action        string `query:"action" maxLength:"200" doc:"A pattern of actions." example:"project.*"`
	Actor         ID     `query:"actor" doc:"The actor."`
	Resource      ID     `query:"resource" doc:"The resource."`
	ResourceType  string `query:"resource_type" maxLength:"100"`
	Target        ID     `query:"target" doc:"The principal that the activity addresses, if exactly one."`
	CorrelationID ID     `query:"correlation_id" doc:"The correlation id."`
	Severity      string `query:"severity" enum:"info,warning,error,critical"`
	Category      string `query:"category" maxLength:"100"`
}

// compile returns a function that reports whether an event passes the filter.
func (f StreamFilter) compile() (func(*activity.Event) bool, error) {
	action := func(string) bool { return true }
	if f.Action != "" {
		pattern, err := preferences.Compile(f.Action)
		if err != nil {
			return nil, fieldProblem(InvalidField, "action", "must be a pattern: "+err.Error())
		}
		action = pattern.Match
	}
	id := func(want ID, got uuid.UUID) bool { return want.UUID == uuid.Nil || want.UUID == got }
	text := func(want, got string) bool { return want == "" || want == got }
	return func(e *activity.Event) bool {
		var target uuid.UUID
		if e.TargetPrincipalID != nil {
			target = *e.TargetPrincipalID
		}
		return e.EventID != uuid.Nil && action(e.Action) && id(f.Actor, e.Actor.PrincipalID) &&
			id(f.Resource, e.Resource.ResourceID) && id(f.Target, target) && id(f.CorrelationID, e.CorrelationID) &&
			text(f.ResourceType, e.Resource.ResourceType) && text(f.Severity, string(e.UIHints.Severity)) &&
			text(f.Category, e.UIHints.Category)
	}, nil
}

func (s *Server) followActivities(ctx context.Context, caller identity.Identity, in *struct {
	StreamFilter
	LastEventID string `header:"Last-Event-ID" doc:"The id of the last event that the client received."`
},
) (*huma.StreamResponse, error) {
	if s.streams == nil {
		return nil, newProblem(Unavailable).withDetail("This server has no activity streams.")
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
	release, err := s.streamSlots.take(caller.Principal)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, release) // when the request ends
	join, cancel := context.WithTimeout(ctx, followTimeout)
	defer cancel()
	reader, err := s.streams.Follow(join, caller.TenantID, after)
	if err != nil {
		release()
		return nil, newProblem(Unavailable).withDetail("The stream is unavailable.").withHeader("Retry-After", "1")
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer release()
		defer reader.Close()
		r, w := humago.Unwrap(hc)
		if hc.Method() == http.MethodHead {
			w.Header().Set("Content-Type", "text/event-stream")
			return
		}
		newEventWriter(w, s).follow(s.newSession(r, identity.ScopeRead), reader, passes)
	}}, nil
}

// eventWriter writes server-sent events.
type eventWriter struct {
	w         http.ResponseWriter
	control   *http.ResponseController
	buffers   *sync.Pool // of *[]byte
	heartbeat time.Duration
}

func newEventWriter(w http.ResponseWriter, s *Server) *eventWriter {
	return &eventWriter{
		w: w, control: http.NewResponseController(w), buffers: &s.buffers, heartbeat: s.limits.Heartbeat,
	}
}

// follow writes events until the reader, the client or the session ends.
func (e *eventWriter) follow(s session, reader *stream.Reader, passes func(*activity.Event) bool) {
	h := e.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would delay events
	// The read deadline of the request would end the stream. net/http detects a disconnect without
	// it.
	begin := appendPosition(fmt.Appendf(nil, "retry: %d\n", reconnectDelay.Milliseconds()), reader.Position())
	if e.control.SetReadDeadline(time.Time{}) != nil || e.write(begin) != nil {
		return
	}
	ctx, cancel := s.bound(s.request.Context(), maxStreamDuration)
	defer cancel()
	err := e.writeStream(ctx, s, reader, passes)
	if s.request.Context().Err() == nil {
		_ = e.write(fmt.Appendf(nil, "event: dropped\ndata: {\"reason\":%q}\n\n", dropReason(err)))
	}
}

// writeStream writes events, and heartbeats at which it checks the session. Its error is the reason
// for the end.
func (e *eventWriter) writeStream(
	ctx context.Context,
	s session,
	reader *stream.Reader,
	passes func(*activity.Event) bool,
) error {
	for {
		beat, stop := context.WithTimeoutCause(ctx, e.heartbeat, errHeartbeat)
		err := e.writeUntil(beat, reader, passes)
		stop()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !errors.Is(err, errHeartbeat):
			return err
		}
		if err := s.check(ctx); err != nil {
			return err
		}
		// Together with a position, for a client that receives no events.
		if err := e.write(appendPosition([]byte(": heartbeat\n"), reader.Position())); err != nil {
			return err
		}
	}
}

// errHeartbeat is the reason for which writeUntil ends when a heartbeat is due.
var errHeartbeat = errors.New("heartbeat")

// writeUntil writes events until ctx ends, and then returns its cause.
func (e *eventWriter) writeUntil(
	ctx context.Context,
	reader *stream.Reader,
	passes func(*activity.Event) bool,
) error {
	for {
		event, err := reader.Next(ctx)
		if err == nil {
			err = e.writeEvents(event, reader, passes)
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return err
		}
	}
}

// appendPosition appends an id without an event: the client remembers it, and its application
// receives nothing.
func appendPosition(b []byte, at stream.Position) []byte {
	return append(append(append(b, "id: "...), at.String()...), "\n\n"...)
}

// The limits of one write.
const (
	maxWriteBytes  = 32 << 10 // exceeded by at most one event
	maxWriteEvents = 256
)

// writeEvents sends an event together with those that are ready after it, so that a busy server
// writes less often.
func (e *eventWriter) writeEvents(event *stream.Event, reader *stream.Reader, passes func(*activity.Event) bool) error {
	// A stream has a buffer only while it writes: of thousands of streams, few do at one time.
	buffer := e.buffers.Get().(*[]byte)
	b := (*buffer)[:0]
	defer func() { *buffer = b; e.buffers.Put(buffer) }()
	for events := 1; event != nil; events++ {
		if passes(&event.Event) {
			b = appendEvent(b, event)
		}
		if len(b) >= maxWriteBytes || events == maxWriteEvents {
			break
		}
		event = reader.Ready()
	}
	if len(b) == 0 {
		return nil
	}
	return e.write(b)
}

// dropReason returns the reason for the end of a stream. It does not disclose internal errors.
func dropReason(err error) string {
	for _, known := range []error{
		stream.ErrSlow, stream.ErrLost, stream.ErrClosed, errLasted, errExpired, errRevoked,
	} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "interrupted: reconnect with the id of the last event to continue"
}

func appendEvent(b []byte, e *stream.Event) []byte {
	b = append(append(b, "id: "...), e.Position.String()...)
	b = append(b, "\nevent: activity\ndata: "...)
	b = append(b, e.Data...) // one line of JSON
	return append(b, "\n\n"...)
}

// write sends and flushes b. A client that does not accept it within eventTimeout is disconnected.
func (e *eventWriter) write(b []byte) error {
	if err := e.control.SetWriteDeadline(time.Now().Add(eventTimeout)); err != nil {
		return err
	}
	if _, err := e.w.Write(b); err != nil {
		return err
	}
	return e.control.Flush()
}
