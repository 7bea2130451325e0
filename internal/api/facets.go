package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

func (s *Server) addFacets(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "list-facets", Method: http.MethodGet, Path: "/audit/facets",
		Tags: []string{"Audit"}, Security: requireScope(identity.ScopeRead),
		Summary: "Count activities by the values of fields",
		Description: "For each of `fields`, the most frequent values among the activities that pass the filter, and " +
			"their numbers. A value is one of the filter of the same name.",
		Responses: problems(),
	}, s.listFacets)
}

// FacetValue is a value of a field, and the number of activities that have it.
type FacetValue struct {
	Value string `json:"value"`
	Label string `json:"label" doc:"The name of a principal or a resource, if the directory has one; else the value."`
	Count int64  `json:"count"`
}

type facetsResponse struct {
	Body struct {
		Facets map[string][]FacetValue `json:"facets" doc:"By field, the most frequent value first."`
		Count  int64                   `json:"count" doc:"The number of activities that are counted."`
		Exact  bool                    `json:"exact" doc:"False if only the newest 50,000 activities were compared."`
	} `nameHint:"Facets"`
}

func (s *Server) listFacets(ctx context.Context, caller identity.Identity, in *struct {
	FilterCommon
	FilterActor
	FilterResource
	FilterOwner
	Fields string `query:"fields" maxLength:"200" example:"action,actor" doc:"Separated by commas. Default all."`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"The number of values of each field."`
},
) (*facetsResponse, error) {
	fields, err := parseFacets(in.Fields)
	if err != nil {
		return nil, err
	}
	filter := filterOf(in.FilterCommon, in.FilterActor, in.FilterResource, in.FilterOwner)
	found, err := pglog.New(s.reads(ctx)).Facets(ctx, caller.TenantID, filter, fields, in.Limit)
	if err != nil {
		return nil, err
	}
	labels, err := s.labels(ctx, caller.TenantID, found)
	if err != nil {
		return nil, err
	}
	response := &facetsResponse{}
	response.Body.Facets = make(map[string][]FacetValue, len(fields))
	response.Body.Count, response.Body.Exact = found.Activities, found.Exact
	for facet, values := range found.Values {
		list := make([]FacetValue, len(values))
		for i, v := range values {
			list[i] = FacetValue{Value: v.Value, Label: v.Value, Count: v.Activities}
			if label := labels[v.Value]; label != "" {
				list[i].Label = label
			}
		}
		response.Body.Facets[string(facet)] = list
	}
	return response, nil
}

// parseFacets reads names of facets that commas separate. The error is a *Problem.
func parseFacets(text string) ([]pglog.Facet, error) {
	if text == "" {
		return pglog.AllFacets(), nil
	}
	var fields []pglog.Facet
	for name := range strings.SplitSeq(text, ",") {
		facet := pglog.Facet(name)
		if !slices.Contains(pglog.AllFacets(), facet) {
			return nil, fieldProblem(InvalidField, "fields", "must be of "+facetNames())
		}
		if !slices.Contains(fields, facet) {
			fields = append(fields, facet)
		}
	}
	return fields, nil
}

func facetNames() string {
	var names []string
	for _, facet := range pglog.AllFacets() {
		names = append(names, string(facet))
	}
	return strings.Join(names, ", ")
}

// labels returns the names that the directory has for the values of facets.
func (s *Server) labels(ctx context.Context, tenant uuid.UUID, found pglog.Facets) (map[string]string, error) {
	labels := map[string]string{}
	var principals []activity.Principal
	for _, facet := range []pglog.Facet{pglog.ByActor, pglog.ByOwner} {
		for _, id := range idsOf(found.Values[facet]) {
			principals = append(principals, activity.Principal{TenantID: tenant, PrincipalID: id})
		}
	}
	named, err := directory.NameActors(ctx, s.reads(ctx), principals)
	if err != nil {
		return nil, err
	}
	for p, entry := range named {
		labels[p.PrincipalID.String()] = entry.DisplayName
	}
	resources, err := directory.NameResources(ctx, s.reads(ctx), tenant, idsOf(found.Values[pglog.ByResource]))
	if err != nil {
		return nil, err
	}
	for id, name := range resources {
		labels[id.String()] = name
	}
	return labels, nil
}

// idsOf returns the values of a facet that are ids.
func idsOf(values []pglog.Frequency) []uuid.UUID {
	ids := make([]uuid.UUID, 0, len(values))
	for _, v := range values {
		if id, err := uuid.Parse(v.Value); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}
