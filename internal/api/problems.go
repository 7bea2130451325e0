package api

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/inbox"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/watchers"
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
	case errors.Is(err, activity.ErrNotFound),
		errors.Is(err, inbox.ErrNotFound),
		errors.Is(err, outbox.ErrNotFound),
		errors.Is(err, watchers.ErrNotFound):
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
	case databaseUnavailable(err):
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

// databaseUnavailable reports whether an error means that the database refused the connection, lost
// it, is starting or stopping, or rolled back in favour of another transaction
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func databaseUnavailable(err error) bool {
	if connect := (*pgconn.ConnectError)(nil); errors.As(err, &connect) {
		return true
	}
	if reported := (*pgconn.PgError)(nil); errors.As(err, &reported) {
		return strings.HasPrefix(reported.Code, "08") || strings.HasPrefix(reported.Code, "57P") ||
			strings.HasPrefix(reported.Code, "53") ||
			strings.HasPrefix(reported.Code, "40")
	}
	broken := net.Error(nil)
	return errors.As(err, &broken) || errors.Is(err, io.ErrUnexpectedEOF) || pgconn.SafeToRetry(err)
}
