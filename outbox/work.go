package outbox

import (
	"sync"
	"time"
)

// work is what a worker has done in a time.
type work struct {
	settled      int64 // activities that were delivered or became dead letters
	publications int64
	latency      latencies // of the delivered activities
}

// workDone collects the work of a worker until it is registered. It is safe for concurrent use.
type workDone struct {
	published func() int64 // publications so far; nil counts none

	mu         sync.Mutex
	work       work
	registered int64 // the publications that are registered
	since      time.Time
}

// add adds a claim or a step.
func (d *workDone) add(r Report, now time.Time) {
	if r.Err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.work.settled += int64(len(r.Delivered) + r.DeadLetters)
	for _, recordedAt := range r.Delivered {
		d.work.latency.add(now.Sub(recordedAt))
	}
}

// take returns the work since the last call of registered, and its rates per second.
func (d *workDone) take(now time.Time) (w work, settled, publications float64) {
	published := int64(0)
	if d.published != nil {
		published = d.published()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	w = d.work
	w.latency = append(latencies{}, w.latency...)
	w.publications = published - d.registered
	if seconds := now.Sub(d.since).Seconds(); !d.since.IsZero() && seconds > 0 {
		settled, publications = float64(w.settled)/seconds, float64(w.publications)/seconds
	}
	return w, settled, publications
}

// registered removes work that take has returned.
func (d *workDone) remove(w work, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.work.settled -= w.settled
	d.registered += w.publications
	for i, n := range w.latency {
		d.work.latency[i] -= n
	}
	for n := len(d.work.latency); n > 0 && d.work.latency[n-1] == 0; n-- {
		d.work.latency = d.work.latency[:n-1]
	}
	d.since = now
}
