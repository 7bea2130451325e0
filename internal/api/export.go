package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/actions/builtin"
	"github.com/fanfarehq/fanfare/activity/export"
	"github.com/fanfarehq/fanfare/activity/pglog"
	"github.com/fanfarehq/fanfare/internal/identity"
	"github.com/fanfarehq/fanfare/outbox"
)

// The bounds of exports. How long the database may take over one step of them is Limits.Query.
const (
	maxExports    = 2                // of a process at once, and of them one of a tenant
	exportTimeout = 30 * time.Minute // then it ends, not whole
	chunkBytes    = 64 << 10         // what a client must take
	chunkTimeout  = 10 * time.Second // within
	recordTimeout = 5 * time.Second  // for recording that it was
)

const exportOperation = "export-activities"

// exporter serves exports.
type exporter struct {
	*Server
	slots *exportSlots
}

// exportSlots are those of the exports under way, by tenant: one tenant cannot take them all.
type exportSlots struct {
	mu    sync.Mutex
	taken map[uuid.UUID]bool
}

// take takes a place for the tenant if there is one. leave gives it back.
func (p *exportSlots) take(tenant uuid.UUID) (leave func(), taken bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken[tenant] || len(p.taken) == maxExports {
		return nil, false
	}
	p.taken[tenant] = true
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.taken, tenant)
	}, true
}

func (s *Server) addExport(routes huma.API) {
	responses := withContent(problems(http.StatusForbidden), http.StatusOK, export.CSV.MediaType(), "The activities.")
	responses["200"].Content[export.JSONL.MediaType()] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	e := exporter{s, &exportSlots{taken: map[uuid.UUID]bool{}}}
	handle(s, routes, huma.Operation{
		OperationID: exportOperation, Method: http.MethodGet, Path: "/activities/export",
		Tags: []string{"Audit"}, Security: requireScope(identity.ScopeRead),
		Summary: "Export the log",
		Description: "Of the whole tenant, oldest first, as one file: CSV (RFC 4180) with a heading and with an apostrophe before what a spreadsheet would take " +
			"for a formula, or one JSON object a line. It ends at the newest activity of its beginning. An answer that is cut off, and so does not end as " +
			"HTTP asks for, is not whole. That somebody exported, what and how much, is itself recorded, as `log.exported`.",
		Responses: responses,
	}, e.exportActivities)
}

func (e exporter) exportActivities(_ context.Context, caller identity.Identity, in *struct {
	Format string `query:"format" enum:"csv,jsonl" default:"csv"`
	FilterCommon
	FilterActor
	FilterResource
	FilterOwner
},
) (*huma.StreamResponse, error) {
	wanted := export.Export{
		Tenant: caller.TenantID, Filter: filterOf(in.FilterCommon, in.FilterActor, in.FilterResource, in.FilterOwner),
		Encoder: export.Encoder{Format: export.Format(in.Format)}, StepTimeout: e.limits.Query,
	}
	if err := wanted.Filter.Validate(); err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		if hc.Method() == http.MethodHead {
			w.Header().Set("Content-Type", wanted.Encoder.Format.MediaType())
			return
		}
		leave, taken := e.slots.take(caller.TenantID)
		if !taken {
			newProblem(
				Unavailable,
			).withDetail("As many exports as this server makes at once, of a tenant or in all, are under way.").
				withHeader("Retry-After", "10").
				write(w, requestInfoOf(hc.Context()).requestID)
			return
		}
		defer leave()
		e.serve(hc.Context(), caller, w, wanted)
	}}, nil
}

// serve writes the export, and records that it did. What is not whole is cut off, so that nobody
// takes it for whole.
func (e exporter) serve(ctx context.Context, caller identity.Identity, w http.ResponseWriter, wanted export.Export) {
	format := wanted.Encoder.Format
	out := &chunkWriter{w: w, control: http.NewResponseController(w)}
	h := w.Header()
	h.Set("Content-Type", format.MediaType())
	h.Set(
		"Content-Disposition",
		fmt.Sprintf(
			`attachment; filename="activities-%s%s"`,
			e.now().UTC().Format("20060102T150405Z"),
			format.Extension(),
		),
	)
	h.Set("X-Accel-Buffering", "no") // nginx would take it all in, whether the client does or not
	// The deadline for reading the request would end it; without one a client that leaves still
	// does.
	if err := out.control.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		panic(http.ErrAbortHandler)
	}
	bounded, cancel := context.WithTimeout(ctx, exportTimeout)
	defer cancel()
	done, err := wanted.Write(bounded, pglog.New(e.pool), out)
	if err != nil && !out.begun {
		for _, name := range []string{"Content-Disposition", "X-Accel-Buffering"} {
			h.Del(name)
		}
		e.problem(ctx, err).write(w, requestInfoOf(ctx).requestID)
		return
	}
	if recordErr := e.record(ctx, caller, wanted, done.Activities, err == nil); recordErr != nil {
		e.log.Error(
			"an export was not recorded",
			zap.String("request_id", requestInfoOf(ctx).requestID),
			zap.Error(recordErr),
		)
		err = errors.Join(err, recordErr)
	}
	if err != nil {
		e.problem(ctx, err) // for the log
		panic(http.ErrAbortHandler)
	}
}

// record records an export, even if the request has been cancelled.
func (e exporter) record(
	ctx context.Context,
	caller identity.Identity,
	wanted export.Export,
	activities int64,
	complete bool,
) error {
	exported := builtin.LogExported{
		Format:     string(wanted.Encoder.Format),
		Activities: int(activities),
		Complete:   complete,
		Filter:     exportedFilter(wanted.Filter),
	}
	envelope := exported.On(caller.TenantID, caller.TenantID)
	envelope.ActorPrincipalID, envelope.UserAgent = caller.PrincipalID, requestInfoOf(ctx).userAgent
	envelope.Visibility, envelope.Category = activity.Private, "log"
	if !complete {
		envelope.Status = activity.Failure
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	return pgx.BeginFunc(ctx, e.pool, func(tx pgx.Tx) error {
		_, err := outbox.Record(ctx, tx, envelope)
		return err
	})
}

func exportedFilter(f activity.Filter) builtin.LogExportedFilter {
	return builtin.LogExportedFilter{
		Action:        f.Action,
		Actor:         f.Actor,
		Resource:      f.Resource,
		Target:        f.Target,
		Owner:         f.Owner,
		CorrelationID: f.CorrelationID,
		ResourceType:  f.ResourceType,
		RequestID:     f.RequestID,
		Status:        f.Status,
		Severity:      f.Severity,
		Category:      f.Category,
		Since:         f.Since,
		Until:         f.Until,
		Q:             f.Q,
	}
}

// chunkWriter writes in chunks. A client that does not accept one within the timeout is
// disconnected.
type chunkWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	begun   bool
}

func (p *chunkWriter) Write(b []byte) (n int, err error) {
	p.begun = true
	for n < len(b) {
		if err := p.control.SetWriteDeadline(time.Now().Add(chunkTimeout)); err != nil &&
			!errors.Is(err, http.ErrNotSupported) {
			return n, err
		}
		wrote, err := p.w.Write(b[n:min(n+chunkBytes, len(b))])
		n += wrote
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
