package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/outbox"
)

func (s *Server) addOutbox(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "get-outbox", Method: http.MethodGet, Path: "/outbox", Tags: []string{"Operators"}, Security: requireScope(identity.ScopeAdmin),
		Summary:     "Count what is waiting to be told",
		Description: "The tenant's own.",
		Responses:   problems(http.StatusForbidden),
	}, s.getOutbox)
	handle(s, routes, huma.Operation{
		OperationID: "list-dead-letters", Method: http.MethodGet, Path: "/outbox/dead", Tags: []string{"Operators"}, Security: requireScope(identity.ScopeAdmin),
		Summary:     "List what could not be told",
		Description: "The tenant's latest dead letters. A dead letter holds nobody up.",
		Responses:   problems(http.StatusForbidden),
	}, s.listDeadLetters)
	handle(s, routes, huma.Operation{
		OperationID: "replay-dead-letter", Method: http.MethodPost, Path: "/outbox/dead/{id}/replay", Tags: []string{"Operators"}, Security: requireScope(identity.ScopeAdmin),
		Summary:     "Put a dead letter back into the outbox",
		Description: "Behind what is there. Only the channels that were not reached are published to, and nobody's inbox gets a second row.",
		Responses:   problems(http.StatusForbidden, http.StatusNotFound),
	}, s.replayDeadLetter)
}

type outboxResponse struct{ Body OutboxStatus }

// OutboxStatus counts what is waiting.
type OutboxStatus struct {
	outbox.Status
}

// TransformSchema says what the counts are.
func (OutboxStatus) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	for name, text := range map[string]string{
		"pending": "Waiting to be told.", "oldest_at": "When the oldest of them was recorded.", "parked": "Waiting for their next try, or behind one that does.",
		"failing": "Of those, the ones that have failed themselves.", "broadcasts": "Wide audiences that are being told.", "dead_letters": "Could not be told.",
	} {
		s.Properties[name].Description = text
	}
	s.Properties["oldest_at"].Nullable = true
	return s
}

func (s *Server) getOutbox(ctx context.Context, caller identity.Identity, _ *struct{}) (*outboxResponse, error) {
	status, err := outbox.NewBacklog(s.pool).Status(ctx, caller.TenantID)
	if err != nil {
		return nil, err
	}
	return &outboxResponse{OutboxStatus{status}}, nil
}

// DeadLetter is an activity that could not be told.
type DeadLetter struct {
	outbox.DeadLetter
}

// TransformSchema says what the fields are.
func (DeadLetter) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	for _, name := range []string{"activity_id", "tenant_id", "resource_id"} {
		s.Properties[name].Format = "uuid"
	}
	s.Properties["action"].Description = "Empty when the log does not hold it any more."
	s.Properties["channels"].Description = "Those that were not reached; null means all."
	return s
}

type deadLettersResponse struct {
	Body struct {
		Items []DeadLetter `json:"items" nullable:"false" doc:"The latest first."`
	} `nameHint:"DeadLetterList"`
}

func (s *Server) listDeadLetters(ctx context.Context, caller identity.Identity, in *struct {
	Limit int `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"At most so many items."`
},
) (*deadLettersResponse, error) {
	letters, err := outbox.NewBacklog(s.pool).DeadLetters(ctx, caller.TenantID, in.Limit)
	if err != nil {
		return nil, err
	}
	response := &deadLettersResponse{}
	response.Body.Items = make([]DeadLetter, len(letters))
	for i, letter := range letters {
		response.Body.Items[i] = DeadLetter{letter}
	}
	return response, nil
}

type replayResponse struct {
	Body struct {
		Replayed int64 `json:"replayed" doc:"How many were put back."`
	} `nameHint:"ReplayedCount"`
}

func (s *Server) replayDeadLetter(ctx context.Context, caller identity.Identity, in *struct {
	ID ID `path:"id" doc:"The activity's id."`
},
) (*replayResponse, error) {
	response := &replayResponse{}
	var err error
	response.Body.Replayed, err = outbox.NewBacklog(s.pool).Replay(ctx, caller.TenantID, in.ID.UUID)
	if err != nil {
		return nil, err
	}
	return response, nil
}
