package besteffort

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/fanfarehq/fanfare/activity"
)

// Options configure a Recorder. The zero value works.
type Options struct {
	Queue      int           // the maximum number of waiting envelopes; default 1,024
	QueueBytes int           // the maximum number of bytes of waiting payloads and texts; default 8 MiB
	Batch      int           // the maximum number of envelopes in one Append; default 100
	Timeout    time.Duration // of one Append; default 5 s
	RetryFor   time.Duration // how long an envelope is retried after a transient failure; default 10 min
	Grace      time.Duration // how long Run continues after its context has ended; default 5 s

	// Report is called by Run with the number of envelopes dropped since the previous call and the
	// last error: at the first drop, then at most every ReportEvery (default 10 s), and at the end
	// of Run. nil disables reports; Stats counts the drops in any case.
	Report      func(dropped Drops, last error)
	ReportEvery time.Duration
}

// withDefaults returns the options with a default in place of every value that is not positive.
func (o Options) withDefaults() Options {
	o.Queue = cmp.Or(max(o.Queue, 0), 1024)
	o.QueueBytes = cmp.Or(max(o.QueueBytes, 0), 8<<20)
	o.Batch = cmp.Or(max(o.Batch, 0), 100)
	o.Timeout = cmp.Or(max(o.Timeout, 0), 5*time.Second)
	o.RetryFor = cmp.Or(max(o.RetryFor, 0), 10*time.Minute)
	o.Grace = cmp.Or(max(o.Grace, 0), 5*time.Second)
	o.ReportEvery = cmp.Or(max(o.ReportEvery, 0), 10*time.Second)
	return o
}

// Drops counts envelopes that were not recorded, by reason.
type Drops struct {
	Full    uint64 // the queue was full
	Invalid uint64 // refused with an *invalid.Error, or the payload could not be encoded
	Vetoed  uint64 // refused with an *activity.VetoError
	Failed  uint64 // recording failed permanently, or for longer than RetryFor
	Stopped uint64 // handed over after the end of Run, or not recorded within the grace
}

// Total returns the number of dropped envelopes.
func (d Drops) Total() uint64 { return d.Full + d.Invalid + d.Vetoed + d.Failed + d.Stopped }

// since returns the drops that earlier does not count.
func (d Drops) since(earlier Drops) Drops {
	return Drops{
		Full:    d.Full - earlier.Full,
		Invalid: d.Invalid - earlier.Invalid,
		Vetoed:  d.Vetoed - earlier.Vetoed,
		Failed:  d.Failed - earlier.Failed,
		Stopped: d.Stopped - earlier.Stopped,
	}
}

// Stats counts the envelopes that were handed to a Recorder, by outcome.
type Stats struct {
	Recorded   uint64 // created in the log
	Duplicates uint64 // already in the log
	Waiting    uint64
	Dropped    Drops
}

// Recorder queues envelopes and records them in batches. Record hands an envelope over, Run records
// the queue. An envelope that cannot be recorded is dropped and counted.
type Recorder struct {
	log     activity.Appender
	options Options

	mu          sync.Mutex
	queue       []queued // oldest first
	queuedBytes int
	stopped     bool
	stats       Stats // without Waiting
	encodeError error // the last one, until it is reported

	wake chan struct{} // of capacity 1: the queue or the drops have changed
}

// queued is an envelope with its size as QueueBytes counts it.
type queued struct {
	envelope activity.Envelope
	bytes    int
}

// New returns a recorder that records nothing until Run is called.
func New(log activity.Appender, o Options) *Recorder {
	return &Recorder{log: log, options: o.withDefaults(), wake: make(chan struct{}, 1)}
}

// Record hands an envelope over and returns immediately. It never blocks, fails or panics, and is
// safe for concurrent use.
//
// The payload is encoded before Record returns, so that it may be changed afterwards. The actor and
// the request id are those of ctx where the envelope gives none; without either, the actor is
// activity.System. The end of ctx has no effect. OccurredAt defaults to the current time, and
// CorrelationID to a new one, so that a batch that is sent again is recorded once.
func (r *Recorder) Record(ctx context.Context, e activity.Envelope) {
	defer func() {
		if cause := recover(); cause != nil { // from the payload's MarshalJSON
			r.dropInvalid(fmt.Errorf("encode the payload of %s: %w", e.Action, &panicError{cause}))
		}
	}()
	q, err := detach(ctx, e)
	if err != nil {
		r.dropInvalid(err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.stopped:
		r.stats.Dropped.Stopped++
	case len(r.queue) >= r.options.Queue || r.queuedBytes+q.bytes > r.options.QueueBytes:
		r.stats.Dropped.Full++
	default:
		r.queue = append(r.queue, q)
		r.queuedBytes += q.bytes
		r.notify()
	}
}

// detach returns a copy of the envelope that shares no memory with the caller. The error reports
// that the payload can never be recorded.
func detach(ctx context.Context, e activity.Envelope) (queued, error) {
	e = e.WithContext(ctx)
	e.ActorPrincipalID = cmp.Or(e.ActorPrincipalID, activity.System)
	if e.CorrelationID == uuid.Nil {
		e.CorrelationID = uuid.New()
	}
	if e.OccurredAt.IsZero() {
		e.OccurredAt = time.Now()
	}
	e.DeliveryChannels = slices.Clone(e.DeliveryChannels)
	size := len(e.Message) + len(e.ResourceName) + len(e.RequestID) + len(e.UserAgent) + len(e.ResourceType) +
		len(e.Action) + len(e.Category) + len(e.IP) + len(e.Traceparent)
	for _, channel := range e.DeliveryChannels {
		size += len(channel)
	}
	if e.Payload == nil {
		return queued{e, size}, nil
	}
	payload, err := json.Marshal(e.Payload)
	if err != nil {
		return queued{}, fmt.Errorf("encode the payload of %s: %w", e.Action, err)
	}
	if len(payload) > activity.MaxPayloadBytes {
		return queued{}, fmt.Errorf("the payload of %s: %d bytes, must be at most %d",
			e.Action, len(payload), activity.MaxPayloadBytes)
	}
	e.Payload = json.RawMessage(payload)
	return queued{e, size + len(payload)}, nil
}

// Stats returns the current counts.
func (r *Recorder) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	stats := r.stats
	stats.Waiting = uint64(len(r.queue))
	return stats
}

func (r *Recorder) dropInvalid(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.Dropped.Invalid++
	r.encodeError = err
	r.notify()
}

// takeEncodeError returns the last error of dropInvalid since the previous call.
func (r *Recorder) takeEncodeError() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.encodeError
	r.encodeError = nil
	return err
}

// notify wakes Run.
func (r *Recorder) notify() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// oldest returns the oldest envelopes of the queue, n at most. They stay in the queue.
func (r *Recorder) oldest(n int) []activity.Envelope {
	r.mu.Lock()
	defer r.mu.Unlock()
	envelopes := make([]activity.Envelope, min(n, len(r.queue)))
	for i := range envelopes {
		envelopes[i] = r.queue[i].envelope
	}
	return envelopes
}

// remove removes the n oldest envelopes from the queue and counts their outcome.
func (r *Recorder) remove(n int, count func(*Stats)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, q := range r.queue[:n] {
		r.queuedBytes -= q.bytes
	}
	r.queue = slices.Delete(r.queue, 0, n)
	count(&r.stats)
}

// closeIfEmpty closes the queue if it is empty, and reports whether it did.
func (r *Recorder) closeIfEmpty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = len(r.queue) == 0
	return r.stopped
}

// abandon closes the queue and drops its envelopes.
func (r *Recorder) abandon() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	r.stats.Dropped.Stopped += uint64(len(r.queue))
	r.queue, r.queuedBytes = nil, 0
}
