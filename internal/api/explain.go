package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/explain"
	"github.com/fanfarehq/fanfare/internal/identity"
)

func (s *Server) addExplain(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "explain-activity", Method: http.MethodGet, Path: "/activities/{id}/explain",
		Tags: []string{"Activities"}, Summary: "Explain who is notified of an activity",
		Description: "Describes for one principal every rule in its order, what a delivery at this moment would do, " +
			"and what the inbox holds of the delivery. About the caller, it requires that the caller may see the " +
			"activity; about others, ownership of the resource, a delegator's role, or the scope activity:admin. " +
			"Ids that the caller may not see are withheld.",
		Responses: problems(http.StatusNotFound),
	}, s.explainActivity)
	handle(s, routes, huma.Operation{
		OperationID: "list-audience", Method: http.MethodGet, Path: "/activities/{id}/audience",
		Tags: []string{"Activities"}, Summary: "List the audience of an activity",
		Description: "All principals that the activity concerns, whether they are notified or not. Requires " +
			"ownership of the resource, a delegator's role, or the scope activity:admin. " + shortPages,
		Responses: problems(http.StatusNotFound),
	}, s.listAudience)
	describeExplanations(routes.OpenAPI().Components.Schemas)
}

// describeExplanations adds descriptions and enumerations to the schemas of the routes.
func describeExplanations(registry huma.Registry) {
	all := registry.Map()
	var rules []any
	for _, name := range explain.Rules() {
		rules = append(rules, name)
	}
	all["RuleResult"].Properties["rule"].Enum = rules
	all["Outcome"].Properties["decided_by"].Enum = rules[:len(rules)-1]
	describe(all["Outcome"], map[string]string{
		"group_id": "A group through which a reason holds that does not hold directly; null if all hold directly, or " +
			"if the caller may not see it.",
	})
	describe(all["PastDelivery"], map[string]string{
		"state": "notified: the notification exists. pending: the activity is not delivered yet. dead: it could not " +
			"be delivered. none: the principal was not notified, or the notification has been removed.",
	})
	describe(all["RuleResult"], map[string]string{
		"result":  "passed: the rule does not decide. not_reached: an earlier rule decides.",
		"level":   "Of the rule level.",
		"set_by":  "Who has set what the rules muted, mode and delivery apply.",
		"pattern": "The first pattern that matches the action, or else the nearest one.",
	})
	describe(all["LevelInForce"], map[string]string{
		"resource_id": "The resource that it is set for; null if the caller may not see it.",
		"where":       "On the activity's resource, or above it.",
	})
	describe(all["Ground"], map[string]string{
		"where":    "On the activity's resource, above it, or beside it: elsewhere below its parent.",
		"group_id": "The group that has the subscription or the role; absent if the principal itself has it.",
		"withheld": "Ids are missing, because the caller may not see them.",
	})
}

type explanationResponse struct{ Body explain.Explanation }

func (s *Server) explainActivity(ctx context.Context, caller identity.Identity, in *struct {
	ID          ID `path:"id" doc:"The activity's id."`
	PrincipalID ID `query:"principal_id" doc:"The principal to explain it for; default the caller."`
},
) (*explanationResponse, error) {
	about := in.PrincipalID.UUID
	if about == uuid.Nil {
		about = caller.PrincipalID
	}
	explanation, err := s.explainer.Principal(ctx, askerOf(caller), in.ID.UUID, about)
	if err != nil {
		return nil, err
	}
	return &explanationResponse{explanation}, nil
}

type audienceResponse struct {
	Body struct {
		Items      []explain.AudienceMember `json:"items" nullable:"false" doc:"In the order of their ids."`
		NextCursor *string                  `json:"next_cursor" nullable:"true" doc:"Null on the last page."`
	} `nameHint:"AudiencePage"`
}

// NotifiedQuery selects a part of an audience.
type NotifiedQuery struct {
	Notified string `query:"notified" enum:"true,false" doc:"Only principals who are notified now, or who are not."`
}

// selected returns what Notified says, or nil if it says nothing.
func (q NotifiedQuery) selected() *bool {
	if q.Notified == "" {
		return nil
	}
	return new(q.Notified == "true")
}

func (s *Server) listAudience(ctx context.Context, caller identity.Identity, in *struct {
	ID ID `path:"id" doc:"The activity's id."`
	NotifiedQuery
	PageQuery
},
) (*audienceResponse, error) {
	filter := []any{in.ID, in.Notified}
	after, err := s.after(ctx, in.PageQuery, filter)
	if err != nil {
		return nil, err
	}
	page := explain.Page{Limit: in.Limit, After: after, Notified: in.selected()}
	audience, err := s.explainer.Audience(ctx, askerOf(caller), in.ID.UUID, page)
	if err != nil {
		return nil, err
	}
	response := &audienceResponse{}
	response.Body.Items = audience.Members
	response.Body.NextCursor, err = s.nextCursor(ctx, audience.Next, filter)
	return response, err
}

func askerOf(caller identity.Identity) explain.Asker {
	return explain.Asker{Principal: caller.Principal, Operator: caller.Scopes.Has(identity.ScopeAdmin)}
}
