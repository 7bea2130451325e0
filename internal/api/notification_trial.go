package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/notificationlog"
)

func (s *Server) addNotificationTrial(routes huma.API) {
	handle(s, routes, huma.Operation{
		OperationID: "test-notifications", Method: http.MethodPost, Path: "/notifications/test",
		Tags:          []string{"Notifications"},
		Summary:       "Send yourself a notification",
		DefaultStatus: http.StatusAccepted,
		Description: "Records `notification.tested`, which notifies the caller and no other principal. It arrives as " +
			"every notification does: in the inbox, with the id `activity_id`, and on the caller's channel.",
		Responses: problems(),
	}, s.testNotifications)
}

type trialResponse struct {
	Body struct {
		ActivityID uuid.UUID `json:"activity_id" format:"uuid" doc:"The id of the activity and of the notification."`
	} `nameHint:"NotificationTrial"`
}

func (s *Server) testNotifications(ctx context.Context, caller identity.Identity, _ *struct{}) (
	response *trialResponse, err error,
) {
	response = &trialResponse{}
	response.Body.ActivityID, err = notificationlog.Test(ctx, s.pool, caller.Principal)
	return response, err
}
