package api

import (
	"errors"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
)

// Observer is notified of every response. It is called concurrently.
type Observer interface {
	// Request is called after a response. route is the pattern of the route
	// ("GET /v1/activities/{id}"), or "" if none matched; status is 0 if there was no response.
	Request(route string, status int, took time.Duration)
	// Recorded is called after a request to record activities: with the numbers of those that were
	// recorded and of those that existed already, or with the number of violations.
	Recorded(created, existing, violations int)
}

// observe notifies the observer of every response, and responds with a problem to a panic.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, info := s.now(), requestInfoOf(r.Context())
		response := &statusRecorder{ResponseWriter: w}
		defer func() {
			route := routeOf(r)
			s.recovered(response, info.requestID, route, recover())
			s.guard.Call(func() { s.observer.Request(route, response.status, s.now().Sub(start)) })
		}()
		next.ServeHTTP(response, r)
	})
}

// recovered responds for a handler that panicked. It aborts a response that has begun, so that the
// client detects that it is incomplete.
func (s *Server) recovered(w *statusRecorder, requestID, route string, cause any) {
	if cause == nil {
		return
	}
	network := net.Error(nil)
	if err, ok := cause.(error); ok &&
		(errors.Is(err, http.ErrAbortHandler) || w.status != 0 && errors.As(err, &network)) {
		panic(http.ErrAbortHandler) // the client has disconnected
	}
	s.log.Error(
		"handler panicked",
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

// routeOf returns the pattern that the mux matched for a request, or "".
func routeOf(r *http.Request) string {
	if r.Pattern == noRoutePattern {
		return ""
	}
	return r.Pattern
}

// statusRecorder records the status of a response; 0 before it begins.
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

// Unwrap supports http.ResponseController.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// nopObserver is the default Observer.
type nopObserver struct{}

func (nopObserver) Request(string, int, time.Duration) {}

func (nopObserver) Recorded(int, int, int) {}
