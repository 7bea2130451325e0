package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

func (s *Server) addResources(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "list-resources", Method: http.MethodGet, Path: "/resources", Tags: []string{"Directory"},
		Summary: "List resources",
		Description: "The resources that the caller may see: those that the caller owns, and those on or below which " +
			"the caller holds a role. Without `parent_id`, the highest of them; with the scope activity:read, those " +
			"without a parent. `q` searches at any depth. In the order of their ids. " + shortPages,
		Responses: problems(http.StatusNotFound),
	}, s.listResources)
	handle(s, routes, huma.Operation{
		OperationID: "get-resource", Method: http.MethodGet, Path: "/resources/{id}", Tags: []string{"Directory"},
		Summary:   "Get a resource and its ancestors",
		Responses: problems(http.StatusNotFound),
	}, s.getResource)
}

// DirectoryResource is a resource of the directory.
type DirectoryResource struct {
	ResourceID  uuid.UUID  `json:"resource_id" format:"uuid"`
	Type        string     `json:"type"`
	Name        string     `json:"name"`
	ParentID    *uuid.UUID `json:"parent_id" format:"uuid" nullable:"true"`
	HasChildren bool       `json:"has_children" doc:"Whether there are resources below it that the caller may see."`
	Owner       bool       `json:"owner" doc:"Whether the caller owns it."`
	Roles       []string   `json:"roles" nullable:"false"`
}

// TransformSchema adds descriptions to the schema.
func (DirectoryResource) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, map[string]string{
		"parent_id": "Null without a parent that the caller may see.",
		"roles":     "The caller's roles on it, directly or through groups, not those above it; at most 20.",
	})
}

// ResourceDetails is a resource with its ancestors.
type ResourceDetails struct {
	DirectoryResource
	Ancestors []DirectoryResource `json:"ancestors" nullable:"false" doc:"Those to be seen, the nearest last."`
}

// TransformSchema adds descriptions to the schema.
func (ResourceDetails) TransformSchema(r huma.Registry, s *huma.Schema) *huma.Schema {
	return DirectoryResource{}.TransformSchema(r, s)
}

func resourceOf(r directory.Resource) DirectoryResource {
	resource := DirectoryResource{
		ResourceID: r.ID, Type: r.Type, Name: r.Name, HasChildren: r.HasChildren, Owner: r.Owner, Roles: r.Roles,
	}
	if r.ParentID != uuid.Nil {
		resource.ParentID = &r.ParentID
	}
	return resource
}

func resourcesOf(list []directory.Resource) []DirectoryResource {
	resources := make([]DirectoryResource, len(list))
	for i, r := range list {
		resources[i] = resourceOf(r)
	}
	return resources
}

// readerOf returns the caller as a reader of the directory.
func readerOf(caller identity.Identity) directory.Reader {
	return directory.Reader{Principal: caller.Principal, All: caller.Scopes.Has(identity.ScopeRead)}
}

// ResourceFilter selects resources.
type ResourceFilter struct {
	ParentID ID     `query:"parent_id" json:"parent_id,omitempty" doc:"The resource directly below which they are."`
	Q        string `query:"q" json:"q,omitempty" maxLength:"200" doc:"In the name. Of any depth below parent_id."`
}

type resourcesResponse struct {
	Body struct {
		Items      []DirectoryResource `json:"items" nullable:"false" doc:"In the order of their ids."`
		NextCursor *string             `json:"next_cursor" nullable:"true" doc:"Null on the last page."`
		Complete   bool                `json:"complete" doc:"False if only the nearest 20,000 were searched."`
	} `nameHint:"ResourcePage"`
}

func (s *Server) listResources(ctx context.Context, caller identity.Identity, in *struct {
	ResourceFilter
	PageQuery
},
) (*resourcesResponse, error) {
	reader := readerOf(caller)
	filter := struct {
		ResourceFilter
		All bool
	}{in.ResourceFilter, reader.All}
	after, err := s.after(ctx, in.PageQuery, filter)
	if err != nil {
		return nil, err
	}
	page, err := directory.ListResources(ctx, s.reads(ctx), reader, directory.ResourceQuery{
		ParentID: in.ParentID.UUID, Name: in.Q, Limit: in.Limit, After: after,
	})
	if err != nil {
		return nil, err
	}
	response := &resourcesResponse{}
	response.Body.Items, response.Body.Complete = resourcesOf(page.Items), page.Complete
	response.Body.NextCursor, err = s.nextCursor(ctx, page.Next, filter)
	return response, err
}

type resourceResponse struct{ Body ResourceDetails }

func (s *Server) getResource(ctx context.Context, caller identity.Identity, in *struct {
	ID ID `path:"id" doc:"The resource's id."`
},
) (*resourceResponse, error) {
	found, ancestors, err := directory.GetResource(ctx, s.reads(ctx), readerOf(caller), in.ID.UUID)
	if err != nil {
		return nil, err
	}
	return &resourceResponse{ResourceDetails{resourceOf(found), resourcesOf(ancestors)}}, nil
}
