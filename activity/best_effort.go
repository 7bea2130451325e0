package activity

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// Appender records envelopes in their order, all of them or none. Every Log is one.
type Appender interface {
	Append(ctx context.Context, envelopes ...Envelope) ([]Recorded, error)
}

// BestEffortOptions are a BestEffort's. The zero value works.
type BestEffortOptions struct {
	Queue      int           // envelopes that wait at most; default 1,024
	QueueBytes int           // bytes of payload and text that wait at most; default 8 MiB
	Batch      int           // envelopes appended at once; default 100
	Timeout    time.Duration // how long one Append may take; default 5 s
	RetryFor   time.Duration // how long the oldest envelope is tried again while appending fails for a passing reason; default 10 min
	Grace      time.Duration // how long recording may go on once Run is told to stop; default 5 s

	// Report is told of what was dropped since it was last told, and of the last error, by Run: at
	// once, and then at most every ReportEvery (default 10 s) and at the end. nil means that only
	// Stats tells.
	Report      func(dropped Drops, last error)
	ReportEvery time.Duration
}

// Drops counts envelopes that were not recorded, by the reason.
type Drops struct {
	Full    uint64 // too many waited
	Invalid uint64 // refused with an *invalid.Error, or its payload could not be encoded
	Vetoed  uint64 // refused with a *VetoError
	Failed  uint64 // recording failed for a reason that does not pass, or for too long
	Stopped uint64 // they came after the stop, or were not recorded within the grace
}

// Total is how many were dropped.
func (d Drops) Total() uint64 { return d.Full + d.Invalid + d.Vetoed + d.Failed + d.Stopped }

func (d Drops) since(before Drops) Drops {
	return Drops{
		d.Full - before.Full,
		d.Invalid - before.Invalid,
		d.Vetoed - before.Vetoed,
		d.Failed - before.Failed,
		d.Stopped - before.Stopped,
	}
}

// BestEffortStats is what has become of the envelopes that a BestEffort was given.
type BestEffortStats struct {
	Recorded uint64 // created
	Stood    uint64 // stood already
	Waiting  uint64
	Dropped  Drops
}

// BestEffort records activities for those that must not wait for it and must not fail by it: where
// there is no transaction to record in. Record hands an envelope over; Run records what was handed
// over, in batches. What cannot be recorded is dropped and counted. Whoever must know that an
// activity stands uses a Log, or outbox.Record in the transaction of the change.
type BestEffort struct {
	to      Appender
	options BestEffortOptions

	mu         sync.Mutex
	queue      []waiting // oldest first
	bytes      int
	stopped    bool
	stats      BestEffortStats // but for Waiting
	invalidErr error           // the last that Record met, until it is reported

	wake chan struct{} // of one place: something waits
}

// waiting is an envelope that waits, and what it counts in bytes.
type waiting struct {
	envelope Envelope
	bytes    int
}

// NewBestEffort makes a recorder that records nothing until Run runs.
func NewBestEffort(to Appender, o BestEffortOptions) *BestEffort {
	o.Queue, o.QueueBytes, o.Batch = cmp.Or(
		max(o.Queue, 0),
		1024,
	), cmp.Or(
		max(o.QueueBytes, 0),
		8<<20,
	), cmp.Or(
		max(o.Batch, 0),
		100,
	)
	o.Timeout, o.Grace = cmp.Or(max(o.Timeout, 0), 5*time.Second), cmp.Or(max(o.Grace, 0), 5*time.Second)
	o.RetryFor, o.ReportEvery = cmp.Or(
		max(o.RetryFor, 0),
		10*time.Minute,
	), cmp.Or(
		max(o.ReportEvery, 0),
		10*time.Second,
	)
	return &BestEffort{to: to, options: o, wake: make(chan struct{}, 1)}
}

// Record hands an envelope over and returns at once. It never blocks, fails or panics, and any
// goroutine may call it at any time.
//
// What is recorded is what the envelope says now: the payload is encoded here, so that it may be
// changed afterwards. The actor and the request id are those of ctx where the envelope gives none,
// and without either the actor is System; the end of ctx means nothing. OccurredAt is now where it
// is not given. An envelope without a correlation id gets one, so that a batch that has to be sent
// again is recorded once.
func (b *BestEffort) Record(ctx context.Context, e Envelope) {
	defer func() {
		if cause := recover(); cause != nil { // of the payload's MarshalJSON
			b.dropInvalid(fmt.Errorf("encode the payload of %s: %w", e.Action, &panicked{cause}))
		}
	}()
	w, err := handedOver(ctx, e)
	if err != nil {
		b.dropInvalid(err)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.stopped:
		b.stats.Dropped.Stopped++
	case len(b.queue) >= b.options.Queue || b.bytes+w.bytes > b.options.QueueBytes:
		b.stats.Dropped.Full++
	default:
		b.queue = append(b.queue, w)
		b.bytes += w.bytes
		b.wakeUp()
	}
}

// handedOver returns an envelope that shares nothing with the caller's. The error is why its
// payload can never be recorded.
func handedOver(ctx context.Context, e Envelope) (w waiting, err error) {
	e.inContext(ctx)
	e.ActorPrincipalID = cmp.Or(e.ActorPrincipalID, System)
	if e.CorrelationID == uuid.Nil {
		e.CorrelationID = uuid.New()
	}
	if e.OccurredAt.IsZero() {
		e.OccurredAt = time.Now()
	}
	e.DeliveryChannels = slices.Clone(e.DeliveryChannels)
	size := 0
	if e.Payload != nil {
		payload, err := json.Marshal(e.Payload)
		if err != nil {
			return waiting{}, fmt.Errorf("encode the payload of %s: %w", e.Action, err)
		}
		if len(payload) > MaxPayloadBytes {
			return waiting{}, fmt.Errorf(
				"the payload of %s: %d bytes, must be at most %d",
				e.Action,
				len(payload),
				MaxPayloadBytes,
			)
		}
		e.Payload, size = json.RawMessage(payload), len(payload)
	}
	for _, text := range append([]string{e.Message, e.ResourceName, e.RequestID, e.UserAgent, e.ResourceType, e.Action, e.Category, e.IP, e.Traceparent}, e.DeliveryChannels...) {
		size += len(text)
	}
	return waiting{e, size}, nil
}

// Stats returns what has become of the envelopes until now.
func (b *BestEffort) Stats() BestEffortStats {
	b.mu.Lock()
	defer b.mu.Unlock()
	stats := b.stats
	stats.Waiting = uint64(len(b.queue))
	return stats
}

func (b *BestEffort) dropInvalid(why error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.Dropped.Invalid++
	b.invalidErr = why
	b.wakeUp()
}

// takeInvalid returns the last error that Record met since it was last asked.
func (b *BestEffort) takeInvalid() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	why := b.invalidErr
	b.invalidErr = nil
	return why
}

// wakeUp lets Run look again.
func (b *BestEffort) wakeUp() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// first returns the oldest that wait, at most so many. They wait on.
func (b *BestEffort) first(n int) []Envelope {
	b.mu.Lock()
	defer b.mu.Unlock()
	envelopes := make([]Envelope, min(n, len(b.queue)))
	for i := range envelopes {
		envelopes[i] = b.queue[i].envelope
	}
	return envelopes
}

// remove takes the oldest off the queue, and counts what became of them.
func (b *BestEffort) remove(n int, became func(*BestEffortStats)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, w := range b.queue[:n] {
		b.bytes -= w.bytes
	}
	b.queue = slices.Delete(b.queue, 0, n)
	became(&b.stats)
}

// closeEmpty lets nothing in any more if nothing waits.
func (b *BestEffort) closeEmpty() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stopped = len(b.queue) == 0
	return b.stopped
}

// abandon lets nothing in any more and drops what waits.
func (b *BestEffort) abandon() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stopped = true
	b.stats.Dropped.Stopped += uint64(len(b.queue))
	b.queue, b.bytes = nil, 0
}
