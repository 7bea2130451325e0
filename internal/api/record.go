package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/activity/payload"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/outbox"
)

// recordOperation records activities. Its body is checked by readEnvelopes and by the database.
const recordOperation = "record-activities"

// The bounds of a request that records activities.
const (
	maxRecorded     = 1000    // envelopes
	recordBodyBytes = 4 << 20 // bytes of the body, unless Limits.BodyBytes is higher
)

func (s *Server) addRecord(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: recordOperation, Method: http.MethodPost, Path: "/activities", Tags: []string{"Activities"},
		Summary:       "Record activities",
		DefaultStatus: http.StatusAccepted,
		Security:      requireScope(identity.ScopeWrite),
		Description: "Records one envelope, or up to 1,000 in `activities`, all of them or none, by the rules of the " +
			"SQL function `fanfare.record_activity`. Their tenant is the caller's. The actor, which may be any " +
			"principal of the tenant, is the caller by default. A service token may be limited to some actions.\n\n" +
			"An activity that has the tenant, correlation id, action and resource of an existing one is not recorded " +
			"again, so that a request with correlation ids may be repeated. `errors` names up to 20 violations, " +
			"one for each rejected envelope: `activities[3].action`. The body may have 4 MiB.",
		Responses: problems(http.StatusUnsupportedMediaType),
	}, s.recordActivities)
	body := routes.OpenAPI().Paths["/activities"].Post.RequestBody
	body.Required = true
	body.Content = map[string]*huma.MediaType{
		"application/json": {Schema: recordSchema(routes.OpenAPI().Components.Schemas)},
	}
}

type recordResponse struct {
	Body struct {
		IDs      []uuid.UUID `json:"ids" nullable:"false" doc:"In the order of the envelopes."`
		Existing []uuid.UUID `json:"existing_ids" nullable:"false" doc:"Those of the activities that existed already."`
	} `nameHint:"RecordedActivities"`
}

func (s *Server) recordActivities(ctx context.Context, caller identity.Identity, in *struct {
	RawBody []byte `contentType:"application/json"`
},
) (*recordResponse, error) {
	envelopes, one, err := readEnvelopes(in.RawBody)
	if err != nil {
		return nil, err
	}
	texts, refused := completeEnvelopes(caller, envelopes)
	var recorded []outbox.RecordedID
	if refused == nil {
		recorded, err = outbox.RecordJSON(ctx, s.pool, texts)
		refused, _ = errors.AsType[*invalid.Error](err)
	}
	switch {
	case refused != nil:
		s.guard.Call(func() { s.observer.Recorded(0, 0, len(refused.Fields)) })
		return nil, recordProblem(refused, one)
	case err != nil:
		return nil, err
	}
	response := &recordResponse{}
	response.Body.IDs, response.Body.Existing = make([]uuid.UUID, len(recorded)), []uuid.UUID{}
	for i, r := range recorded {
		response.Body.IDs[i] = r.ID
		if !r.Created {
			response.Body.Existing = append(response.Body.Existing, r.ID)
		}
	}
	existing := len(response.Body.Existing)
	s.guard.Call(func() { s.observer.Recorded(len(recorded)-existing, existing, 0) })
	return response, nil
}

// envelope is an envelope's fields as JSON. Of equal names the last counts, as in jsonb.
type envelope map[string]json.RawMessage

// readEnvelopes reads a body of valid JSON: one envelope, or an object that has only a list of
// envelopes. The error is a *Problem.
func readEnvelopes(body []byte) (envelopes []envelope, one bool, err error) {
	var whole envelope
	if json.Unmarshal(body, &whole) != nil || whole == nil {
		return nil, false, fieldProblem(InvalidField, "body", "must be an object")
	}
	list, found := whole["activities"]
	if !found {
		return []envelope{whole}, true, nil
	}
	var texts []json.RawMessage
	switch err := json.Unmarshal(list, &texts); {
	case len(whole) > 1:
		return nil, false, fieldProblem(InvalidField, "activities", "must be the only field of the body")
	case err != nil || texts == nil:
		return nil, false, fieldProblem(InvalidField, "activities", "must be an array")
	case len(texts) == 0:
		return nil, false, fieldProblem(InvalidField, "activities", "must have at least 1 item")
	case len(texts) > maxRecorded:
		rule := fmt.Sprintf("must have at most %d items", maxRecorded)
		return nil, false, fieldProblem(InvalidField, "activities", rule)
	}
	envelopes = make([]envelope, len(texts))
	problem := newProblem(InvalidField)
	for i, text := range texts {
		if json.Unmarshal(text, &envelopes[i]) != nil || envelopes[i] == nil {
			field := fmt.Sprintf("activities[%d]", i)
			problem = problem.withViolations(Violation{Field: field, Rule: "must be an object"})
		}
	}
	if len(problem.Errors) > 0 {
		return nil, false, problem
	}
	return envelopes, false, nil
}

// completeEnvelopes returns the envelopes as JSON for outbox.RecordJSON, with the caller's tenant,
// and the caller as actor where there is none. The *invalid.Error names the first violation of each
// envelope that jsonb cannot represent, or that the caller may not record.
func completeEnvelopes(caller identity.Identity, envelopes []envelope) ([]string, *invalid.Error) {
	permitted := caller.Actions.Matcher()
	texts := make([]string, len(envelopes))
	var refused invalid.Error
	for i, e := range envelopes {
		if field := e.complete(caller, permitted); field != nil {
			field.Name = fmt.Sprintf("envelopes[%d].%s", i, field.Name)
			refused.Fields = append(refused.Fields, *field)
			continue
		}
		text, err := json.Marshal(e)
		if err != nil {
			panic("api: valid JSON cannot be encoded: " + err.Error())
		}
		texts[i] = string(text)
	}
	if len(refused.Fields) > 0 {
		return nil, &refused
	}
	return texts, nil
}

// complete sets the tenant and a missing actor, and returns a violation or nil.
func (e envelope) complete(caller identity.Identity, permitted func(action string) bool) *invalid.Field {
	for _, name := range slices.Sorted(maps.Keys(e)) {
		if !storableText(name) {
			return &invalid.Field{
				Name: strings.ReplaceAll(strings.ToValidUTF8(name, "\uFFFD"), "\x00", "\uFFFD"),
				Rule: "is not a field of the envelope",
			}
		}
		if rule := payload.Unstorable(e[name]); rule != "" {
			return &invalid.Field{Name: name, Rule: rule}
		}
	}
	// PostgreSQL reads forms of a UUID that this code does not, so the tenant is always replaced.
	switch tenant, err := e.id("tenant_id"); {
	case err != nil:
		return &invalid.Field{Name: "tenant_id", Rule: "must be a UUID"}
	case tenant != uuid.Nil && tenant != caller.TenantID:
		return &invalid.Field{Name: "tenant_id", Value: tenant.String(), Rule: "must be the tenant of the credential"}
	}
	e["tenant_id"] = quoted(caller.TenantID)
	if actor, err := e.id("actor_principal_id"); err == nil && actor == uuid.Nil {
		e["actor_principal_id"] = quoted(caller.PrincipalID)
	}
	var action string
	if json.Unmarshal(e["action"], &action) == nil && action != "" && !permitted(action) {
		rule := "is not among the actions that the credential may record"
		return &invalid.Field{Name: "action", Value: action, Rule: rule}
	}
	return nil
}

// id returns the UUID of a field, uuid.Nil if it has no value.
func (e envelope) id(name string) (id uuid.UUID, err error) {
	if raw, given := e[name]; given {
		err = json.Unmarshal(raw, &id)
	}
	return id, err
}

func quoted(id uuid.UUID) json.RawMessage { return json.RawMessage(`"` + id.String() + `"`) }

// recordProblem returns the problem of rejected envelopes, with the fields named as the body has
// them.
func recordProblem(refused *invalid.Error, one bool) *Problem {
	named := &invalid.Error{Fields: slices.Clone(refused.Fields)}
	for i, f := range named.Fields {
		if one {
			_, named.Fields[i].Name, _ = strings.Cut(f.Name, ".")
		} else {
			named.Fields[i].Name = "activities" + strings.TrimPrefix(f.Name, "envelopes")
		}
	}
	return validationProblem(named)
}
