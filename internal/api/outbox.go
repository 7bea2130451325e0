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
		OperationID: "get-outbox", Method: http.MethodGet, Path: "/outbox",
		Tags: []string{"Operators"}, Security: requireScope(identity.ScopeAdmin),
		Summary:     "Count pending activities",
		Description: "The counts of the tenant's activities that are not delivered.",
		Responses:   problems(),
	}, s.getOutbox)
	handle(s, routes, huma.Operation{
		OperationID: "list-dead-letters", Method: http.MethodGet, Path: "/outbox/dead",
		Tags: []string{"Operators"}, Security: requireScope(identity.ScopeAdmin),
		Summary:     "List dead letters",
		Description: "The latest dead letters of the tenant. A dead letter blocks no other activity.",
		Responses:   problems(),
	}, s.listDeadLetters)
	handle(s, routes, huma.Operation{
		OperationID: "replay-dead-letter", Method: http.MethodPost, Path: "/outbox/dead/{id}/replay",
		Tags: []string{"Operators"}, Security: requireScope(identity.ScopeAdmin),
		Summary: "Replay a dead letter",
		Description: "Returns the activity to the end of the outbox. Its delivery publishes only on the channels " +
			"that were not reached, and adds no second notification to an inbox.",
		Responses: problems(http.StatusNotFound),
	}, s.replayDeadLetter)
}

type outboxResponse struct{ Body OutboxStatus }

// OutboxStatus has the counts of a tenant's pending activities.
type OutboxStatus struct {
	outbox.Status
}

// TransformSchema adds descriptions to the schema.
func (OutboxStatus) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	describe(s, map[string]string{
		"pending":      "Activities in the outbox.",
		"oldest_at":    "When the oldest activity in the outbox was recorded.",
		"parked":       "Activities that wait for a retry, or are blocked by an activity that does.",
		"failing":      "Parked activities that have failed themselves.",
		"broadcasts":   "Fan-out jobs: activities whose wide audience is being notified.",
		"dead_letters": "Dead letters.",
	})
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

// DeadLetter is an activity that could not be delivered.
type DeadLetter struct {
	outbox.DeadLetter
}

// TransformSchema adds formats and descriptions to the schema.
func (DeadLetter) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	for _, name := range []string{"activity_id", "tenant_id", "resource_id"} {
		s.Properties[name].Format = "uuid"
	}
	s.Properties["action"].Description = "Empty if the activity is no longer in the log."
	s.Properties["channels"].Description = "The channels that were not reached; null means all."
	return s
}

type deadLettersResponse struct {
	Body struct {
		Items []DeadLetter `json:"items" nullable:"false" doc:"Latest first."`
	} `nameHint:"DeadLetterList"`
}

func (s *Server) listDeadLetters(ctx context.Context, caller identity.Identity, in *struct {
	Limit int `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"The maximum number of items."`
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
		Replayed int64 `json:"replayed" doc:"The number of activities returned to the outbox."`
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
