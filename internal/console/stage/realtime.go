package stage

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// Interrupt ends Centrifugo by SIGKILL, so that the contents of its channels are lost.
func (s *Stage) Interrupt(ctx context.Context) error { return s.centrifugo.Kill(ctx) }

// Resume starts Centrifugo on the same ports.
func (s *Stage) Resume(ctx context.Context) error { return s.centrifugo.Restart(ctx) }

// channelsOf returns the channels of a principal and of its tenant.
func (s *Stage) channelsOf(p activity.Principal) []string {
	return []string{s.channels.User(p), s.channels.Tenant(p.TenantID)}
}

// PurgeHistory removes the history of a channel, so that a client cannot recover what it missed.
func (s *Stage) PurgeHistory(ctx context.Context, channel string) error {
	return s.command(ctx, "history_remove", map[string]any{"channel": channel})
}

// Disconnect closes the connections of a principal. Its clients connect again.
func (s *Stage) Disconnect(ctx context.Context, p activity.Principal) error {
	return s.command(ctx, "disconnect", map[string]any{
		"user":       p.TenantID.String() + "." + p.PrincipalID.String(),
		"disconnect": map[string]any{"code": 3012, "reason": "the stage closes the connection"},
	})
}

// command sends a command to Centrifugo's server API.
func (s *Stage) command(ctx context.Context, name string, parameters map[string]any) error {
	body, err := json.Marshal(parameters)
	if err != nil {
		return err
	}
	url := s.centrifugo.APIURL() + "/" + name
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-API-Key", s.centrifugo.APIKey())
	response, err := s.api.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	var reply struct {
		Error *struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := json.NewDecoder(response.Body).Decode(&reply); err != nil {
		return fmt.Errorf("%s: %s: %w", name, response.Status, err)
	}
	if reply.Error != nil {
		return fmt.Errorf("%s: %d: %s", name, reply.Error.Code, reply.Error.Message)
	}
	return nil
}

// RevokeRoles revokes the role bindings of a principal on a resource; uuid.Nil selects all
// resources. It returns the number of the bindings.
func (s *Stage) RevokeRoles(ctx context.Context, p activity.Principal, resource uuid.UUID) (int64, error) {
	tag, err := s.pool.Exec(ctx, `
		UPDATE fanfare.role_bindings SET revoked_at = now()
		WHERE tenant_id = $1 AND principal_id = $2 AND revoked_at IS NULL
		    AND ($3 = '00000000-0000-0000-0000-000000000000'::uuid OR scope_resource_id = $3)`,
		p.TenantID, p.PrincipalID, resource)
	return tag.RowsAffected(), err
}
