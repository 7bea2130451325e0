package api

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/zap"

	"github.com/fanfarehq/fanfare/activity"
	"github.com/fanfarehq/fanfare/activity/invalid"
	"github.com/fanfarehq/fanfare/internal/inbox"
	"github.com/fanfarehq/fanfare/outbox"
	"github.com/fanfarehq/fanfare/watchers"
)

// problem is the one place that says how an error is answered. What is nobody's fault but ours is
// logged here, with the request's id, and told to nobody.
func (s *Server) problem(ctx context.Context, err error) *Problem {
	var (
		said       *Problem
		invalidErr *invalid.Error
	)
	switch {
	case errors.As(err, &said):
		return said
	case errors.As(err, &invalidErr):
		return refusedFields(invalidErr)
	case errors.Is(err, activity.ErrNotFound),
		errors.Is(err, inbox.ErrNotFound),
		errors.Is(err, outbox.ErrNotFound),
		errors.Is(err, watchers.ErrNotFound):
		return newProblem(NotFound)
	}
	x := exchangeOf(ctx)
	log := s.log.With(zap.String("request_id", x.requestID), zap.String("route", x.route), zap.Error(err))
	switch {
	case errors.Is(err, context.Canceled):
		log.Debug("the client did not wait for the answer")
		return newProblem(Unavailable)
	case errors.Is(err, context.DeadlineExceeded):
		log.Warn("a request took too long")
		return newProblem(Unavailable).with("Retry-After", "1")
	case outOfReach(err):
		log.Error("the database cannot be reached")
		return newProblem(Unavailable).with("Retry-After", "1")
	}
	log.Error("a request failed")
	return newProblem(Internal)
}

// refusedFields names the fields of a request as the domain knows them; the names are the same.
func refusedFields(invalidErr *invalid.Error) *Problem {
	p := newProblem(InvalidField)
	for _, f := range invalidErr.Fields[:min(len(invalidErr.Fields), maxFieldRules)] {
		p.Errors = append(p.Errors, FieldRule{Field: f.Name, Rule: f.Rule, Value: scalar(f.Value)})
	}
	return p
}

// outOfReach tells whether the database refused the connection, lost it, is going down or coming
// up, or gave way to others (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func outOfReach(err error) bool {
	if connect := (*pgconn.ConnectError)(nil); errors.As(err, &connect) {
		return true
	}
	if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) {
		return strings.HasPrefix(refused.Code, "08") || strings.HasPrefix(refused.Code, "57P") ||
			strings.HasPrefix(refused.Code, "53") ||
			strings.HasPrefix(refused.Code, "40")
	}
	broken := net.Error(nil)
	return errors.As(err, &broken) || errors.Is(err, io.ErrUnexpectedEOF) || pgconn.SafeToRetry(err)
}
