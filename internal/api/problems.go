package api

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/pg"
)

// problem maps an error to the problem that the response describes; no other code does. It logs an
// error that is not the client's under the request's id, and keeps it out of the problem.
func (s *Server) problem(ctx context.Context, err error) *Problem {
	var (
		known *Problem
		input *invalid.Error
	)
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &input):
		return validationProblem(input)
	case errors.Is(err, activity.ErrNotFound):
		return newProblem(NotFound)
	}
	info := requestInfoOf(ctx)
	log := s.log.With(zap.String("request_id", info.requestID), zap.String("route", info.route), zap.Error(err))
	switch {
	case errors.Is(err, context.Canceled):
		log.Debug("client disconnected before the response")
		return newProblem(Unavailable)
	case errors.Is(err, context.DeadlineExceeded):
		log.Warn("request timed out")
		return newProblem(Unavailable).withHeader("Retry-After", "1")
	case pg.IsReadOnly(err):
		log.Error("database is read-only")
		return newProblem(Unavailable).withDetail("The database is read-only at the moment. Retry the request later.").
			withHeader("Retry-After", "5")
	case pg.IsFrozen(err):
		log.Info("tenant is being moved")
		return newProblem(TenantMoving).withHeader("Retry-After", "1")
	case pg.Unavailable(err):
		log.Error("database is unavailable")
		return newProblem(Unavailable).withHeader("Retry-After", "1")
	}
	log.Error("request failed")
	return newProblem(Internal)
}

// validationProblem returns the problem of a domain error. The domain names fields as requests do.
func validationProblem(err *invalid.Error) *Problem {
	p := newProblem(InvalidField)
	for _, f := range err.Fields {
		p = p.withViolations(Violation{Field: f.Name, Rule: f.Rule, Value: f.Value})
	}
	return p
}

// humaProblem returns the problem of an error that huma reports by itself. After checkRequest these
// are failed negotiations of the response's media type. An entry of m.Errors means that a Go type
// rejects what its schema accepts.
func humaProblem(m *huma.ErrorModel) *Problem {
	p := newProblem(kindOfStatus(m.Status))
	p.Status = m.Status
	for _, e := range m.Errors {
		_, field, _ := strings.Cut(e.Location, ".")
		p = p.withViolations(Violation{Field: cmp.Or(field, e.Location), Rule: "is not valid"})
	}
	return p
}
