package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/outbox"
)

// installationOperation returns an operation on what all tenants share. It requires
// ScopeInstallation, which no scope of a tenant implies.
func installationOperation(id, path, summary, description string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: "/installation" + path,
		Tags: []string{"Installation"}, Security: requireScope(identity.ScopeInstallation),
		Summary: summary, Description: description, Responses: problems(),
	}
}

func (s *Server) addInstallation(routes huma.API) {
	handle(s, routes, installationOperation("list-workers", "/workers", "List the workers",
		"The workers that have registered in the last minutes, the live ones first. A worker registers every five "+
			"seconds, with its rates since the registration before."), s.listWorkers)
	handle(s, routes, installationOperation("list-installation-lanes", "/lanes", "List the lanes of all tenants",
		"The number of activities of all tenants in each of the 64 lanes that are not delivered, and the session "+
			"that holds the lane now: usually a worker that delivers a batch."), s.listInstallationLanes)
	handle(s, routes, installationOperation("get-history", "/history", "Get the history of the last day",
		"Throughput, latency and backlog of the installation, summarized in at most 300 points. A point has the "+
			"rates of its interval, and the largest backlog in it. An interval in which no worker ran has no point."),
		s.getHistory)
	s.addDoctor(routes)
}

// InstallationWorker is a worker that has registered lately.
type InstallationWorker struct {
	outbox.WorkerState
}

// TransformSchema adds formats and descriptions to the schema.
func (InstallationWorker) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Properties["worker_id"].Format = "uuid"
	s.Properties["lanes"].Nullable = false
	return describe(s, map[string]string{
		"name":                    "The host and the process.",
		"version":                 "Of the program; empty if it is unknown.",
		"seen_at":                 "When it registered last.",
		"live":                    "Whether it registered within 15 seconds.",
		"lanes":                   "The lanes that are assigned to it. Others serve them while it does not.",
		"settled_per_second":      "Activities that were delivered or became dead letters.",
		"publications_per_second": "Publications to Centrifugo.",
	})
}

type workersResponse struct {
	Body struct {
		Items []InstallationWorker `json:"items" nullable:"false" doc:"The live ones first."`
	} `nameHint:"WorkerList"`
}

func (s *Server) listWorkers(ctx context.Context, _ identity.Identity, _ *struct{}) (*workersResponse, error) {
	found, err := outbox.NewBacklog(s.pool).Workers(ctx)
	if err != nil {
		return nil, err
	}
	response := &workersResponse{}
	response.Body.Items = make([]InstallationWorker, len(found))
	for i, w := range found {
		response.Body.Items[i] = InstallationWorker{w}
	}
	return response, nil
}

// InstallationLane has the counts of a lane, of all tenants, and who holds it.
type InstallationLane struct {
	Lane
	Holder *LaneHolder `json:"holder"`
}

// TransformSchema adds descriptions to the schema.
func (InstallationLane) TransformSchema(r huma.Registry, s *huma.Schema) *huma.Schema {
	holder := s.Properties["holder"]
	s.Properties["holder"] = &huma.Schema{
		Description: "The session that holds the lane, or null.",
		AnyOf:       []*huma.Schema{{Ref: holder.Ref}, {Type: "null"}},
	}
	return Lane{}.TransformSchema(r, s)
}

// LaneHolder is a session of PostgreSQL that holds a lane.
type LaneHolder struct {
	PID         int     `json:"pid" doc:"Of the server process."`
	Role        string  `json:"role" doc:"Empty if it may not be seen."`
	Application string  `json:"application"`
	Address     string  `json:"address" doc:"Empty if it may not be seen, or for a local session."`
	Seconds     float64 `json:"seconds" doc:"The age of its transaction; 0 if it is unknown."`
}

type installationLanesResponse struct {
	Body struct {
		Items []InstallationLane `json:"items" nullable:"false" doc:"Each lane once, by its number."`
	} `nameHint:"InstallationLaneList"`
}

func (s *Server) listInstallationLanes(
	ctx context.Context, _ identity.Identity, _ *struct{},
) (*installationLanesResponse, error) {
	backlog := outbox.NewBacklog(s.pool)
	found, err := backlog.LaneStates(ctx, uuid.Nil)
	if err != nil {
		return nil, err
	}
	holders, err := backlog.LaneHolders(ctx)
	if err != nil {
		return nil, err
	}
	response := &installationLanesResponse{}
	response.Body.Items = make([]InstallationLane, len(found))
	for i, l := range found {
		response.Body.Items[i].Lane = Lane{l}
		if h, held := holders[l.Lane]; held {
			response.Body.Items[i].Holder = &LaneHolder{h.PID, h.Role, h.Application, h.Address, h.For.Seconds()}
		}
	}
	return response, nil
}

// HistoryPoint describes an interval of a history.
type HistoryPoint struct {
	At                    time.Time `json:"at" doc:"The beginning of the interval."`
	SettledPerSecond      float64   `json:"settled_per_second"`
	PublicationsPerSecond float64   `json:"publications_per_second"`
	LatencyP50            *float64  `json:"latency_p50_seconds" nullable:"true"`
	LatencyP99            *float64  `json:"latency_p99_seconds" nullable:"true"`
	Pending               *int64    `json:"pending" nullable:"true"`
	OldestAge             *float64  `json:"oldest_age_seconds" nullable:"true"`
	Parked                *int64    `json:"parked" nullable:"true"`
	DeadLetters           *int64    `json:"dead_letters" nullable:"true"`
}

// TransformSchema adds descriptions to the schema.
func (HistoryPoint) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return describe(s, map[string]string{
		"settled_per_second":      "Activities that were delivered or became dead letters.",
		"publications_per_second": "Publications to Centrifugo.",
		"latency_p50_seconds":     "The median time from recording to delivery; null if nothing was delivered.",
		"latency_p99_seconds":     "The time within which 99 % were delivered; null if nothing was delivered.",
		"pending":                 "Activities in the outbox; null if they could not be counted in time, as below.",
		"oldest_age_seconds":      "The age of the oldest of them; 0 without one.",
		"parked":                  "Parked activities.",
		"dead_letters":            "Dead letters.",
	})
}

type historyResponse struct {
	Body struct {
		StepSeconds int            `json:"step_seconds" doc:"The length of an interval."`
		Points      []HistoryPoint `json:"points" nullable:"false" doc:"Oldest first, at most 300."`
	} `nameHint:"History"`
}

func (s *Server) getHistory(ctx context.Context, _ identity.Identity, in *struct {
	Minutes int `query:"minutes" minimum:"1" maximum:"1440" default:"60" doc:"The length of the history."`
},
) (*historyResponse, error) {
	history, err := outbox.NewBacklog(s.pool).History(ctx, time.Duration(in.Minutes)*time.Minute)
	if err != nil {
		return nil, err
	}
	response := &historyResponse{}
	response.Body.StepSeconds = int(history.Step.Seconds())
	response.Body.Points = make([]HistoryPoint, len(history.Points))
	for i, p := range history.Points {
		response.Body.Points[i] = HistoryPoint{
			At: p.BeganAt, SettledPerSecond: p.SettledPerSecond, PublicationsPerSecond: p.PublicationsPerSecond,
			LatencyP50: seconds(p.P50), LatencyP99: seconds(p.P99),
			Pending: p.Pending, OldestAge: seconds(p.OldestAge), Parked: p.Parked, DeadLetters: p.DeadLetters,
		}
	}
	return response, nil
}

// seconds returns a duration in seconds, or nil for nil.
func seconds(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	n := d.Seconds()
	return &n
}
