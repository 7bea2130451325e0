package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/watchers"
)

// operatorOperation returns an operation on the caller's tenant that requires ScopeAdmin.
func operatorOperation(id, method, path, summary, description string, statuses ...int) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: path,
		Tags: []string{"Operators"}, Security: requireScope(identity.ScopeAdmin),
		Summary: summary, Description: description, Responses: problems(statuses...),
	}
}

func (s *Server) addOutbox(routes huma.API) {
	handle(s, routes, operatorOperation("get-outbox", http.MethodGet, "/outbox", "Count pending activities",
		"The counts of the tenant's activities that are not delivered."), s.getOutbox)
	handle(s, routes, operatorOperation("list-parked", http.MethodGet, "/outbox/parked", "List parked activities",
		"The tenant's activities that wait for their next attempt, or behind an activity of their resource that "+
			"does. The latest recorded ones are first."), s.listParked)
	handle(s, routes, operatorOperation("list-fan-out-jobs", http.MethodGet, "/outbox/jobs", "List fan-out jobs",
		"The tenant's activities whose wide audience is being notified. The latest recorded ones are first."),
		s.listJobs)
	handle(s, routes, operatorOperation("list-lanes", http.MethodGet, "/outbox/lanes", "List the lanes",
		"The number of the tenant's activities in each of the 64 lanes that are not delivered."), s.listLanes)
	s.addDeadLetters(routes)
}

type outboxResponse struct{ Body OutboxStatus }

// OutboxStatus has the counts of a tenant's pending activities.
type OutboxStatus struct {
	outbox.Status
}

// TransformSchema adds descriptions to the schema.
func (OutboxStatus) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	describe(s, map[string]string{
		"pending":      "Activities in the outbox.",
		"oldest_at":    "When the oldest activity in the outbox was recorded.",
		"parked":       "Activities that wait for a retry, or are blocked by an activity that does.",
		"failing":      "Parked activities that have failed themselves.",
		"broadcasts":   "Fan-out jobs: activities whose wide audience is being notified.",
		"dead_letters": "Dead letters.",
	})
	s.Properties["oldest_at"].Nullable = true
	return s
}

func (s *Server) getOutbox(ctx context.Context, caller identity.Identity, _ *struct{}) (*outboxResponse, error) {
	status, err := outbox.NewBacklog(s.pool).Status(ctx, caller.TenantID)
	if err != nil {
		return nil, err
	}
	return &outboxResponse{OutboxStatus{status}}, nil
}

// ParkedActivity is an activity that is not delivered for a time.
type ParkedActivity struct {
	outbox.Parked
}

// TransformSchema adds formats and descriptions to the schema.
func (ParkedActivity) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	describeActivity(s)
	s.Properties["retry_at"].Nullable = true
	return describe(s, map[string]string{
		"attempts": "Failed attempts; 0 unless it has failed itself.",
		"retry_at": "When it is attempted next; null while an earlier activity of its resource blocks it.",
		"channels": "The channels that are still to be published to; null means all.",
		"error":    "Of the last attempt, or the reason that the operator who parked it gave.",
	})
}

// describeActivity adds the formats and descriptions of what all undelivered activities have.
func describeActivity(s *huma.Schema) {
	for _, name := range []string{"activity_id", "tenant_id", "resource_id"} {
		s.Properties[name].Format = "uuid"
	}
	describe(s, map[string]string{
		"action":        "Empty if the activity is no longer in the log.",
		"resource_type": "Empty if the activity is no longer in the log.",
		"resource_name": "At the time of recording; empty if it is unknown.",
	})
}

type parkedResponse struct {
	Body struct {
		Items      []ParkedActivity `json:"items" nullable:"false" doc:"Latest recorded first."`
		NextCursor *string          `json:"next_cursor" nullable:"true" doc:"Null on the last page."`
	} `nameHint:"ParkedList"`
}

// parkedScope is the scope of cursors of parked activities.
type parkedScope struct{ Failing bool }

func (s *Server) listParked(ctx context.Context, caller identity.Identity, in *struct {
	Failing bool `query:"failing" doc:"Only those that have failed themselves."`
	PageQuery
},
) (*parkedResponse, error) {
	scope := parkedScope{in.Failing}
	after, err := s.after(ctx, in.PageQuery, scope)
	if err != nil {
		return nil, err
	}
	page := outbox.Page{Limit: in.Limit + 1, After: after}
	found, err := outbox.NewBacklog(s.pool).Parked(ctx, caller.TenantID, in.Failing, page)
	if err != nil {
		return nil, err
	}
	response := &parkedResponse{}
	found, last := pageOf(found, in.Limit, func(p outbox.Parked) uuid.UUID { return p.ActivityID })
	response.Body.Items = make([]ParkedActivity, len(found))
	for i, p := range found {
		response.Body.Items[i] = ParkedActivity{p}
	}
	response.Body.NextCursor, err = s.nextCursor(ctx, last, scope)
	return response, err
}

// pageOf returns the items of a page, and the id of the last one if more items follow it. Of found,
// one more than limit was requested.
func pageOf[T any](found []T, limit int, id func(T) uuid.UUID) (items []T, last uuid.UUID) {
	if len(found) <= limit {
		return found, uuid.Nil
	}
	return found[:limit], id(found[limit-1])
}

// FanOutJob is an activity whose wide audience is being notified.
type FanOutJob struct {
	outbox.JobState
	Progress *float64 `json:"progress" nullable:"true"`
	Audience *int64   `json:"audience" nullable:"true"`
}

// TransformSchema adds formats and descriptions to the schema.
func (FanOutJob) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	describeActivity(s)
	return describe(s, map[string]string{
		"notified": "Recipients that have been notified so far.",
		"progress": "An estimate of the part of the audience that the job has passed, from 0 to 1. Null if the " +
			"audience is too large to be counted for this response.",
		"audience": "An estimate of the number of candidates, whom the rules notify or not; null as above.",
		"attempts": "Failed attempts of the next step.",
		"retry_at": "When the next step is due.",
		"error":    "Of the last attempt; empty if it succeeded.",
	})
}

type jobsResponse struct {
	Body struct {
		Items      []FanOutJob `json:"items" nullable:"false" doc:"Latest recorded first."`
		NextCursor *string     `json:"next_cursor" nullable:"true" doc:"Null on the last page."`
	} `nameHint:"FanOutJobList"`
}

func (s *Server) listJobs(ctx context.Context, caller identity.Identity, in *PageQuery) (*jobsResponse, error) {
	after, err := s.after(ctx, *in, nil)
	if err != nil {
		return nil, err
	}
	page := outbox.Page{Limit: in.Limit + 1, After: after}
	found, err := outbox.NewBacklog(s.pool).Jobs(ctx, caller.TenantID, page)
	if err != nil {
		return nil, err
	}
	response := &jobsResponse{}
	found, last := pageOf(found, in.Limit, func(j outbox.JobState) uuid.UUID { return j.ActivityID })
	if response.Body.Items, err = s.jobs(ctx, found); err != nil {
		return nil, err
	}
	response.Body.NextCursor, err = s.nextCursor(ctx, last, nil)
	return response, err
}

// jobs adds estimates of their progress to jobs.
func (s *Server) jobs(ctx context.Context, found []outbox.JobState) ([]FanOutJob, error) {
	subjects := make([]watchers.Subject, len(found))
	for i, j := range found {
		subjects[i] = watchers.Subject{
			TenantID: j.TenantID, ResourceID: j.ResourceID, ParentID: j.ParentID, UpTo: j.LastPrincipalID,
		}
	}
	sizes, err := watchers.Sizes(ctx, s.pool, subjects)
	if err != nil {
		return nil, err
	}
	items := make([]FanOutJob, len(found))
	for i, j := range found {
		items[i] = FanOutJob{JobState: j, Audience: sizes[i].Total}
		if total := sizes[i].Total; total != nil && *total > 0 {
			progress := float64(sizes[i].Passed) / float64(*total)
			items[i].Progress = &progress
		}
	}
	return items, nil
}

// Lane has the counts of a lane.
type Lane struct {
	outbox.LaneState
}

// TransformSchema adds descriptions to the schema.
func (Lane) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Properties["oldest_at"].Nullable = true
	return describe(s, map[string]string{
		"lane":         "The number of the lane, 0 to 63.",
		"pending":      "Activities in the outbox.",
		"oldest_at":    "When the oldest activity in the outbox was recorded; null without one.",
		"parked":       "Activities that wait for a retry, or are blocked by an activity that does.",
		"failing":      "Parked activities that have failed themselves.",
		"fan_out_jobs": "Activities whose wide audience is being notified.",
	})
}

type lanesResponse struct {
	Body struct {
		Items []Lane `json:"items" nullable:"false" doc:"Each lane once, by its number."`
	} `nameHint:"LaneList"`
}

func (s *Server) listLanes(ctx context.Context, caller identity.Identity, _ *struct{}) (*lanesResponse, error) {
	found, err := outbox.NewBacklog(s.pool).LaneStates(ctx, caller.TenantID)
	if err != nil {
		return nil, err
	}
	response := &lanesResponse{}
	response.Body.Items = make([]Lane, len(found))
	for i, l := range found {
		response.Body.Items[i] = Lane{l}
	}
	return response, nil
}
