package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
)

// choose has somebody say what they want to hear of.
func choose(ctx context.Context, api *calls, tenant, who string, patterns ...string) error {
	type preferences struct {
		FilterMode    string   `json:"filter_mode"`
		CustomActions []string `json:"custom_actions"`
	}
	want := preferences{"custom", patterns}
	stored, err := api.as(tenant, who).ask(ctx, http.MethodPut, "/v1/notifications/preferences", want, http.StatusOK)
	if err != nil {
		return err
	}
	var got preferences
	if err := stored.read(&got); err != nil {
		return err
	}
	if got.FilterMode != want.FilterMode || !slices.Equal(got.CustomActions, want.CustomActions) {
		api.mismatch("preferences: got %v, want %v", got, want)
	}
	return nil
}

// subscribe has somebody subscribe, and finds the activity that tells of it in the log.
func subscribe(ctx context.Context, c company, d deed) (done, error) {
	made, err := c.api.as(d.tenant, d.actor).ask(ctx, http.MethodPost, "/v1/subscriptions", struct {
		ResourceID uuid.UUID `json:"resource_id"`
		Scope      string    `json:"scope"`
	}{d.signalID(), "resource"}, http.StatusCreated)
	if err != nil {
		return done{}, err
	}
	var subscription struct{ ID uuid.UUID }
	if err := made.read(&subscription); err != nil {
		return done{}, err
	}
	found, err := c.api.as(d.tenant, ada, identity.ScopeRead).
		get(ctx, "/v1/audit?correlation_id="+subscription.ID.String(), http.StatusOK)
	if err != nil {
		return done{}, err
	}
	var log struct {
		Items []struct {
			EventID uuid.UUID `json:"event_id"`
			Action  string    `json:"action"`
		} `json:"items"`
	}
	if err := found.read(&log); err != nil {
		return done{}, err
	}
	if len(log.Items) != 1 || log.Items[0].Action != d.action {
		c.api.mismatch("the log: got %v, want one %s", log.Items, d.action)
		return done{}, nil
	}
	found.note("%s", log.Items[0].Action)
	return done{activityID: log.Items[0].EventID, committedAt: made.sent}, nil
}

// visitInbox has somebody read their inbox, which is to hold what they were told of so far, and
// mark all of it as read.
func visitInbox(ctx context.Context, c company, d deed) (done, error) {
	me, told := c.api.as(d.tenant, d.actor), c.told(d.tenant, d.actor)
	listed, err := me.get(ctx, "/v1/notifications", http.StatusOK)
	if err != nil {
		return done{}, err
	}
	var inbox struct {
		Items []struct {
			ID uuid.UUID `json:"id"`
		} `json:"items"`
		UnreadCount int `json:"unread_count"`
	}
	if err := listed.read(&inbox); err != nil {
		return done{}, err
	}
	listed.note("%d unread", inbox.UnreadCount)
	var held []uuid.UUID
	for _, item := range inbox.Items {
		held = append(held, item.ID)
	}
	if !slices.Equal(held, told) {
		c.api.mismatch("the inbox: got %v, want %v", held, told)
	}
	if inbox.UnreadCount != len(told) {
		c.api.mismatch("unread: got %d, want %d", inbox.UnreadCount, len(told))
	}
	marking, err := me.ask(ctx, http.MethodPost, "/v1/notifications/mark-all-read", nil, http.StatusOK)
	if err != nil {
		return done{}, err
	}
	var marked struct {
		Count int `json:"marked_count"`
	}
	if err := marking.read(&marked); err != nil {
		return done{}, err
	}
	marking.note("%d marked", marked.Count)
	if marked.Count != len(told) {
		c.api.mismatch("marked as read: got %d, want %d", marked.Count, len(told))
	}
	return done{committedAt: marking.sent}, nil
}

// lookAbroad has somebody's namesake of another tenant ask for what they were told of. There is to
// be no telling it from what does not exist.
func lookAbroad(ctx context.Context, c company, d deed) (done, error) {
	told := c.told(d.tenant, d.actor)
	if len(told) == 0 {
		return done{}, fmt.Errorf("%s was told of nothing so far", d.actor)
	}
	id, unknown := told[0].String(), uuid.Must(uuid.NewV7()).String()
	own, err := c.api.as(d.tenant, d.actor).get(ctx, "/v1/activities/"+id, http.StatusOK)
	if err != nil {
		return done{}, err
	}
	own.note("hers")
	namesake := c.api.as(borealis, d.actor)
	var problems []map[string]any
	for _, ask := range []struct {
		method, path string
		body         any
	}{
		{http.MethodGet, "/v1/activities/" + unknown, nil},
		{http.MethodGet, "/v1/activities/" + id, nil},
		{http.MethodPatch, "/v1/notifications/" + id, map[string]bool{"read": true}},
	} {
		answered, err := namesake.ask(ctx, ask.method, ask.path, ask.body, http.StatusNotFound)
		if err != nil {
			return done{}, err
		}
		var problem map[string]any
		if err := json.Unmarshal(answered.answer, &problem); err != nil {
			return done{}, fmt.Errorf("%s %s: %w", ask.method, ask.path, err)
		}
		maps.DeleteFunc(problem, func(member string, _ any) bool { return member == "request_id" })
		problems = append(problems, problem)
		switch {
		case len(problems) == 1:
			answered.note("no such id")
		case reflect.DeepEqual(problem, problems[0]):
			answered.note("the same")
		default:
			c.api.mismatch(
				"%s %s: got %v, want what an unknown id gets: %v",
				ask.method,
				ask.path,
				problem,
				problems[0],
			)
		}
	}
	return done{}, nil
}
