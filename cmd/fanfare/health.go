package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// workerName names the worker among the parts.
const workerName = "worker"

// health answers whether the daemon lives, and whether it can do its work.
type health struct {
	wrong        func() map[string][]string // what is wrong with the parts; see monitor.Wrong
	lastProgress func() time.Time           // see outbox.Worker.LastProgress; nil without a worker
	stalledAfter time.Duration              // since the last progress
	spared       []string                   // the parts without which the daemon still does most of its work
	now          func() time.Time
}

// readiness is the body of an answer.
type readiness struct {
	Ready    bool                `json:"ready"`
	Failing  map[string][]string `json:"failing,omitempty"`  // by part, in sentences
	Degraded map[string][]string `json:"degraded,omitempty"` // the same of the parts that are spared
}

func (h *health) read() readiness {
	r := readiness{Failing: h.wrong()}
	if why := h.stalled(); why != "" {
		r.Failing[workerName] = []string{why}
	}
	for _, name := range h.spared {
		if why, wrong := r.Failing[name]; wrong {
			if r.Degraded == nil {
				r.Degraded = map[string][]string{}
			}
			r.Degraded[name] = why
			delete(r.Failing, name)
		}
	}
	r.Ready = len(r.Failing) == 0
	return r
}

// stalled says what is wrong with the worker, or nothing.
func (h *health) stalled() string {
	if h.lastProgress == nil {
		return ""
	}
	switch last := h.lastProgress(); {
	case last.IsZero():
		return "It has not got through a look at the outbox yet."
	case h.now().Sub(last) > h.stalledAfter:
		return fmt.Sprintf("It last got through a look at the outbox %s ago.", h.now().Sub(last).Round(time.Second))
	}
	return ""
}

// live answers 200 for as long as the process can answer at all.
func (h *health) live(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]bool{"alive": true})
}

// ready answers 200, or 503 with what is wrong.
func (h *health) ready(w http.ResponseWriter, _ *http.Request) {
	r := h.read()
	if r.Ready {
		answer(w, http.StatusOK, r)
		return
	}
	answer(w, http.StatusServiceUnavailable, r)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // whoever asked is gone
}
