package daemon

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/fanfarehq/fanfare/internal/database"
	"github.com/fanfarehq/fanfare/outbox"
)

// workerName is the name of the worker in the answers of /readyz.
const workerName = "worker"

// health reports whether the process is alive and whether it is ready.
type health struct {
	problems     func() map[string][]string // of the dependencies; see monitor.Problems
	lastProgress func() time.Time           // see outbox.Worker.LastProgress; nil without a worker
	stalledAfter time.Duration              // since the last progress
	delivery     func() outbox.Problem      // see outbox.Worker.Problem; nil without a worker
	optional     []string                   // the dependencies without which the daemon does most of its work
	now          func() time.Time
	cells        map[string]*health // by name; nil without cells
}

// readiness is the body of an answer of /readyz.
type readiness struct {
	Ready    bool                `json:"ready"`
	Failing  map[string][]string `json:"failing,omitempty"`  // problems by dependency, as sentences
	Degraded map[string][]string `json:"degraded,omitempty"` // problems of optional dependencies

	Cells map[string]readiness `json:"cells,omitempty"` // by name
}

func (h *health) read() readiness {
	r := readiness{Failing: h.problems()}
	if problem := h.workerProblem(); problem != "" {
		r.Failing[workerName] = []string{problem}
	}
	for _, name := range h.optional {
		if problems, failing := r.Failing[name]; failing {
			if r.Degraded == nil {
				r.Degraded = map[string][]string{}
			}
			r.Degraded[name] = problems
			delete(r.Failing, name)
		}
	}
	r.Ready = len(r.Failing) == 0
	if h.cells != nil {
		r.Ready = h.readCells(&r) && r.Ready
	}
	return r
}

// readCells adds the cells, and reports whether one of them is ready: an unavailable database must
// not take the process away from the tenants of the others.
func (h *health) readCells(r *readiness) (ready bool) {
	r.Cells = make(map[string]readiness, len(h.cells))
	for name, c := range h.cells {
		of := c.read()
		r.Cells[name] = of
		ready = ready || of.Ready
	}
	return ready
}

// workerProblem returns the problem of a stalled worker, or "".
func (h *health) workerProblem() string {
	if h.lastProgress == nil {
		return ""
	}
	last := h.lastProgress()
	if last.IsZero() {
		return "No poll of the outbox has completed yet."
	}
	if idle := h.now().Sub(last); idle > h.stalledAfter {
		return fmt.Sprintf("The last completed poll of the outbox was %s ago.", idle.Round(time.Second))
	}
	if h.delivery == nil {
		return ""
	}
	if p := h.delivery(); p.Err != nil {
		return fmt.Sprintf("Nothing has been delivered for %s: %s.", h.now().Sub(p.Since).Round(time.Second),
			database.OneLine(database.Explain(p.Err)))
	}
	return ""
}

// live serves /healthz: 200 while the process can answer.
func (h *health) live(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]bool{"alive": true})
}

// ready serves /readyz: 200, or 503 if a required dependency has problems, or each cell has.
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
	_ = json.NewEncoder(w).Encode(body) // fails only if the client has disconnected
}
