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

// The limits of exports. Limits.Query is the limit of each step in the database.
const (
	maxExports    = 4             // of the process at once; of a tenant, one
	exportTimeout = 2 * time.Hour // after which an export is aborted
	chunkBytes    = 64 << 10      // that a client must accept within chunkTimeout
	chunkTimeout  = 60 * time.Second
	writeBuffer   = 128 << 10        // of the operating system, for one export
	recordTimeout = 5 * time.Second  // for recording the export
	checkInterval = 15 * time.Second // between checks of the credential
)

const exportOperation = "export-activities"

// exporter serves exports.
type exporter struct {
	*Server
	slots *exportSlots
}

// exportSlots limits concurrent exports: to one of a tenant, and to maxExports of the process.
type exportSlots struct {
	mu    sync.Mutex
	taken map[uuid.UUID]bool
}

// take takes a slot for the tenant if one is free. release returns it.
func (p *exportSlots) take(tenant uuid.UUID) (release func(), ok bool) {
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
	responses := withContent(problems(), http.StatusOK, export.CSV.MediaType(), "The activities.")
	responses["200"].Content[export.JSONL.MediaType()] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	e := exporter{s, &exportSlots{taken: map[uuid.UUID]bool{}}}
	handle(s, routes, huma.Operation{
		OperationID: exportOperation, Method: http.MethodGet, Path: "/activities/export",
		Tags: []string{"Audit"}, Security: requireScope(identity.ScopeRead),
		Summary: "Export the activity log",
		Description: "All activities of the tenant that match the filter, oldest first, as one file: CSV (RFC 4180) " +
			"with a header, and with an apostrophe before texts that a spreadsheet would evaluate as formulas, " +
			"or one JSON object a line. The export ends with the newest activity at its start. An aborted " +
			"response is incomplete. Each export is recorded as `log.exported`, with the filter and the number " +
			"of activities.",
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
	request := export.Export{
		Tenant:      caller.TenantID,
		Filter:      filterOf(in.FilterCommon, in.FilterActor, in.FilterResource, in.FilterOwner),
		Encoder:     export.Encoder{Format: export.Format(in.Format)},
		StepTimeout: e.limits.Query,
	}
	if err := request.Filter.Validate(); err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		r, w := humago.Unwrap(hc)
		if hc.Method() == http.MethodHead {
			w.Header().Set("Content-Type", request.Encoder.Format.MediaType())
			return
		}
		release, ok := e.slots.take(caller.TenantID)
		if !ok {
			newProblem(Unavailable).
				withDetail("The maximum number of concurrent exports, of the tenant or of the server, is reached.").
				withHeader("Retry-After", "10").
				write(w, requestInfoOf(hc.Context()).requestID)
			return
		}
		defer release()
		e.serve(e.newSession(r, identity.ScopeRead), w, request)
	}}, nil
}

// serve writes the export and records it. An export that cannot be recorded is refused before it
// begins. It aborts an incomplete response, so that the client detects it.
func (e exporter) serve(s session, w http.ResponseWriter, request export.Export) {
	ctx := s.request.Context()
	info := requestInfoOf(ctx)
	if err := e.rehearse(ctx, s.caller, request); err != nil {
		e.problem(ctx, err).write(w, info.requestID)
		return
	}
	format := request.Encoder.Format
	out := &chunkWriter{w: w, control: http.NewResponseController(w), session: s}
	h := w.Header()
	h.Set("Content-Type", format.MediaType())
	name := "activities-" + e.now().UTC().Format("20060102T150405Z") + format.Extension()
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
	h.Set("X-Accel-Buffering", "no") // nginx would buffer it for a slow client
	// The read deadline of the request would end the export. net/http detects a disconnect without
	// it.
	if err := out.control.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		panic(http.ErrAbortHandler)
	}
	limitWriteBuffer(ctx, writeBuffer)
	bounded, cancel := s.bound(ctx, exportTimeout)
	defer cancel()
	pool := e.standbys.Pool()
	done, err := request.Write(bounded, pglog.New(pool), out)
	if err != nil && pool != e.pool && !out.begun && bounded.Err() == nil {
		done, err = request.Write(bounded, pglog.New(e.pool), out) // the standby could not serve it
	}
	if err != nil && !out.begun {
		for _, name := range []string{"Content-Disposition", "X-Accel-Buffering"} {
			h.Del(name)
		}
		e.problem(ctx, err).write(w, info.requestID)
		return
	}
	log := e.log.With(zap.String("request_id", info.requestID), zap.Int64("activities", done.Activities))
	if recordErr := e.record(ctx, s.caller, request, done.Activities, err == nil); recordErr != nil {
		log.Error("export could not be recorded", zap.Error(recordErr))
		panic(http.ErrAbortHandler)
	}
	switch {
	case err == nil:
		return
	case out.err != nil || ctx.Err() != nil: // of the client, not of the database
		log.Info("export ended early: the client disconnected or accepted too little in time", zap.Error(out.err))
	case bounded.Err() != nil:
		log.Info("export ended early", zap.Error(context.Cause(bounded)))
	default:
		e.problem(ctx, err) // for the log
	}
	panic(http.ErrAbortHandler)
}

// errRehearsed ends the transaction of rehearse.
var errRehearsed = errors.New("rehearsed")

// rehearse records an export and rolls that back. Its error is that of recording.
func (e exporter) rehearse(ctx context.Context, caller identity.Identity, request export.Export) error {
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	err := pgx.BeginFunc(ctx, e.pool, func(tx pgx.Tx) error {
		if _, err := outbox.Record(ctx, tx, exportEnvelope(ctx, caller, request, 0, true)); err != nil {
			return err
		}
		return errRehearsed
	})
	if errors.Is(err, errRehearsed) {
		return nil
	}
	return err
}

// record records an export, even if the request has been cancelled.
func (e exporter) record(
	ctx context.Context,
	caller identity.Identity,
	request export.Export,
	activities int64,
	complete bool,
) error {
	envelope := exportEnvelope(ctx, caller, request, activities, complete)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	return pgx.BeginFunc(ctx, e.pool, func(tx pgx.Tx) error {
		_, err := outbox.Record(ctx, tx, envelope)
		return err
	})
}

// exportEnvelope returns the envelope that records an export.
func exportEnvelope(
	ctx context.Context,
	caller identity.Identity,
	request export.Export,
	activities int64,
	complete bool,
) activity.Envelope {
	exported := builtin.LogExported{
		Format:     string(request.Encoder.Format),
		Activities: int(activities),
		Complete:   complete,
		Filter:     exportedFilter(request.Filter),
	}
	envelope := exported.On(caller.TenantID, caller.TenantID)
	envelope.ActorPrincipalID, envelope.UserAgent = caller.PrincipalID, requestInfoOf(ctx).userAgent
	envelope.Visibility, envelope.Category = activity.Private, "log"
	if !complete {
		envelope.Status = activity.Failure
	}
	return envelope
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
// disconnected. It checks the session at intervals.
type chunkWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	session session
	checked time.Time
	begun   bool
	err     error // of writing, or of the session
}

func (p *chunkWriter) Write(b []byte) (n int, err error) {
	defer func() { p.err = err }()
	if now := time.Now(); p.checked.IsZero() {
		p.checked = now
	} else if now.Sub(p.checked) >= checkInterval {
		if err := p.session.check(p.session.request.Context()); err != nil {
			return 0, err
		}
		p.checked = now
	}
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
