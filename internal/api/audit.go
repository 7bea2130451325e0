package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/identity"
)

func (s *Server) addAudit(routes huma.API) {
	list := func(id, path, summary string) huma.Operation {
		return huma.Operation{
			OperationID: id, Method: http.MethodGet, Path: path,
			Tags: []string{"Audit"}, Security: requireScope(identity.ScopeRead),
			Summary:     summary,
			Description: "The activities of the tenant, newest first. " + shortPages,
			Responses:   problems(),
		}
	}
	handle(s, routes, list("list-audit", "/audit", "List the activity log"), s.listAudit)
	handle(s, routes,
		list("list-audit-of-entity", "/audit/entities/{type}/{id}", "List the activities of a resource"),
		s.listAuditOfEntity)
	handle(s, routes,
		list("list-audit-of-actor", "/audit/actors/{id}", "List the activities of an actor"),
		s.listAuditOfActor)
	handle(s, routes,
		list("list-audit-of-owner", "/audit/owners/{id}", "List the activities of an owner's resources"),
		s.listAuditOfOwner)
	handle(s, routes, huma.Operation{
		OperationID: "count-audit", Method: http.MethodGet, Path: "/audit/count",
		Tags: []string{"Audit"}, Security: requireScope(identity.ScopeRead),
		Summary:   "Count activities",
		Responses: problems(),
	}, s.countAudit)
}

type auditInput struct {
	FilterCommon
	FilterActor
	FilterResource
	FilterOwner
	PageQuery
}

func (s *Server) listAudit(ctx context.Context, caller identity.Identity, in *auditInput) (*activitiesResponse, error) {
	return s.audit(ctx, caller, in.PageQuery, in.FilterCommon, in.FilterActor, in.FilterResource, in.FilterOwner)
}

func (s *Server) listAuditOfEntity(ctx context.Context, caller identity.Identity, in *struct {
	Type string `path:"type" minLength:"1" maxLength:"100" doc:"The resource's type." example:"project"`
	ID   ID     `path:"id" doc:"The resource's id."`
	FilterCommon
	FilterActor
	FilterOwner
	PageQuery
},
) (*activitiesResponse, error) {
	resource := FilterResource{in.ID, in.Type}
	return s.audit(ctx, caller, in.PageQuery, in.FilterCommon, in.FilterActor, in.FilterOwner, resource)
}

func (s *Server) listAuditOfActor(ctx context.Context, caller identity.Identity, in *struct {
	ID ID `path:"id" doc:"The actor's id."`
	FilterCommon
	FilterResource
	FilterOwner
	PageQuery
},
) (*activitiesResponse, error) {
	return s.audit(ctx, caller, in.PageQuery, in.FilterCommon, in.FilterResource, in.FilterOwner, FilterActor{in.ID})
}

func (s *Server) listAuditOfOwner(ctx context.Context, caller identity.Identity, in *struct {
	ID ID `path:"id" doc:"The owner's id."`
	FilterCommon
	FilterActor
	FilterResource
	PageQuery
},
) (*activitiesResponse, error) {
	return s.audit(ctx, caller, in.PageQuery, in.FilterCommon, in.FilterActor, in.FilterResource, FilterOwner{in.ID})
}

// audit reads a page of the tenant's activity log.
func (s *Server) audit(
	ctx context.Context,
	caller identity.Identity,
	q PageQuery,
	parts ...filterPart,
) (*activitiesResponse, error) {
	filter := filterOf(parts...)
	before, err := s.after(ctx, q, filter)
	if err != nil {
		return nil, err
	}
	page := activity.Page{Limit: q.Limit, Before: before}
	found, next, err := pglog.New(s.reads(ctx)).List(ctx, caller.TenantID, filter, page)
	if err != nil {
		return nil, err
	}
	return s.activitiesPage(ctx, found, next, filter, true)
}

type countResponse struct {
	Body struct {
		Count int  `json:"count" doc:"The number of activities, or a lower bound."`
		Exact bool `json:"exact" doc:"Whether the count is exact. Counting stops at a limit."`
	} `nameHint:"Count"`
}

// maxCount is the count at which counting stops.
const maxCount = activity.CountBudget

func (s *Server) countAudit(ctx context.Context, caller identity.Identity, in *struct {
	FilterCommon
	FilterActor
	FilterResource
	FilterOwner
},
) (*countResponse, error) {
	filter := filterOf(in.FilterCommon, in.FilterActor, in.FilterResource, in.FilterOwner)
	count, exact, err := pglog.New(s.reads(ctx)).Count(ctx, caller.TenantID, filter, maxCount)
	if err != nil {
		return nil, err
	}
	response := &countResponse{}
	response.Body.Count, response.Body.Exact = count, exact
	return response, nil
}
