package api

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/internal/inbox"
	"github.com/fanfarehq/fanfare/watchers/directory"
)

// NotificationGroup is a number of the caller's notifications that have something in common.
type NotificationGroup struct {
	Filter     GroupFilter    `json:"filter"`
	Total      int            `json:"total" doc:"The number of notifications."`
	Unread     int            `json:"unread" doc:"The number of unread notifications."`
	OldestAt   time.Time      `json:"oldest_at" doc:"When the oldest activity was recorded."`
	NewestAt   time.Time      `json:"newest_at" doc:"When the newest activity was recorded."`
	Actors     []GroupActor   `json:"actors" nullable:"false" doc:"At most 5, those of the newest activities first."`
	ActorCount int            `json:"actor_count" doc:"The number of actors."`
	Items      []Notification `json:"items" nullable:"false" doc:"The newest notifications, at most 3."`
}

// TransformSchema adds descriptions to the schema.
func (NotificationGroup) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, map[string]string{
		"filter": "Selects the notifications of the group, together with the filter of the list.",
	})
}

// GroupFilter is the part of a filter that selects a group.
type GroupFilter struct {
	Resource      *uuid.UUID `json:"resource,omitempty" format:"uuid" doc:"By resource and burst."`
	CorrelationID *uuid.UUID `json:"correlation_id,omitempty" format:"uuid" doc:"By correlation."`
	Actor         *uuid.UUID `json:"actor,omitempty" format:"uuid" doc:"By burst."`
	Since         *time.Time `json:"since,omitempty" doc:"By burst: when it began."`
	Until         *time.Time `json:"until,omitempty" doc:"By burst: just after it ended."`
}

// GroupActor is an actor as the directory describes it.
type GroupActor struct {
	PrincipalID uuid.UUID `json:"principal_id" format:"uuid"`
	Kind        string    `json:"kind"`
	DisplayName string    `json:"display_name"`
}

// groupScope is the scope of cursors of groups.
type groupScope struct {
	inbox.Selection
	By inbox.GroupBy
}

func (s *Server) addGroups(
	ctx context.Context,
	caller identity.Identity,
	selection inbox.Selection,
	by inbox.GroupBy,
	q PageQuery,
	response *notificationsResponse,
) error {
	scope := groupScope{selection, by}
	query := inbox.GroupQuery{Selection: selection, By: by, Limit: q.Limit}
	if err := s.openCursor(ctx, q.Cursor, scope, &query.After.Window, &query.After.Group); err != nil {
		return err
	}
	page, err := inbox.Groups(ctx, s.reads(ctx), caller.Principal, query)
	if err != nil {
		return err
	}
	if response.Body.Groups, err = s.groups(ctx, caller, by, page.Groups); err != nil {
		return err
	}
	if page.Next != (inbox.Position{}) {
		response.Body.NextCursor, err = s.sealCursor(ctx, scope, page.Next.Window, page.Next.Group)
	}
	return err
}

// groups renders groups.
func (s *Server) groups(
	ctx context.Context, caller identity.Identity, by inbox.GroupBy, page []*inbox.Group,
) ([]NotificationGroup, error) {
	var list []inbox.Notification
	var actors []activity.Principal
	for _, g := range page {
		list = append(list, g.Items...)
		for _, id := range g.Actors {
			actors = append(actors, activity.Principal{TenantID: caller.TenantID, PrincipalID: id})
		}
	}
	items, err := s.notifications(ctx, list)
	if err != nil {
		return nil, err
	}
	named, err := directory.NameActors(ctx, s.reads(ctx), actors)
	if err != nil {
		return nil, err
	}
	groups := make([]NotificationGroup, len(page))
	for i, g := range page {
		groups[i] = NotificationGroup{
			Filter: groupFilterOf(by, g), Total: g.Total, Unread: g.Unread,
			OldestAt: g.Oldest.UTC(), NewestAt: g.Newest.UTC(),
			ActorCount: g.ActorCount, Items: items[:len(g.Items)],
		}
		items = items[len(g.Items):]
		for _, a := range actors[:len(g.Actors)] {
			groups[i].Actors = append(groups[i].Actors,
				GroupActor{a.PrincipalID, orUnknown(named[a].Kind), named[a].DisplayName})
		}
		actors = actors[len(g.Actors):]
	}
	return groups, nil
}

func groupFilterOf(by inbox.GroupBy, g *inbox.Group) (f GroupFilter) {
	switch by {
	case inbox.ByCorrelation:
		f.CorrelationID = &g.CorrelationID
	case inbox.ByBurst:
		since, until := g.Oldest.UTC(), g.Newest.UTC().Add(time.Microsecond)
		f.Resource, f.Actor, f.Since, f.Until = &g.ResourceID, &g.ActorID, &since, &until
	case inbox.ByResource:
		f.Resource = &g.ResourceID
	}
	return f
}
