package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// maxNamed is the maximum number of ids in a request for names.
const maxNamed = 100

func (s *Server) addPrincipals(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "list-principals", Method: http.MethodGet, Path: "/principals", Tags: []string{"Directory"},
		Summary: "Name or list principals",
		Description: "With `ids`, the principals of the tenant that have these ids, in their order, without those " +
			"that the directory does not contain. Without `ids`, the principals of the tenant in the order of " +
			"their ids, which requires the scope activity:read. " + shortPages,
		Responses: problems(),
	}, s.listPrincipals)
}

// DirectoryPrincipal is a principal of the directory.
type DirectoryPrincipal struct {
	PrincipalID uuid.UUID `json:"principal_id" format:"uuid"`
	Kind        string    `json:"kind" doc:"user, agent, service, group, …"`
	DisplayName string    `json:"display_name"`
	Active      bool      `json:"active" doc:"False if the directory marks the principal inactive."`
}

type principalsResponse struct {
	Body struct {
		Items      []DirectoryPrincipal `json:"items" nullable:"false"`
		NextCursor *string              `json:"next_cursor" nullable:"true" doc:"Null on the last page."`
	} `nameHint:"PrincipalPage"`
}

func (s *Server) listPrincipals(ctx context.Context, caller identity.Identity, in *struct {
	IDs string `query:"ids" maxLength:"3700" doc:"Up to 100 ids, separated by commas."`
	Q   string `query:"q" maxLength:"200" doc:"In the display name."`
	PageQuery
},
) (*principalsResponse, error) {
	var list []directory.Entry
	var next uuid.UUID
	var err error
	switch {
	case in.IDs != "" && (in.Q != "" || in.Cursor != ""):
		return nil, fieldProblem(InvalidField, "ids", "must not be combined with q or cursor")
	case in.IDs != "":
		var ids []uuid.UUID
		if ids, err = parseIDs(in.IDs); err == nil {
			list, err = directory.Principals(ctx, s.reads(ctx), caller.TenantID, ids)
		}
	case !caller.Scopes.Has(identity.ScopeRead):
		return nil, newProblem(InsufficientScope).
			withDetail("This route requires ids, or the scope "+identity.ScopeRead+".").
			withHeader("WWW-Authenticate", identity.InsufficientScope(identity.ScopeRead))
	default:
		var after uuid.UUID
		if after, err = s.after(ctx, in.PageQuery, in.Q); err == nil {
			list, next, err = directory.ListPrincipals(ctx, s.reads(ctx), directory.PrincipalQuery{
				Tenant: caller.TenantID, Name: in.Q, Limit: in.Limit, After: after,
			})
		}
	}
	if err != nil {
		return nil, err
	}
	response := &principalsResponse{}
	response.Body.Items = make([]DirectoryPrincipal, len(list))
	for i, e := range list {
		response.Body.Items[i] = DirectoryPrincipal{e.ID, orUnknown(e.Kind), e.DisplayName, e.Active}
	}
	response.Body.NextCursor, err = s.nextCursor(ctx, next, in.Q)
	return response, err
}

// parseIDs reads ids that commas separate. The error is a *Problem.
func parseIDs(text string) ([]uuid.UUID, error) {
	texts := strings.Split(text, ",")
	if len(texts) > maxNamed {
		return nil, fieldProblem(InvalidField, "ids", "must have at most "+counted(maxNamed, "id"))
	}
	ids := make([]uuid.UUID, len(texts))
	for i, t := range texts {
		var id ID
		if err := id.UnmarshalText([]byte(t)); err != nil {
			return nil, fieldProblem(InvalidField, "ids", "must be UUIDs, separated by commas")
		}
		ids[i] = id.UUID
	}
	return ids, nil
}
