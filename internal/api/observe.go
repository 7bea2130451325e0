package api

import (
	"errors"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
)

// Observer is told of every answer. It is called from many goroutines at once.
type Observer interface {
	// Request tells of one answer: the route's pattern ("GET /v1/activities/{id}"), or "" where no
	// route matched.
	Request(route string, status int, took time.Duration)
}

// observe tells the observer of every answer, and turns a panic into one.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, info := s.now(), requestInfoOf(r.Context())
		answer := &answer{ResponseWriter: w}
		defer func() {
			route := routeOf(r)
			s.recovered(answer, info.requestID, route, recover())
			s.observer.Request(route, answer.status, s.now().Sub(start))
		}()
		next.ServeHTTP(answer, r)
	})
}

// recovered answers for a handler that panicked. What is on its way already is cut off, so that no
// client takes it for whole.
func (s *Server) recovered(w *answer, requestID, route string, cause any) {
	if cause == nil {
		return
	}
	gone := net.Error(nil)
	if err, ok := cause.(error); ok &&
		(errors.Is(err, http.ErrAbortHandler) || w.status != 0 && errors.As(err, &gone)) {
		panic(http.ErrAbortHandler) // the client is not there any more
	}
	s.log.Error(
		"a handler panicked",
		zap.String("request_id", requestID),
		zap.String("route", route),
		zap.Any("panic", cause),
		zap.Stack("stack"),
	)
	if w.status != 0 {
		panic(http.ErrAbortHandler)
	}
	newProblem(Internal).write(w, requestID)
}

// routeOf returns the pattern that matched a request, once the mux has seen it.
func routeOf(r *http.Request) string {
	if r.Pattern == everywhere {
		return ""
	}
	return r.Pattern
}

// answer notes the status.
type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= http.StatusOK {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// unobserved is the observer of those who have none.
type unobserved struct{}

func (unobserved) Request(string, int, time.Duration) {}
