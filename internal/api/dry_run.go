package api

import (
	"context"
	"errors"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/explain"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/outbox"
)

// dryRunOperation explains an envelope that is not recorded. Its body is checked as that of
// recordOperation.
const dryRunOperation = "dry-run-activity"

func (s *Server) addDryRun(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: dryRunOperation, Method: http.MethodPost, Path: "/activities/dry-run",
		Tags:    []string{"Activities"},
		Summary: "Explain an envelope without recording it",
		Description: "Checks an envelope by every rule of recording, and describes the audience that its activity " +
			"would have now. Nothing is recorded. Requires ownership of the resource, a delegator's role, or the " +
			"scope activity:admin: what the envelope gives as owner and parent counts for nothing. With the scope " +
			"activity:write alone, the answer has no audience. " + shortPages,
		Responses: problems(http.StatusNotFound, http.StatusUnsupportedMediaType),
	}, s.dryRun)
	registry := routes.OpenAPI().Components.Schemas
	body := routes.OpenAPI().Paths["/activities/dry-run"].Post.RequestBody
	body.Required = true
	body.Content = map[string]*huma.MediaType{"application/json": {
		Schema: registry.Schema(reflect.TypeFor[Envelope](), true, "Envelope"),
	}}
	describe(registry.Map()["DryRun"], map[string]string{
		"existing_id": "The activity of which the envelope is a duplicate: it would notify no principal. Else null.",
		"warning": "In the mode warn, the first rule of the taxonomy that the envelope violates, which the " +
			"activity would have as its warning. Otherwise empty: strict refuses, and off does not check.",
		"channels":      "The channels that it would be published on, besides those of its recipients.",
		"undeliverable": "Why the activity would become a dead letter; empty if it can be delivered.",
		"items":         "In the order of their ids; null for a caller who may not see the audience.",
		"next_cursor":   "Null on the last page. Send the same envelope with it.",
	})
}

type dryRunResponse struct {
	Body struct {
		ExistingID    *uuid.UUID               `json:"existing_id" nullable:"true" format:"uuid"`
		Warning       string                   `json:"warning"`
		Undeliverable string                   `json:"undeliverable"`
		Channels      []string                 `json:"channels" nullable:"false"`
		Items         []explain.AudienceMember `json:"items" nullable:"true"`
		NextCursor    *string                  `json:"next_cursor" nullable:"true"`
	} `nameHint:"DryRun"`
}

func (s *Server) dryRun(ctx context.Context, caller identity.Identity, in *struct {
	NotifiedQuery
	PageQuery
	RawBody []byte `contentType:"application/json"`
},
) (*dryRunResponse, error) {
	envelopes, one, err := readEnvelopes(in.RawBody)
	if err != nil {
		return nil, err
	}
	if !one {
		return nil, fieldProblem(InvalidField, "activities", "is not a field of the envelope")
	}
	draft := draftOf(caller, envelopes[0])
	filter := []any{draft.ResourceID, in.Notified}
	after, err := s.after(ctx, in.PageQuery, filter)
	if err != nil {
		return nil, err
	}
	page := explain.Page{Limit: in.Limit, After: after, Notified: in.selected()}
	result, err := s.explainer.DryRun(ctx, askerOf(caller), draft, page)
	if refused, ok := errors.AsType[*invalid.Error](err); ok {
		return nil, recordProblem(refused, true)
	}
	if err != nil {
		return nil, err
	}
	response := &dryRunResponse{}
	body := &response.Body
	body.Warning, body.Undeliverable = result.Warning, result.Undeliverable
	if body.Channels = result.Channels; body.Channels == nil {
		body.Channels = []string{}
	}
	if result.Existing != uuid.Nil {
		body.ExistingID = &result.Existing
	}
	if result.Audience != nil {
		body.Items = result.Audience.Members
		body.NextCursor, err = s.nextCursor(ctx, result.Audience.Next, filter)
	}
	return response, err
}

// draftOf returns the draft of an envelope, which is recorded as recordActivities does. A violation
// that is found without the database is an error of its Record, after the caller's right is
// decided.
func draftOf(caller identity.Identity, e envelope) explain.Draft {
	draft := explain.Draft{Recordable: caller.Scopes.Has(identity.ScopeWrite)}
	if id, err := e.id("resource_id"); err == nil {
		draft.ResourceID = id
	}
	texts, refused := completeEnvelopes(caller, []envelope{e})
	draft.Record = func(ctx context.Context, tx pgx.Tx) (uuid.UUID, bool, error) {
		if refused != nil {
			return uuid.Nil, false, refused
		}
		recorded, err := outbox.RecordJSON(ctx, tx, texts)
		if err != nil {
			return uuid.Nil, false, err
		}
		return recorded[0].ID, recorded[0].Created, nil
	}
	return draft
}
