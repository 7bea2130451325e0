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
			OperationID: id, Method: http.MethodGet, Path: path, Tags: []string{"Audit"}, Security: requireScope(identity.ScopeRead), Summary: summary,
			Description: "Of the whole tenant, newest first. A page may hold fewer items than asked for, even none, and still have a next one.",
			Responses:   problems(http.StatusForbidden),
		}
	}
	handle(s, routes, list("list-audit", "/audit", "Read the log"), s.listAudit)
	handle(
		s,
		routes,
		list("list-audit-of-entity", "/audit/entities/{type}/{id}", "Read the log of a resource"),
		s.listAuditOfEntity,
	)
	handle(
		s,
		routes,
		list("list-audit-of-actor", "/audit/actors/{id}", "Read the log of what somebody did"),
		s.listAuditOfActor,
	)
	handle(
		s,
		routes,
		list("list-audit-of-owner", "/audit/owners/{id}", "Read the log of what somebody owns"),
		s.listAuditOfOwner,
	)
	handle(s, routes, huma.Operation{
		OperationID: "count-audit", Method: http.MethodGet, Path: "/audit/count", Tags: []string{"Audit"}, Security: requireScope(identity.ScopeRead),
		Summary:   "Count activities in the log",
		Responses: problems(http.StatusForbidden),
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
	return s.audit(
		ctx, caller, filterOf(in.FilterCommon, in.FilterActor, in.FilterResource, in.FilterOwner), in.PageQuery,
	)
}

func (s *Server) listAuditOfEntity(ctx context.Context, caller identity.Identity, in *struct {
	Type string `path:"type" minLength:"1" maxLength:"100" doc:"The resource's type." example:"signal"`
	ID   ID     `path:"id" doc:"The resource's id."`
	FilterCommon
	FilterActor
	FilterOwner
	PageQuery
},
) (*activitiesResponse, error) {
	return s.audit(
		ctx,
		caller,
		filterOf(in.FilterCommon, in.FilterActor, in.FilterOwner, FilterResource{in.ID, in.Type}),
		in.PageQuery,
	)
}

func (s *Server) listAuditOfActor(ctx context.Context, caller identity.Identity, in *struct {
	ID ID `path:"id" doc:"The principal's id."`
	FilterCommon
	FilterResource
	FilterOwner
	PageQuery
},
) (*activitiesResponse, error) {
	return s.audit(
		ctx,
		caller,
		filterOf(in.FilterCommon, in.FilterResource, in.FilterOwner, FilterActor{in.ID}),
		in.PageQuery,
	)
}

func (s *Server) listAuditOfOwner(ctx context.Context, caller identity.Identity, in *struct {
	ID ID `path:"id" doc:"The principal's id."`
	FilterCommon
	FilterActor
	FilterResource
	PageQuery
},
) (*activitiesResponse, error) {
	return s.audit(
		ctx,
		caller,
		filterOf(in.FilterCommon, in.FilterActor, in.FilterResource, FilterOwner{in.ID}),
		in.PageQuery,
	)
}

// audit reads a page of the tenant's log.
func (s *Server) audit(
	ctx context.Context,
	caller identity.Identity,
	f activity.Filter,
	q PageQuery,
) (*activitiesResponse, error) {
	before, err := s.after(ctx, q, f)
	if err != nil {
		return nil, err
	}
	found, next, err := pglog.New(s.pool).
		List(ctx, caller.TenantID, f, activity.Page{Limit: q.Limit, Before: before})
	if err != nil {
		return nil, err
	}
	return s.activitiesPage(ctx, found, next, f, true)
}

type countResponse struct {
	Body struct {
		Count int  `json:"count" doc:"How many there are, or at least so many."`
		Exact bool `json:"exact" doc:"Whether that is all. Counting stops where it would take too long."`
	} `nameHint:"Count"`
}

// maxCount is where counting stops.
const maxCount = activity.CountBudget

func (s *Server) countAudit(ctx context.Context, caller identity.Identity, in *struct {
	FilterCommon
	FilterActor
	FilterResource
	FilterOwner
},
) (*countResponse, error) {
	response := &countResponse{}
	var err error
	response.Body.Count, response.Body.Exact, err = pglog.New(s.pool).
		Count(
			ctx, caller.TenantID, filterOf(in.FilterCommon, in.FilterActor, in.FilterResource, in.FilterOwner),
			maxCount,
		)
	if err != nil {
		return nil, err
	}
	return response, nil
}
