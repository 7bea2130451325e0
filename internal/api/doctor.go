package api

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/fanfarehq/fanfare/internal/doctor"
	"github.com/fanfarehq/fanfare/internal/identity"
)

const doctorOperation = "examine-installation"

// The limits of examinations.
const (
	examineTimeout = 20 * time.Second // of an examination, and of a request that waits for it
	examinationAge = 10 * time.Second // up to which a report is reused
)

func (s *Server) addDoctor(routes huma.API) {
	op := installationOperation(doctorOperation, "/doctor", "Examine the installation",
		"Runs the checks of `fanfare doctor` on the PostgreSQL and the Centrifugo that this server uses, and reports "+
			"what they found, with a remedy for each problem. The checks take up to 20 seconds. A process runs them "+
			"once at a time: concurrent requests, and those within ten seconds, get the same report.")
	handle(s, routes, op, s.examineInstallation)
}

// DoctorCheck is the result of a check.
type DoctorCheck struct {
	Name   string `json:"name" doc:"Stable, for scripts."`
	Status string `json:"status" enum:"ok,warn,fail,skipped"`
	Detail string `json:"detail" doc:"What the check found."`
	Remedy string `json:"remedy" doc:"What to change; empty if nothing has to change."`
}

type doctorResponse struct {
	Body struct {
		OK         bool          `json:"ok" doc:"Whether no check failed. Warnings and skipped checks do not count."`
		ExaminedAt time.Time     `json:"examined_at" doc:"When the checks ended."`
		Checks     []DoctorCheck `json:"checks" nullable:"false" doc:"In the order in which they ran."`
	} `nameHint:"DoctorReport"`
}

func (s *Server) examineInstallation(
	ctx context.Context, _ identity.Identity, _ *struct{},
) (*doctorResponse, error) {
	if s.examiner.examine == nil {
		return nil, newProblem(Unavailable).withDetail("This server does not examine the installation.")
	}
	found, err := s.examiner.report(ctx)
	if err != nil {
		return nil, err
	}
	response := &doctorResponse{}
	response.Body.OK, response.Body.ExaminedAt = found.report.OK, found.at.UTC()
	response.Body.Checks = make([]DoctorCheck, len(found.report.Diagnostics))
	for i, d := range found.report.Diagnostics {
		response.Body.Checks[i] = DoctorCheck{d.ID, string(d.Status), d.Detail, d.Remedy}
	}
	return response, nil
}

// examiner runs one examination at a time, and reuses its report for a while.
type examiner struct {
	examine func(ctx context.Context) (doctor.Report, error) // nil disables it
	now     func() time.Time

	mu      sync.Mutex
	last    examined
	running *examination // nil while none runs
}

// examined is the report of an examination that ended.
type examined struct {
	report doctor.Report
	at     time.Time // zero: there is none
}

// examination is one that runs. Its result is set before done is closed.
type examination struct {
	done chan struct{}
	examined
	err error
}

// report returns a recent report. A request that ends earlier than the examination leaves it to the
// others.
func (e *examiner) report(ctx context.Context) (examined, error) {
	e.mu.Lock()
	if !e.last.at.IsZero() && e.now().Sub(e.last.at) < examinationAge {
		defer e.mu.Unlock()
		return e.last, nil
	}
	if e.running == nil {
		e.running = &examination{done: make(chan struct{})}
		go e.run(context.WithoutCancel(ctx), e.running)
	}
	x := e.running
	e.mu.Unlock()
	select {
	case <-x.done:
		return x.examined, x.err
	case <-ctx.Done():
		return examined{}, ctx.Err()
	}
}

func (e *examiner) run(ctx context.Context, x *examination) {
	ctx, cancel := context.WithTimeout(ctx, examineTimeout)
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil {
			x.err = fmt.Errorf("examine the installation: panic: %v", cause)
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		if x.err == nil {
			x.at = e.now()
			e.last = x.examined
		}
		e.running = nil
		close(x.done)
	}()
	x.report, x.err = e.examine(ctx)
}
