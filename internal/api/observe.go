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
		response := &statusRecorder{ResponseWriter: w}
		defer func() {
			route := routeOf(r)
			s.recovered(response, info.requestID, route, recover())
			s.observer.Request(route, response.status, s.now().Sub(start))
		}()
		next.ServeHTTP(response, r)
	})
}

// recovered answers for a handler that panicked. What is on its way already is cut off, so that no
// client takes it for whole.
func (s *Server) recovered(w *statusRecorder, requestID, route string, cause any) {
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
	if r.Pattern == noRoutePattern {
		return ""
	}
	return r.Pattern
}

// answer notes the status.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	if r.status == 0 && status >= http.StatusOK {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *statusRecorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// nopObserver is the observer of those who have none.
type nopObserver struct{}

func (nopObserver) Request(string, int, time.Duration) {}
